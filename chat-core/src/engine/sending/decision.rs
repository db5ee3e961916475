//! What a send comes to, decided on the facts inside the commit.

use std::sync::Arc;

use super::mentioned::resolve_mentions;
use super::pace;
use super::replay::replay;
use super::{Origin, Sent};
use crate::access::{Action, Sight, Standing, Visibility, allowed, visible};
use crate::command::SendMessage;
use crate::config::ChatConfig;
use crate::engine::changeset::ChangeSet;
use crate::engine::occasion::Occasion;
use crate::engine::{Decision, content, directs, marks};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{
    Attachment, Content, Conversation, ConversationKind, DirectPair, Member, Message, ReadAudience,
    ReplyTarget, Role,
};
use crate::store::Facts;
use crate::time::Timestamp;

/// A send as its decision sees it.
pub(super) struct Request {
    pub(super) sender: UserId,
    /// Whether it is the host's: no rate stops it.
    pub(super) host: bool,
    /// The other user, when it goes to a direct.
    pub(super) other: Option<UserId>,
    pub(super) message: SendMessage,
    pub(super) content: Content,
    pub(super) occasion: Occasion,
    pub(super) hash: String,
    pub(super) message_id: MessageId,
    /// For a direct that has to be made.
    pub(super) conversation_id: ConversationId,
    /// Under the policy `read_on_send`: for whom the sender has read everything above.
    pub(super) reads: Option<ReadAudience>,
    /// For a forwarded message.
    pub(super) origin: Option<Origin>,
    pub(super) config: ChatConfig,
}

impl Request {
    /// In this order: the right to read, the replay, and only then what may refuse a repetition of something that
    /// has succeeded before.
    pub(super) fn decide(&self, facts: &Facts) -> ChatResult<Decision<Sent>> {
        let Some(conversation) = &facts.conversation else {
            return self.first_contact(facts);
        };
        if self.occasion == Occasion::Due
            && let Some(sent) = replay(facts, conversation, &self.hash)?
        {
            // It was sent before it could be marked, and its sender may have left since.
            return Ok(Decision::nothing(sent));
        }
        let standing = self.standing(facts, conversation);
        allowed(&standing, Action::Read)?;
        if let Some(sent) = replay(facts, conversation, &self.hash)? {
            return Ok(Decision::nothing(sent));
        }
        content::check_times(&self.content, self.occasion.time(facts.now), &self.config.limits)?;
        let (conversation, member) = allowed(&standing, Action::Send)?;
        if self.occasion == Occasion::Now {
            pace::check_pause(conversation, member, facts.now)?;
        }
        // What is only rehearsed takes no room, and nothing stops the host.
        let sends_until = if self.host || matches!(self.occasion, Occasion::Ahead(_)) {
            conversation.sends_until
        } else {
            pace::take_room(conversation, self.config.limits.sends_per_conversation, facts.now)?
        };
        let reply_to = self.reply_target(facts, conversation, member)?;
        let files = self.claim_files(facts)?;
        let (mentions, mentions_all, dropped) = self.mentions(facts, &standing, conversation);
        let mut change = ChangeSet::of(conversation, facts);
        change.conversation.sends_until = sends_until;
        let message = self.append(&mut change, files, reply_to, mentions, mentions_all);
        let mut member = member.clone();
        if conversation.slow_mode.is_some() && member.role < Role::Admin {
            member.last_sent_at = Some(change.at);
            change.put_member(member.clone());
        }
        if let Some(audience) = self.reads {
            marks::read_on_send(&mut change, &member, message.seq, audience);
        }
        Ok(self.sent(change, &message, dropped))
    }

