//! Changing what a group shows and allows.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::audit::{Act, Auditor};
use super::changeset::ChangeSet;
use super::groups::patched;
use super::members::standing;
use super::{Actor, Decision, avatar, validate};
use crate::access::{Action, Standing, allowed};
use crate::command::{CommandName, ConversationPatch};
use crate::config::Policies;
use crate::error::{ChatError, ChatResult};
use crate::event::ChatEvent;
use crate::id::{AttachmentId, ConversationId, MessageId, UserId};
use crate::model::{AuditAction, AuditTarget, Conversation};
use crate::store::{Facts, MembersNeeded, Needs, Target};
use crate::view::ConversationView;

impl Actor {
    /// Changes a group's name, description, picture, permissions, slow mode, custom data, or freezes it; or, in a direct
    /// too, after what time messages disappear. What is the same already is no change; without any change nothing
    /// happens and nobody hears of it.
    ///
    /// # Errors
    /// - `invalid_argument` (`name`, `description`, `slow_mode_ms`, `custom`, `message_ttl_ms`), `payload_too_large`
    ///   (`custom`): the
    ///   payload itself.
    /// - `conversation_not_found`, `conversation_gone`; `invalid_operation` for a direct.
    /// - `forbidden`: not with the caller's role; `you_blocked`, `not_permitted`: the timer of a direct of two of whom
    ///   one blocks the other.
    /// - `attachment_not_found`, `conflict`, `invalid_argument` (`avatar_attachment_id`): not the caller's own unused
    ///   picture.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn update_conversation(
        &self,
        id: ConversationId,
        patch: ConversationPatch,
    ) -> ChatResult<ConversationView> {
        let about = self.about(CommandName::UpdateConversation).conversation(id);
        self.command(about, self.update_conversation_past_hooks(id, patch))
            .await
    }

    async fn update_conversation_past_hooks(
        &self,
        id: ConversationId,
        patch: ConversationPatch,
    ) -> ChatResult<ConversationView> {
        let mut update = Update::new(self, patch)?;
        let mut needs = Needs::new(Target::Conversation(id));
        if update.patch.message_ttl_ms.is_some() {
            let pair = self.direct_pair(id).await?;
            update.peer = pair.and_then(|pair| pair.other(self.user_id()).cloned());
            needs.blocks = update
                .peer
                .clone()
                .map(|peer| (self.user_id().clone(), vec![peer]));
        }
        needs.members = MembersNeeded::Of(vec![self.user_id().clone()]);
        needs.attachments = update.patch.avatar_attachment_id.flatten().into_iter().collect();
        let replaced = self.commit(needs, move |facts| update.decide(facts)).await?;
        if let Some(picture) = replaced {
            self.retire_avatar(picture).await;
        }
        self.render_conversation(id).await
    }
}

/// A change of a group about to be made.
struct Update {
    actor: UserId,
    auditor: Auditor,
    /// The other user, where the timer of a direct is to change.
    peer: Option<UserId>,
    patch: ConversationPatch,
    lines: [MessageId; 6],
    media_url: String,
    policies: Policies,
}

/// What an update comes to, step by step.
struct Steps {
    change: ChangeSet,
    /// New values by their names on the wire.
    changed: Map<String, Value>,
    /// System lines: code and parameters.
    lines: Vec<(&'static str, Map<String, Value>)>,
}

impl Steps {
    /// Takes note of a new value; `null` says that it was cleared.
    fn note(&mut self, name: &str, value: impl Serialize) -> Value {
        let value = json!(value);
        self.changed.insert(name.to_owned(), value.clone());
        value
    }

    fn line(&mut self, code: &'static str, name: &str, value: Value) {
        let mut params = Map::new();
        params.insert(name.to_owned(), value);
        self.lines.push((code, params));
    }
}

impl Update {
    fn new(actor: &Actor, mut patch: ConversationPatch) -> ChatResult<Self> {
        let limits = &actor.engine().config().limits;
        if let Some(name) = &patch.name {
            validate::name(name, limits)?;
        }
        if let Some(description) = patch.description.take() {
            patch.description = Some(validate::description(description, limits)?);
        }
        if let Some(Some(custom)) = &patch.custom {
            validate::custom(custom, limits)?;
        }
        if let Some(Some(ttl)) = patch.message_ttl_ms {
            validate::message_ttl(ttl, limits)?;
        }
        if let Some(pause) = patch.slow_mode_ms {
            let pause = pause.filter(|pause| *pause > 0);
            if pause.is_some_and(|pause| Duration::from_millis(pause) > limits.slow_mode_max) {
                let most = limits.slow_mode_max.as_millis();
                return Err(ChatError::invalid("slow_mode_ms", format!("at most {most}")));
            }
            patch.slow_mode_ms = Some(pause);
        }
        let ids = &actor.inner().ids;
        Ok(Self {
            actor: actor.user_id().clone(),
            auditor: actor.auditor(),
            peer: None,
            patch,
            lines: [(); 6].map(|()| MessageId::from_uuid(ids.next())),
            media_url: actor.inner().media_url.clone(),
            policies: actor.engine().config().policies.clone(),
        })
    }

