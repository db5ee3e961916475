//! Sending: idempotent by client id, decided inside the commit.

use std::sync::Arc;
use std::time::Duration;

use super::content::{self, MENTION_ALL};
use super::{directs, marks};
use crate::access::{Action, Sight, Standing, Visibility, allowed, visible};
use crate::command::{CommandName, SendMessage};
use crate::config::{BlockedInGroup, ChatConfig};
use crate::engine::changeset::ChangeSet;
use crate::engine::files::still_shown;
use crate::engine::occasion::Occasion;
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{AttachmentId, ConversationId, MessageId, UserId};
use crate::model::{
    Attachment, AttachmentKind, AttachmentState, Content, Conversation, ConversationKind, DirectPair,
    Forwarded, Member, Message, MessageKind, ReadAudience, ReplyTarget, Role,
};
use crate::store::{Facts, MembersNeeded, Needs, Target};
use crate::time::Timestamp;
use crate::view::SentMessage;

/// Where the content of a new message was taken from.
pub(super) struct Origin {
    /// What is told of it.
    pub(super) forwarded: Forwarded,
    /// Files it shows already, and the new message too.
    pub(super) files: Vec<AttachmentId>,
}

/// What a send comes to.
pub(super) struct Sent {
    message: Message,
    conversation: Conversation,
    replayed: bool,
    dropped_mentions: Vec<UserId>,
}

