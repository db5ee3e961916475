//! Making groups.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::changeset::ChangeSet;
use super::content::hash_json;
use super::members::{first_membership, standing};
use super::{Actor, Decision, avatar, validate};
use crate::access::{Action, allowed};
use crate::command::{CommandName, CreateGroup, PermissionsPatch};
use crate::config::ChatConfig;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{AttachmentId, ClientId, ConversationId, MessageId, UserId};
use crate::model::{Conversation, ConversationKind, Horizon, JsonObject, LastCountable, Permissions, Role};
use crate::store::{Facts, MembersNeeded, Needs, Target};
use crate::view::CreateGroupAnswer;

impl Actor {
    /// Makes a group with the caller as its owner. One that the host makes has no owner but the host.
    ///
    /// Duplicates and the caller himself are dropped from the list of members. Users who are in a block relation with
    /// the caller are not added but answered as `skipped`.
    ///
    /// With a client id it is safe to repeat: the same key and payload finds the group made before (`created` is
    /// false then), the same key with another payload is refused.
    ///
    /// # Errors
    /// - `invalid_argument` (`name`, `description`, `custom`), `payload_too_large` (`custom`): the payload itself.
    /// - `group_too_small`: fewer members than the policy asks for, also after skipping; `member_limit_exceeded`.
    /// - `user_not_found` (`member_ids`): one of them is unknown.
    /// - `attachment_not_found`, `conflict`, `invalid_argument` (`avatar_attachment_id`): not the caller's own unused
    ///   picture.
    /// - `idempotency_conflict`; `conversation_not_found` or `conversation_gone` when the group made under the key is
    ///   not his any more.
    /// - `rate_limited`, `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn create_group(&self, create: CreateGroup) -> ChatResult<CreateGroupAnswer> {
        let about = self.about(CommandName::CreateGroup).users(&create.member_ids);
        self.command(about, self.create_group_past_hooks(create)).await
    }

    async fn create_group_past_hooks(&self, create: CreateGroup) -> ChatResult<CreateGroupAnswer> {
        let mut group = NewGroup::new(self, create)?;
        let made_before = match &group.hash {
            Some(_) => !(self.inner().store)
                .conversations(&[group.conversation_id])
                .await?
                .is_empty(),
            None => false,
        };
        if !made_before {
            // A replay must not fail for what has changed since, so only a new group asks for these.
            group.check_size()?;
            self.take_create_allowance().await?;
            let known: HashSet<UserId> = self
                .find_users(&group.others)
                .await?
                .into_iter()
                .map(|user| user.id)
                .collect();
            if !group.others.iter().all(|user| known.contains(user)) {
                return Err(ChatError::new(ErrorCode::UserNotFound, "one of them is unknown")
                    .with_field("member_ids"));
            }
        }
        let needs = group.needs();
        group.line_id = group
            .line_id
            .or_else(|| Some(MessageId::from_uuid(self.inner().ids.next())));
        let id = group.conversation_id;
        let (created, skipped) = self.commit(needs, move |facts| group.decide(facts)).await?;
        Ok(CreateGroupAnswer {
            conversation: self.render_conversation(id).await?,
            created,
            skipped,
        })
    }
}

/// A group about to be made.
struct NewGroup {
    creator: UserId,
    /// Whether the creator is in it: the host is not.
    joins: bool,
    others: Vec<UserId>,
    name: String,
    description: Option<String>,
    avatar: Option<AttachmentId>,
    permissions: Permissions,
    custom: JsonObject,
    conversation_id: ConversationId,
    /// The message that tells of the beginning. With a key its id follows from the key, so that a repetition finds
    /// the hash of the first payload on it.
    line_id: Option<MessageId>,
    /// The payload's hash, with a key.
    hash: Option<String>,
    config: ChatConfig,
}