    fn standing<'a>(&'a self, facts: &'a Facts, conversation: &'a Conversation) -> Standing<'a> {
        let other = self.other.as_ref();
        Standing {
            conversation: Some(conversation),
            member: facts.acting(&self.sender),
            has_blocked: other.is_some_and(|other| facts.is_blocked(&self.sender, other)),
            is_blocked: other.is_some_and(|other| facts.is_blocked(other, &self.sender)),
            restrictions: facts.restrictions,
            now: facts.now,
            policies: &self.config.policies,
        }
    }

    /// The first message of two makes their conversation in the same step.
    fn first_contact(&self, facts: &Facts) -> ChatResult<Decision<Sent>> {
        let pair = self
            .other
            .as_ref()
            .and_then(|other| DirectPair::new(&self.sender, other));
        let (Some(pair), None) = (pair, self.message.conversation_id) else {
            return Err(ChatError::new(
                ErrorCode::ConversationNotFound,
                "no such conversation",
            ));
        };
        content::check_times(&self.content, self.occasion.time(facts.now), &self.config.limits)?;
        let draft = directs::new_direct(self.conversation_id, &pair, &self.sender, facts.now);
        directs::allow_first_contact(&draft, &self.sender, facts, &self.config.policies)?;
        if self.message.reply_to.is_some() {
            return Err(
                ChatError::new(ErrorCode::MessageNotFound, "no such message here").with_field("reply_to")
            );
        }
        let files = self.claim_files(facts)?;
        let mut change = ChangeSet::of(&draft, facts);
        directs::create_direct(&mut change, &pair);
        let (kept, dropped) = self
            .message
            .mentions
            .iter()
            .filter(|user| **user != self.sender)
            .cloned()
            .partition(|user| Some(user) == self.other.as_ref());
        let message = self.append(&mut change, files, None, kept, false);
        let me = change
            .writes
            .members
            .iter()
            .find(|member| member.user_id == self.sender)
            .cloned();
        if let (Some(audience), Some(member)) = (self.reads, me) {
            marks::read_on_send(&mut change, &member, message.seq, audience);
        }
        Ok(self.sent(change, &message, dropped))
    }

    fn sent(
        &self,
        change: ChangeSet,
        message: &Arc<Message>,
        dropped_mentions: Vec<UserId>,
    ) -> Decision<Sent> {
        let sent = Sent {
            message: Message::clone(message),
            conversation: change.conversation.clone(),
            replayed: false,
            dropped_mentions,
        };
        change.done(sent)
    }

    fn reply_target(
        &self,
        facts: &Facts,
        conversation: &Conversation,
        member: &Member,
    ) -> ChatResult<Option<ReplyTarget>> {
        let Some(id) = self.message.reply_to else {
            return Ok(None);
        };
        let missing =
            || ChatError::new(ErrorCode::MessageNotFound, "no such message here").with_field("reply_to");
        let target = facts.messages.get(&id).ok_or_else(missing)?;
        let sight = Sight {
            member,
            now: facts.now,
            hidden: facts.hidden.contains(&id),
            sender_blocked: facts.is_blocked(&self.sender, &target.sender_id),
            group: conversation.kind == ConversationKind::Group,
            blocked_in_group: self.config.policies.blocked_in_group,
        };
        match visible(&sight, target) {
            Visibility::Visible => Ok(Some(ReplyTarget {
                message_id: id,
                seq: target.seq,
            })),
            Visibility::Tombstone => Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "the message was deleted",
            )
            .with_field("reply_to")),
            Visibility::Gone => Err(missing()),
        }
    }

    /// Members mentioned, whether everyone is, and who is left out.
    fn mentions(
        &self,
        facts: &Facts,
        standing: &Standing<'_>,
        conversation: &Conversation,
    ) -> (Vec<UserId>, bool, Vec<UserId>) {
        let everyone = allowed(standing, Action::MentionAll).is_ok()
            && usize::try_from(conversation.member_count).unwrap_or(usize::MAX)
                <= self.config.limits.mention_all_members;
        resolve_mentions(&self.message.mentions, &self.sender, everyone, &|user| {
            facts.members.get(user).is_some_and(Member::is_active)
                || conversation
                    .pair
                    .as_ref()
                    .is_some_and(|pair| pair.other(&self.sender) == Some(user))
        })
    }

    fn append(
        &self,
        change: &mut ChangeSet,
        files: Vec<Attachment>,
        reply_to: Option<ReplyTarget>,
        mentions: Vec<UserId>,
        mentions_all: bool,
    ) -> Arc<Message> {
        change.writes.attachments = files;
        change.append(Message {
            id: self.message_id,
            conversation_id: change.conversation.id,
            seq: 0,
            rev: 0,
            sender_id: self.sender.clone(),
            client_id: self.message.client_id.clone(),
            payload_hash: self.message.client_id.as_ref().map(|_| self.hash.clone()),
            kind: self.message.kind,
            text: self.message.text.clone().unwrap_or_default(),
            format: self.message.format,
            content: Content {
                forwarded: self.origin.as_ref().map(|origin| origin.forwarded.clone()),
                ..self.content.clone()
            },
            reply_to,
            mentions,
            mentions_all,
            silent: self.message.silent,
            countable: !self.message.silent,
            client_time: self.message.client_time,
            created_at: Timestamp::default(),
            edited_at: None,
            version: 1,
            deleted: None,
            expires_at: None,
            kept: None,
            pinned: None,
        })
    }
}