impl Actor {
    /// Sends a message, to a conversation or to a user.
    ///
    /// With a client id it is safe to repeat: the same key and payload answers with the original (`replayed`), the
    /// same key with another payload is refused. A refused send stores nothing, so it may succeed later.
    ///
    /// # Errors
    /// - `invalid_argument`, `empty_message`, `message_too_long`, `too_many_attachments`, `payload_too_large`: the
    ///   payload itself.
    /// - `cannot_message_self`, `user_not_found` (by recipient); `conversation_not_found`, `conversation_gone`.
    /// - `idempotency_conflict`.
    /// - `forbidden`, `you_blocked`, `not_permitted`: not here, not now, not by him.
    /// - `slow_mode`: sooner after his last message here than the group allows.
    /// - `attachment_not_found`, `conflict` (`attachment_ids`); `message_not_found`, `invalid_operation` (`reply_to`).
    /// - `rejected_by_policy`: the host's hook.
    /// - `rate_limited`: too many messages come to this conversation at once; or it is the first message to a user,
    ///   which makes a conversation, and those have a rate of their own.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn send(&self, message: SendMessage) -> ChatResult<SentMessage> {
        let about = self
            .about(CommandName::SendMessage)
            .conversation(message.conversation_id)
            .users(&message.recipient_id);
        let hash = content::payload_hash(&message);
        self.command(about, self.send_new(message, hash, None)).await
    }

    /// Sends a message of one's own, or a copy of another one; `hash` tells whether a repetition means the same.
    pub(super) async fn send_new(
        &self,
        message: SendMessage,
        hash: String,
        origin: Option<Origin>,
    ) -> ChatResult<SentMessage> {
        let by_recipient = message.recipient_id.is_some();
        let sent = self.send_on(Occasion::Now, message, hash, origin).await?;
        if !sent.replayed {
            self.typing_stopped_by_send(sent.conversation.id).await;
        }
        self.answer_sent(sent, by_recipient).await
    }

    /// Sends a scheduled message whose time has come; what is judged is judged as for any send. Answers where it is.
    ///
    /// # Errors
    /// Those of [`send`](Actor::send).
    pub(super) async fn send_due(&self, message: SendMessage) -> ChatResult<(ConversationId, MessageId)> {
        let about = self
            .about(CommandName::SendMessage)
            .conversation(message.conversation_id)
            .users(&message.recipient_id);
        let hash = content::payload_hash(&message);
        let sent = self
            .command(about, self.send_on(Occasion::Due, message, hash, None))
            .await?;
        Ok((sent.conversation.id, sent.message.id))
    }

    /// Judges a message as if it were sent now, and writes nothing. Answers the conversation, where there is one yet.
    ///
    /// # Errors
    /// Those of [`send`](Actor::send), without the host's hooks.
    pub(super) async fn rehearse(
        &self,
        message: SendMessage,
        send_at: Timestamp,
    ) -> ChatResult<Option<ConversationId>> {
        // Keys of scheduled messages are their own; one that was used for a send is no replay here.
        let message = SendMessage {
            client_id: None,
            ..message
        };
        let content = self.checked_content(&message)?;
        let address = self.send_target(&message).await?;
        let (needs, request) = self
            .request(Occasion::Ahead(send_at), message, content, address)
            .await?;
        self.commit(needs, move |facts| {
            request.decide(facts)?;
            let id = facts.conversation.as_ref().map(|conversation| conversation.id);
            Ok(Decision::nothing(id))
        })
        .await
    }

    async fn send_on(
        &self,
        occasion: Occasion,
        mut message: SendMessage,
        hash: String,
        origin: Option<Origin>,
    ) -> ChatResult<Sent> {
        let limits = &self.engine().config().limits;
        let mut structured = self.checked_content(&message)?;
        let (target, other) = self.send_target(&message).await?;
        if !self.inner().hooks.is_empty() {
            let found = match occasion {
                Occasion::Due => self.find_sent(&message, &target, &hash).await?,
                Occasion::Now | Occasion::Ahead(_) => self.find_replay(&message, &target, &hash).await?,
            };
            if let Some(sent) = found {
                return Ok(sent);
            }
            content::check_times(&structured, self.engine().now(), limits)?;
            self.ask_before_send(&mut message).await?;
            structured = self.checked_content(&message)?;
        }
        self.allow_new_direct(&target).await?;
        let (needs, request) = self
            .request(occasion, message, structured, (target, other))
            .await?;
        let request = Request {
            hash,
            origin,
            ..request
        };
        self.commit(needs, move |facts| request.decide(facts)).await
    }

    /// A send ready to be decided, and what the decision has to see.
    async fn request(
        &self,
        occasion: Occasion,
        message: SendMessage,
        content: Content,
        (target, other): (Target, Option<UserId>),
    ) -> ChatResult<(Needs, Request)> {
        let quoted = self.quoted_sender(&message, other.as_ref()).await?;
        let mut needs = self.send_needs(&message, target, other.as_ref().or(quoted.as_ref()));
        // Who scheduled a message does not sit before the conversation when it is sent.
        let present = occasion == Occasion::Now && !self.is_host();
        let reads = if self.engine().config().policies.read_on_send && present {
            needs.user_revs = vec![self.user_id().clone()];
            Some(self.read_audience().await?)
        } else {
            None
        };
        let request = Request {
            sender: self.user_id().clone(),
            host: self.is_host(),
            other,
            hash: content::payload_hash(&message),
            message,
            content,
            occasion,
            message_id: MessageId::from_uuid(self.inner().ids.next()),
            conversation_id: ConversationId::from_uuid(self.inner().ids.next()),
            reads,
            origin: None,
            config: self.engine().config().clone(),
        };
        Ok((needs, request))
    }

    /// Where a message goes, and the other user when it is a direct.
    pub(super) async fn send_target(&self, message: &SendMessage) -> ChatResult<(Target, Option<UserId>)> {
        match (message.conversation_id, &message.recipient_id) {
            (Some(id), None) => {
                let pair = self.direct_pair(id).await?;
                let other = pair.and_then(|pair| pair.other(self.user_id()).cloned());
                Ok((Target::Conversation(id), other))
            }
            (None, Some(recipient)) => {
                let pair = self.direct_with(recipient, "recipient_id").await?;
                Ok((Target::Direct(pair), Some(recipient.clone())))
            }
            (Some(_), Some(_)) => Err(ChatError::invalid(
                "recipient_id",
                "either this or conversation_id",
            )),
            (None, None) => Err(ChatError::invalid("conversation_id", "required, or recipient_id")),
        }
    }

    /// The pair of a direct conversation; a pair never changes, so the answer is kept.
    pub(crate) async fn direct_pair(&self, id: ConversationId) -> ChatResult<Option<DirectPair>> {
        if let Some(pair) = self.inner().pairs.get(id) {
            return Ok(pair);
        }
        let found = self.inner().store.conversations(&[id]).await?.pop();
        let Some(conversation) = found else {
            return Err(ChatError::new(
                ErrorCode::ConversationNotFound,
                "no such conversation",
            ));
        };
        self.inner().pairs.put(id, conversation.pair.clone());
        Ok(conversation.pair)
    }

    /// The first message of two makes their conversation, which costs what opening it costs.
    async fn allow_new_direct(&self, target: &Target) -> ChatResult<()> {
        if let Target::Direct(pair) = target
            && self.inner().store.direct(pair).await?.is_none()
        {
            self.take_create_allowance().await?;
        }
        Ok(())
    }

    /// Who wrote what is replied to in a group: the answer may not exist for who has blocked him.
    async fn quoted_sender(
        &self,
        message: &SendMessage,
        other: Option<&UserId>,
    ) -> ChatResult<Option<UserId>> {
        let hides = self.engine().config().policies.blocked_in_group == BlockedInGroup::Hide;
        let (Some(target), None, true) = (message.reply_to, other, hides) else {
            return Ok(None);
        };
        let quoted = self.inner().store.messages(&[target]).await?.pop();
        Ok(quoted
            .map(|quoted| quoted.sender_id)
            .filter(|sender| sender != self.user_id()))
    }

    /// `blocks_with`: the other of a direct, or in a group who may not exist for the sender.
    fn send_needs(&self, message: &SendMessage, target: Target, blocks_with: Option<&UserId>) -> Needs {
        let me = self.user_id().clone();
        let mut needs = Needs::new(target);
        let mut members = vec![me.clone()];
        members.extend(message.mentions.iter().filter(|user| **user != me).cloned());
        needs.members = MembersNeeded::Of(members);
        needs.replay = message.client_id.clone().map(|key| (me.clone(), key));
        needs.restrictions_of = Some(me.clone());
        needs.blocks = blocks_with.map(|other| (me.clone(), vec![other.clone()]));
        needs.attachments = message.attachment_ids.clone();
        if let Some(target) = message.reply_to {
            needs.messages = vec![target];
            needs.hidden_by = Some(me);
        }
        needs
    }

    /// A replay must not reach the hooks, so with hooks it is looked for first.
    pub(super) async fn find_replay(
        &self,
        message: &SendMessage,
        target: &Target,
        hash: &str,
    ) -> ChatResult<Option<Sent>> {
        let Some(key) = message.client_id.clone() else {
            return Ok(None);
        };
        let me = self.user_id().clone();
        let mut needs = Needs::new(target.clone());
        needs.members = MembersNeeded::Of(vec![me.clone()]);
        needs.replay = Some((me.clone(), key));
        let (hash, policies) = (hash.to_owned(), self.engine().config().policies.clone());
        self.commit(needs, move |facts| {
            if facts.conversation.is_none() {
                return Ok(Decision::nothing(None));
            }
            let standing = Standing {
                conversation: facts.conversation.as_ref(),
                member: facts.acting(&me),
                has_blocked: false,
                is_blocked: false,
                restrictions: facts.restrictions,
                now: facts.now,
                policies: &policies,
            };
            let (conversation, _) = allowed(&standing, Action::Read)?;
            Ok(Decision::nothing(replay(facts, conversation, &hash)?))
        })
        .await
    }

    /// The send of a scheduled message that was made before it could be marked; its sender may have left since.
    async fn find_sent(
        &self,
        message: &SendMessage,
        target: &Target,
        hash: &str,
    ) -> ChatResult<Option<Sent>> {
        let mut needs = Needs::new(target.clone());
        needs.replay = message.client_id.clone().map(|key| (self.user_id().clone(), key));
        let hash = hash.to_owned();
        self.commit(needs, move |facts| {
            let sent = match &facts.conversation {
                Some(conversation) => replay(facts, conversation, &hash)?,
                None => None,
            };
            Ok(Decision::nothing(sent))
        })
        .await
    }

    pub(super) async fn answer_sent(&self, sent: Sent, by_recipient: bool) -> ChatResult<SentMessage> {
        let id = sent.conversation.id;
        let message = if sent.replayed {
            let sight = self.look_into(id).await?;
            self.render_message(&sight, sent.message).await?
        } else {
            self.render_new_message(&sent.conversation, sent.message).await?
        };
        let conversation = if by_recipient {
            Some(self.render_conversation(id).await?)
        } else {
            None
        };
        Ok(SentMessage {
            message,
            replayed: sent.replayed,
            dropped_mentions: sent.dropped_mentions,
            conversation,
        })
    }
}