    /// Answers with the picture that was replaced.
    fn decide(&self, facts: &Facts) -> ChatResult<Decision<Option<AttachmentId>>> {
        let peer = self.peer.as_ref();
        let standing = Standing {
            has_blocked: peer.is_some_and(|peer| facts.is_blocked(&self.actor, peer)),
            is_blocked: peer.is_some_and(|peer| facts.is_blocked(peer, &self.actor)),
            ..standing(facts, &self.actor, &self.policies)
        };
        let (conversation, _) = allowed(&standing, Action::Read)?;
        let patch = &self.patch;
        if patch.name.is_some() || patch.description.is_some() || patch.avatar_attachment_id.is_some() {
            allowed(&standing, Action::EditInfo)?;
        }
        let configures = [
            patch.permissions.is_some(),
            patch.frozen.is_some(),
            patch.slow_mode_ms.is_some(),
            patch.custom.is_some(),
        ];
        if configures.contains(&true) {
            allowed(&standing, Action::Configure)?;
        }
        if patch.message_ttl_ms.is_some() {
            allowed(&standing, Action::SetTimer)?;
        }
        let mut steps = Steps {
            change: ChangeSet::of(conversation, facts),
            changed: Map::new(),
            lines: Vec::new(),
        };
        self.texts(&mut steps);
        let replaced = self.picture(&mut steps, conversation, facts)?;
        self.settings(&mut steps);
        if steps.changed.is_empty() {
            return Ok(Decision::nothing(None));
        }
        let Steps {
            mut change,
            changed,
            lines,
        } = steps;
        for act in self.acts(conversation, &change.conversation) {
            change.audit(&self.auditor, act);
        }
        let rev = change.next_rev();
        change.event(ChatEvent::ConversationUpdated {
            conversation_id: conversation.id,
            rev,
            changed,
        });
        for (id, (code, params)) in self.lines.iter().zip(lines) {
            change.append_system(*id, &self.actor, code, params, &self.policies);
        }
        Ok(change.done(replaced))
    }

    /// What the audit log says of it: who may write and do what, not what the group is called.
    fn acts(&self, before: &Conversation, after: &Conversation) -> Vec<Act> {
        let of = |action| Act::new(action, AuditTarget::Conversation, after.id);
        let mut acts = Vec::new();
        if before.permissions != after.permissions {
            acts.push(of(AuditAction::PermissionsChanged).with("permissions", json!(after.permissions)));
        }
        match (before.frozen, after.frozen) {
            (false, true) => acts.push(of(AuditAction::ConversationFrozen)),
            (true, false) => acts.push(of(AuditAction::ConversationUnfrozen)),
            _ => {}
        }
        if before.slow_mode != after.slow_mode {
            let wanted = self.patch.slow_mode_ms.flatten();
            acts.push(of(AuditAction::SlowModeChanged).with("slow_mode_ms", json!(wanted)));
        }
        acts
    }

    fn texts(&self, steps: &mut Steps) {
        let current = &steps.change.conversation;
        if let Some(name) = (self.patch.name.as_ref()).filter(|name| current.name.as_ref() != Some(*name)) {
            steps.change.conversation.name = Some(name.clone());
            let value = steps.note("name", name);
            steps.line("renamed", "name", value);
        }
        let current = &steps.change.conversation;
        if let Some(text) = (self.patch.description.as_ref()).filter(|text| current.description != **text) {
            steps.change.conversation.description.clone_from(text);
            let value = steps.note("description", text);
            steps.line("description_changed", "description", value);
        }
    }

    fn picture(
        &self,
        steps: &mut Steps,
        conversation: &Conversation,
        facts: &Facts,
    ) -> ChatResult<Option<AttachmentId>> {
        let Some(wanted) = self.patch.avatar_attachment_id else {
            return Ok(None);
        };
        if conversation.avatar == wanted {
            return Ok(None);
        }
        if let Some(id) = wanted {
            let file = avatar::claim(facts.attachments.get(&id), &self.actor)?;
            steps.change.writes.attachments.push(file);
        }
        steps.change.conversation.avatar = wanted;
        let url = wanted.map(|id| format!("{}/{id}/content", self.media_url));
        let value = steps.note("avatar_url", url);
        steps.line("avatar_changed", "avatar_url", value);
        Ok(conversation.avatar)
    }

    fn settings(&self, steps: &mut Steps) {
        let current = steps.change.conversation.permissions;
        let permissions = patched(current, self.patch.permissions.unwrap_or_default());
        if permissions != current {
            steps.change.conversation.permissions = permissions;
            let value = steps.note("permissions", permissions);
            steps.line("permissions_changed", "permissions", value);
        }
        if let Some(frozen) = (self.patch.frozen).filter(|wanted| *wanted != steps.change.conversation.frozen)
        {
            steps.change.conversation.frozen = frozen;
            steps.note("frozen", frozen);
            let code = if frozen { "frozen" } else { "unfrozen" };
            steps.lines.push((code, Map::new()));
        }
        if let Some(ttl) =
            (self.patch.message_ttl_ms).filter(|wanted| *wanted != steps.change.conversation.message_ttl_ms)
        {
            steps.change.conversation.message_ttl_ms = ttl;
            let value = steps.note("message_ttl_ms", ttl);
            steps.line("timer_changed", "message_ttl_ms", value);
        }
        if let Some(wanted) = self.patch.slow_mode_ms {
            let pause = wanted.map(Duration::from_millis);
            if pause != steps.change.conversation.slow_mode {
                steps.change.conversation.slow_mode = pause;
                steps.note("slow_mode_ms", wanted);
            }
        }
        if let Some(custom) = &self.patch.custom {
            let data = custom.clone().unwrap_or_default();
            if data != steps.change.conversation.custom {
                steps.change.conversation.custom = data;
                steps.note("custom", custom);
            }
        }
    }
}