impl NewGroup {
    fn new(actor: &Actor, create: CreateGroup) -> ChatResult<Self> {
        let config = actor.engine().config().clone();
        let limits = &config.limits;
        validate::name(&create.name, limits)?;
        let description = validate::description(create.description, limits)?;
        let custom = create.custom.unwrap_or_default();
        validate::custom(&custom, limits)?;
        let creator = actor.user_id().clone();
        let mut seen = HashSet::from([creator.clone()]);
        let others: Vec<UserId> = create
            .member_ids
            .into_iter()
            .filter(|user| seen.insert(user.clone()))
            .collect();
        let mut group = Self {
            creator,
            joins: !actor.is_host(),
            others,
            name: create.name,
            description,
            avatar: create.avatar_attachment_id,
            permissions: patched(Permissions::default(), create.permissions.unwrap_or_default()),
            custom,
            conversation_id: ConversationId::from_uuid(actor.inner().ids.next()),
            line_id: None,
            hash: None,
            config,
        };
        if let Some(key) = &create.client_id {
            group.conversation_id = ConversationId::from_uuid(derived("group", &group.creator, key));
            group.line_id = Some(MessageId::from_uuid(derived("line", &group.creator, key)));
            group.hash = Some(group.payload_hash());
        }
        Ok(group)
    }

    /// What makes two creations the same: all defaults filled in, members as a set.
    fn payload_hash(&self) -> String {
        let mut members: Vec<&UserId> = self.others.iter().collect();
        members.sort();
        hash_json(&json!({
            "name": self.name,
            "member_ids": members,
            "description": self.description,
            "avatar_attachment_id": self.avatar,
            "permissions": self.permissions,
            "custom": self.custom,
        }))
    }

    fn check_size(&self) -> ChatResult<()> {
        self.check_least(self.others.len())?;
        if self.with_creator(self.others.len()) > self.config.limits.members {
            return Err(ChatError::new(
                ErrorCode::MemberLimitExceeded,
                format!("at most {} members", self.config.limits.members),
            )
            .with_field("member_ids"));
        }
        Ok(())
    }

    fn with_creator(&self, others: usize) -> usize {
        others + usize::from(self.joins)
    }

    fn check_least(&self, others: usize) -> ChatResult<()> {
        let least = self.config.policies.group_min_members;
        if self.with_creator(others) < least {
            return Err(ChatError::new(
                ErrorCode::GroupTooSmall,
                format!("at least {least} members, with yourself"),
            )
            .with_field("member_ids"));
        }
        Ok(())
    }

    fn needs(&self) -> Needs {
        let mut needs = Needs::new(Target::Conversation(self.conversation_id));
        if self.hash.is_some() {
            let everybody = self.others.iter().chain([&self.creator]).cloned().collect();
            needs.members = MembersNeeded::Of(everybody);
            needs.messages = self.line_id.into_iter().collect();
        }
        needs.blocks = Some((self.creator.clone(), self.others.clone()));
        needs.attachments = self.avatar.into_iter().collect();
        needs
    }

    fn decide(&self, facts: &Facts) -> ChatResult<Decision<(bool, Vec<UserId>)>> {
        if facts.conversation.is_some() {
            return self.replay(facts);
        }
        let (kept, skipped): (Vec<UserId>, Vec<UserId>) = self.others.iter().cloned().partition(|user| {
            !facts.is_blocked(&self.creator, user) && !facts.is_blocked(user, &self.creator)
        });
        self.check_least(kept.len())?;
        let avatar = match self.avatar {
            Some(id) => Some(avatar::claim(facts.attachments.get(&id), &self.creator)?),
            None => None,
        };
        let mut change = ChangeSet::of(&self.draft(facts), facts);
        change.writes.attachments.extend(avatar);
        let rev = change.next_rev();
        change.conversation.members_rev = rev;
        change.conversation.member_count = u32::try_from(self.with_creator(kept.len())).unwrap_or(u32::MAX);
        let creator = self.joins.then(|| self.creator.clone());
        let users: Vec<UserId> = creator.into_iter().chain(kept).collect();
        for user in &users {
            let mut member = first_membership(&change.conversation, user, change.at, 1);
            if *user == self.creator {
                member.role = Role::Owner;
            }
            change.put_member(member);
        }
        change.event(ChatEvent::ConversationCreated {
            conversation_id: self.conversation_id,
            rev,
            users,
        });
        let mut params = Map::new();
        params.insert("name".to_owned(), Value::String(self.name.clone()));
        let line = self.line_id.ok_or(ErrorCode::Internal)?;
        change.append_system(
            line,
            &self.creator,
            "conversation_created",
            params,
            &self.config.policies,
        );
        if let Some(line) = change.writes.messages.last_mut() {
            line.payload_hash.clone_from(&self.hash);
        }
        Ok(change.done((true, skipped)))
    }

