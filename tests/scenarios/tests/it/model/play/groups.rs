//! Groups and directs: their making, members, ranks and settings.

use chat_core::command::{
    AddMembers, ConversationPatch, CreateGroup, OpenDirect, PermissionsPatch, SetRole, TransferOwnership,
};
use chat_core::model::{Permission, Role};
use serde_json::json;

use super::{MINUTE, ids};
use crate::model::Verdict;
use crate::model::compare::expect;
use crate::model::game::Game;
use crate::model::groups::Permits;
use crate::model::reference::User;
use crate::model::rng::Rng;
use crate::model::show::NAMES;

impl Game {
    pub(super) async fn change_members(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let (id, other) = (self.model.chats[c].id, self.pick_user(rng, c));
        match rng.below(5) {
            0 => {
                self.log.push(format!("{} leaves #{c}", NAMES[user]));
                let model = self.model.leave(user, c);
                self.agree(model, self.actors[user].leave(id).await).map(drop)
            }
            1 => {
                self.log
                    .push(format!("{} removes {} from #{c}", NAMES[user], NAMES[other]));
                let model = self.model.remove(user, c, other);
                let engine = self.actors[user].remove_member(id, &Self::id(other)).await;
                self.agree(model, engine).map(drop)
            }
            _ => {
                let asked = rng.users(NAMES.len(), 3);
                self.log.push(format!("{} adds {asked:?} to #{c}", NAMES[user]));
                let model = self.model.add(user, c, &asked);
                let engine = self.actors[user]
                    .add_members(
                        id,
                        AddMembers {
                            user_ids: ids(&asked),
                        },
                    )
                    .await;
                let Some((model, engine)) = self.agree(model, engine)? else {
                    return Ok(());
                };
                let wanted = json!({
                    "added": ids(&model.added),
                    "already_members": ids(&model.already),
                    "skipped": ids(&model.skipped),
                });
                expect("added", &wanted, &json!(engine))
            }
        }
    }

    pub(super) async fn change_group(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let (user, c) = self.pick_chief(rng, user, c);
        let (id, other) = (self.model.chats[c].id, self.pick_user(rng, c));
        let name = NAMES[user];
        let actor = self.actors[user].clone();
        match rng.below(12) {
            0..=4 => {
                let role = rng.pick(&[Role::Admin, Role::Admin, Role::Member]);
                self.log
                    .push(format!("{name} makes {} of #{c} {role:?}", NAMES[other]));
                let model = self.model.set_role(user, c, other, role);
                self.agree(
                    model,
                    actor.set_role(id, &Self::id(other), SetRole { role }).await,
                )
                .map(drop)
            }
            5 => {
                self.log.push(format!("{name} hands #{c} to {}", NAMES[other]));
                let model = self.model.transfer(user, c, other);
                let to = TransferOwnership {
                    user_id: Self::id(other),
                };
                self.agree(model, actor.transfer_ownership(id, to).await)
                    .map(drop)
            }
            6 => {
                self.log.push(format!("{name} deletes #{c}"));
                let model = self.model.dissolve(user, c);
                self.agree(model, actor.delete_conversation(id).await).map(drop)
            }
            7..=8 => {
                let wanted = Permits {
                    only_admins_send: rng.once_in(3),
                    everyone_adds: rng.once_in(2),
                    everyone_edits: rng.once_in(2),
                    everyone_pins: rng.once_in(2),
                };
                self.log.push(format!("{name} permits in #{c}: {wanted:?}"));
                let by = |everyone: bool| {
                    Some(if everyone {
                        Permission::Everyone
                    } else {
                        Permission::Admins
                    })
                };
                let permissions = PermissionsPatch {
                    send: by(!wanted.only_admins_send),
                    add_members: by(wanted.everyone_adds),
                    edit_info: by(wanted.everyone_edits),
                    pin_messages: by(wanted.everyone_pins),
                };
                let patch = ConversationPatch {
                    permissions: Some(permissions),
                    ..ConversationPatch::default()
                };
                let model = self.model.permit(user, c, wanted);
                self.agree(model, actor.update_conversation(id, patch).await)
                    .map(drop)
            }
            _ => {
                let on = rng.once_in(2);
                self.log.push(format!("{name} freezes #{c}: {on}"));
                let patch = ConversationPatch {
                    frozen: Some(on),
                    ..ConversationPatch::default()
                };
                let model = self.model.freeze(user, c, on);
                self.agree(model, actor.update_conversation(id, patch).await)
                    .map(drop)
            }
        }
    }

    /// After what time messages disappear.
    pub(super) async fn set_ttl(&mut self, rng: &mut Rng, user: User, c: usize) -> Verdict {
        let ttl = rng.pick(&[None, Some(MINUTE), Some(20 * MINUTE), Some(20 * MINUTE)]);
        self.log.push(format!(
            "{} has messages of #{c} disappear after {ttl:?}",
            NAMES[user]
        ));
        let patch = ConversationPatch {
            message_ttl_ms: Some(ttl),
            ..ConversationPatch::default()
        };
        let model = self.model.set_ttl(user, c, ttl.map(|ttl| ttl as i64));
        let id = self.model.chats[c].id;
        let engine = self.actors[user].update_conversation(id, patch).await;
        self.agree(model, engine).map(drop)
    }

    pub(in crate::model) async fn open_direct(&mut self, user: User, other: User) -> Verdict {
        self.log
            .push(format!("{} opens a direct with {}", NAMES[user], NAMES[other]));
        let model = self.model.direct(user, other);
        let engine = self.actors[user]
            .open_direct(OpenDirect {
                user_id: Self::id(other),
            })
            .await;
        let Some((found, engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        expect("created", &json!(found.is_none()), &json!(engine.created))?;
        let id = engine.conversation.id;
        let c = found.unwrap_or_else(|| self.model.new_chat(id, Some((user, other)), &[user, other]));
        expect("direct", &json!(self.model.chats[c].id), &json!(id))
    }

    pub(in crate::model) async fn create_group(&mut self, user: User, others: Vec<User>) -> Verdict {
        self.log
            .push(format!("{} makes a group with {others:?}", NAMES[user]));
        let model = self.model.plan_group(user, &others);
        let create = CreateGroup {
            name: format!("g{}", self.model.chats.len()),
            member_ids: ids(&others),
            description: None,
            avatar_attachment_id: None,
            permissions: None,
            custom: None,
            client_id: None,
        };
        let engine = self.actors[user].create_group(create).await;
        let Some(((mut kept, skipped), engine)) = self.agree(model, engine)? else {
            return Ok(());
        };
        expect("skipped", &json!(ids(&skipped)), &json!(engine.skipped))?;
        kept.insert(0, user);
        let c = self.model.new_chat(engine.conversation.id, None, &kept);
        if let Some(person) = self.model.chats[c].person_mut(user) {
            person.role = Role::Owner;
        }
        self.model.say(c, user, "conversation_created");
        Ok(())
    }
}