/// A send as its decision sees it.
struct Request {
    sender: UserId,
    /// Whether it is the host's: no rate stops it.
    host: bool,
    /// The other user, when it goes to a direct.
    other: Option<UserId>,
    message: SendMessage,
    content: Content,
    occasion: Occasion,
    hash: String,
    message_id: MessageId,
    /// For a direct that has to be made.
    conversation_id: ConversationId,
    /// Under the policy `read_on_send`: for whom the sender has read everything above.
    reads: Option<ReadAudience>,
    /// For a forwarded message.
    origin: Option<Origin>,
    config: ChatConfig,
}

/// Slow mode: a pause after the member's last message.
fn check_pause(conversation: &Conversation, member: &Member, now: Timestamp) -> ChatResult<()> {
    match conversation.next_send_at(member) {
        // The clock may have been set back; nobody waits longer than one pause.
        Some(next) if next > now => Err(ChatError::new(ErrorCode::SlowMode, "this group is in slow mode")
            .with_retry_after(next.since(now).min(conversation.slow_mode.unwrap_or_default()))),
        _ => Ok(()),
    }
}

/// The earlier send under the same key, or the conflict with it.
fn replay(facts: &Facts, conversation: &Conversation, hash: &str) -> ChatResult<Option<Sent>> {
    let Some(original) = &facts.replay else {
        return Ok(None);
    };
    if original.payload_hash.as_deref() != Some(hash) {
        return Err(ChatError::new(
            ErrorCode::IdempotencyConflict,
            "this client_id was used for another message",
        )
        .with_field("client_id"));
    }
    Ok(Some(Sent {
        message: original.clone(),
        conversation: conversation.clone(),
        replayed: true,
        dropped_mentions: Vec::new(),
    }))
}