    /// The group made before under the same key.
    fn replay(&self, facts: &Facts) -> ChatResult<Decision<(bool, Vec<UserId>)>> {
        // The right to see it comes first: who was removed learns nothing by repeating himself.
        allowed(
            &standing(facts, &self.creator, &self.config.policies),
            Action::Read,
        )?;
        let first = self
            .line_id
            .and_then(|line| facts.messages.get(&line))
            .and_then(|line| line.payload_hash.as_ref());
        if first.is_none() || first != self.hash.as_ref() {
            return Err(ChatError::new(
                ErrorCode::IdempotencyConflict,
                "this client_id made another group",
            )
            .with_field("client_id"));
        }
        let skipped = self
            .others
            .iter()
            .filter(|user| !facts.members.contains_key(*user))
            .cloned()
            .collect();
        Ok(Decision::nothing((false, skipped)))
    }

    /// The group before its first commit: rev 0, nobody in it.
    fn draft(&self, facts: &Facts) -> Conversation {
        Conversation {
            id: self.conversation_id,
            kind: ConversationKind::Group,
            pair: None,
            name: Some(self.name.clone()),
            description: self.description.clone(),
            avatar: self.avatar,
            created_by: self.creator.clone(),
            created_at: facts.now,
            last_activity_at: facts.now,
            changed_at: facts.now,
            rev: 0,
            last_seq: 0,
            last_countable: LastCountable::default(),
            members_rev: 0,
            member_count: 0,
            permissions: self.permissions,
            frozen: false,
            message_ttl_ms: None,
            slow_mode: None,
            sends_until: facts.now,
            custom: self.custom.clone(),
            dissolved_at: None,
            horizon: Horizon::default(),
        }
    }
}

/// Permissions with the patched ones replaced.
pub(super) fn patched(permissions: Permissions, patch: PermissionsPatch) -> Permissions {
    Permissions {
        send: patch.send.unwrap_or(permissions.send),
        add_members: patch.add_members.unwrap_or(permissions.add_members),
        edit_info: patch.edit_info.unwrap_or(permissions.edit_info),
        pin_messages: patch.pin_messages.unwrap_or(permissions.pin_messages),
    }
}

/// An id that follows from a user's key, so that the same key names the same thing on every node without a table of
/// keys. It has the form of every other id; nothing reads a time out of it, and knowing it opens nothing.
pub(super) fn derived(purpose: &str, user: &UserId, key: &ClientId) -> Uuid {
    let mut hasher = Sha256::new();
    for part in [purpose, user.as_str(), key.as_str()] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hasher.finalize()) {
        *byte = hashed;
    }
    uuid::Builder::from_bytes(bytes)
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::SortRand)
        .into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_tell_users_and_keys_apart_and_look_like_the_others() {
        let user = |id: &str| UserId::new(id).unwrap();
        let key = |id: &str| ClientId::new(id).unwrap();
        let id = derived("group", &user("ab"), &key("c"));
        assert_eq!(id, derived("group", &user("ab"), &key("c")));
        assert_ne!(id, derived("group", &user("a"), &key("bc")));
        assert_ne!(id, derived("line", &user("ab"), &key("c")));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
    }
}