impl Request {
    /// In this order: the right to read, the replay, and only then what may refuse a repetition of something that
    /// has succeeded before.
    fn decide(&self, facts: &Facts) -> ChatResult<Decision<Sent>> {
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
            check_pause(conversation, member, facts.now)?;
        }
        let sends_until = self.take_room(conversation, facts.now)?;
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

    /// The room of all senders together (GCRA): until when it is spoken for after this message.
    fn take_room(&self, conversation: &Conversation, now: Timestamp) -> ChatResult<Timestamp> {
        // What is only rehearsed takes no room.
        if self.host || matches!(self.occasion, Occasion::Ahead(_)) {
            return Ok(conversation.sends_until);
        }
        let rate = self.config.limits.sends_per_conversation;
        let each = Duration::from_millis(60_000_u64.div_ceil(u64::from(rate.per_minute.max(1))));
        let ahead = each.saturating_mul(rate.burst.max(1) - 1);
        // Never further ahead than the burst, whatever the clock did.
        let until = conversation.sends_until.clamp(now, now.after(ahead).after(each));
        let wait = until.since(now.after(ahead));
        if wait.is_zero() {
            return Ok(until.after(each));
        }
        Err(
            ChatError::new(ErrorCode::RateLimited, "too many messages come here at once")
                .with_retry_after(wait),
        )
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

    /// The sender's own unused uploads, marked as used. Files of a forwarded message are in use, and stay as they are.
    fn claim_files(&self, facts: &Facts) -> ChatResult<Vec<Attachment>> {
        let mut claimed = Vec::with_capacity(self.content.attachments.len());
        let shown_already = self.origin.as_ref().map_or(&[][..], |origin| &origin.files);
        for id in &self.content.attachments {
            if shown_already.contains(id) {
                still_shown(*id, facts)?;
                continue;
            }
            let file = facts
                .attachments
                .get(id)
                .filter(|file| file.uploader == self.sender && file.state != AttachmentState::Deleted)
                .ok_or_else(|| {
                    ChatError::new(ErrorCode::AttachmentNotFound, "no such upload")
                        .with_field("attachment_ids")
                })?;
            if file.state != self.occasion.files() {
                return Err(ChatError::new(ErrorCode::Conflict, "already used").with_field("attachment_ids"));
            }
            let fits = match self.message.kind {
                MessageKind::Image => file.kind == AttachmentKind::Image,
                MessageKind::Video => file.kind == AttachmentKind::Video,
                MessageKind::Audio => file.kind == AttachmentKind::Audio,
                _ => true,
            };
            if !fits {
                return Err(ChatError::invalid(
                    "attachment_ids",
                    "does not fit the kind of the message",
                ));
            }
            let mut file = file.clone();
            file.state = AttachmentState::Attached;
            claimed.push(file);
        }
        Ok(claimed)
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

/// Sorts mentions into members, "everyone", and those left out; mentions of oneself are ignored.
pub(crate) fn resolve_mentions(
    asked: &[UserId],
    sender: &UserId,
    everyone_allowed: bool,
    is_member: &dyn Fn(&UserId) -> bool,
) -> (Vec<UserId>, bool, Vec<UserId>) {
    let (mut kept, mut everyone, mut dropped) = (Vec::new(), false, Vec::new());
    for user in asked {
        if user == sender || kept.contains(user) || dropped.contains(user) {
            continue;
        }
        if user.as_str() == MENTION_ALL {
            if everyone_allowed {
                everyone = true;
            } else {
                dropped.push(user.clone());
            }
        } else if is_member(user) {
            kept.push(user.clone());
        } else {
            dropped.push(user.clone());
        }
    }
    (kept, everyone, dropped)
}
