//! Messages as a viewer sees them.

use std::collections::{HashMap, HashSet};

use super::Sightline;
use crate::access::{Visibility, is_collapsed, known_read, roll_up, visible};
use crate::config::BlockedInGroup;
use crate::engine::Actor;
use crate::engine::attachments::attachment_view;
use crate::engine::content::MENTION_ALL;
use crate::engine::deletion::without_content;
use crate::engine::meetings::effective_status;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{AttachmentId, MessageId, UserId};
use crate::model::{Attachment, Conversation, Forwarded, Member, Message, User};
use crate::store::ReactionSummary;
use crate::text;
use crate::view::{
    ForwardedView, KeptView, MeetingView, MessageView, ReactionView, ReceiptCounts, ReplyPreview, ReplyState,
    ReplyView, Status,
};

/// How much of a message answered is shown, in characters.
const REPLY_CHARS: usize = 100;

/// What a batch of messages needs beside itself.
#[derive(Debug, Default)]
struct Surroundings {
    users: HashMap<UserId, User>,
    files: HashMap<AttachmentId, Attachment>,
    reactions: HashMap<MessageId, Vec<ReactionSummary>>,
    targets: HashMap<MessageId, Message>,
    hidden_targets: HashSet<MessageId>,
    starred: HashSet<MessageId>,
    members: Vec<Member>,
    contacts: HashSet<UserId>,
}

impl Actor {
    /// Messages of one conversation as the caller sees them; their visibility has been judged.
    pub(crate) async fn render_messages(
        &self,
        sight: &Sightline,
        messages: Vec<Message>,
    ) -> ChatResult<Vec<MessageView>> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let around = self.surroundings(sight, &messages).await?;
        Ok(messages
            .into_iter()
            .map(|message| self.message_view(sight, message, &around))
            .collect())
    }

    /// One message as the caller sees it.
    pub(crate) async fn render_message(
        &self,
        sight: &Sightline,
        message: Message,
    ) -> ChatResult<MessageView> {
        let view = self.render_messages(sight, vec![message]).await?.pop();
        view.ok_or_else(|| ErrorCode::Internal.into())
    }

    /// A message right after it was sent, for its sender or any recipient who has not blocked him: nobody has it yet
    /// and nobody has reacted, so all it takes is the sender's name (and what it answers, or its files).
    pub(crate) async fn render_new_message(
        &self,
        conversation: &Conversation,
        message: Message,
    ) -> ChatResult<MessageView> {
        let member = if message.reply_to.is_some() {
            let own = self.inner().store.member(conversation.id, self.user_id()).await?;
            self.standing_member(Some(conversation), own)
                .ok_or_else(|| ChatError::new(ErrorCode::ConversationNotFound, "no such conversation"))?
        } else {
            // Only what it answers would be judged by his membership.
            Member::joined(
                conversation.id,
                self.user_id().clone(),
                conversation.created_at,
                1,
            )
        };
        let sight = Sightline {
            conversation: conversation.clone(),
            member,
            blocked: HashSet::new(),
            blocked_in_group: BlockedInGroup::Show,
            now: self.engine().now(),
        };
        let around = self.senders_and_files(std::slice::from_ref(&message)).await?;
        let own = message.sender_id == *self.user_id();
        let mut view = self.message_view(&sight, message, &around);
        if own {
            view.status = Some(Status::Sent);
            view.receipts = Some(ReceiptCounts {
                recipients: u64::from(conversation.member_count.saturating_sub(1)),
                delivered: 0,
                read: 0,
            });
        }
        Ok(view)
    }

    async fn surroundings(&self, sight: &Sightline, messages: &[Message]) -> ChatResult<Surroundings> {
        let mut around = self.senders_and_files(messages).await?;
        around.reactions = self.reactions(sight, messages).await?;
        if !self.is_host() {
            let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
            let starred = self.inner().store.starred_among(self.user_id(), &ids).await?;
            around.starred = starred.into_iter().collect();
        }
        if messages
            .iter()
            .any(|message| message.sender_id == *self.user_id())
        {
            let id = sight.conversation.id;
            let cap = usize::try_from(sight.conversation.member_count).unwrap_or(usize::MAX);
            let mut members = self
                .inner()
                .store
                .members_of(&[id], cap)
                .await?
                .remove(&id)
                .unwrap_or_default();
            let ids: Vec<UserId> = members.iter().map(|member| member.user_id.clone()).collect();
            let store = &self.inner().store;
            around.contacts = store
                .contacts_among(self.user_id(), &ids)
                .await?
                .into_iter()
                .collect();
            let blocks = store.blocks_among(self.user_id(), &ids).await?;
            self.veil_marks(&blocks, members.iter_mut()).await?;
            around.members = members;
        }
        Ok(around)
    }

    /// Names, files and what is answered: what a message has from the moment it is sent.
    async fn senders_and_files(&self, messages: &[Message]) -> ChatResult<Surroundings> {
        let store = &self.inner().store;
        let mut around = Surroundings::default();
        let target_ids: Vec<MessageId> = messages
            .iter()
            .filter_map(|message| message.reply_to.map(|reply| reply.message_id))
            .collect();
        if !target_ids.is_empty() {
            let targets = store.messages(&target_ids).await?;
            around.targets = targets.into_iter().map(|message| (message.id, message)).collect();
            around.hidden_targets = store
                .hidden_among(self.user_id(), &target_ids)
                .await?
                .into_iter()
                .collect();
        }
        let mut senders: Vec<UserId> = messages.iter().map(|message| message.sender_id.clone()).collect();
        let forwarded = messages
            .iter()
            .filter_map(|message| message.content.forwarded.as_ref());
        senders.extend(forwarded.filter_map(|forwarded| forwarded.sender_id.clone()));
        // The caller's own settings decide what he may know of others' reading.
        senders.push(self.user_id().clone());
        senders.sort();
        senders.dedup();
        around.users = self.engine().users_by_id(&senders).await?;
        let file_ids: Vec<AttachmentId> = messages
            .iter()
            .flat_map(|message| message.content.attachments.iter().copied())
            .collect();
        if !file_ids.is_empty() {
            around.files = store
                .attachments(&file_ids)
                .await?
                .into_iter()
                .map(|file| (file.id, file))
                .collect();
        }
        Ok(around)
    }

    async fn reactions(
        &self,
        sight: &Sightline,
        messages: &[Message],
    ) -> ChatResult<HashMap<MessageId, Vec<ReactionSummary>>> {
        let reacted: Vec<MessageId> = messages
            .iter()
            .filter(|message| !message.is_deleted())
            .map(|message| message.id)
            .collect();
        if reacted.is_empty() {
            return Ok(HashMap::new());
        }
        let without: Vec<UserId> = if sight.is_group() && sight.blocked_in_group == BlockedInGroup::Hide {
            sight.blocked.iter().cloned().collect()
        } else {
            Vec::new()
        };
        Ok(self
            .inner()
            .store
            .reactions(&reacted, self.user_id(), &without)
            .await?)
    }

    fn message_view(&self, sight: &Sightline, mut message: Message, around: &Surroundings) -> MessageView {
        let own = message.sender_id == *self.user_id();
        // An expired one comes here as the answer to a repeated send: that it was sent, and nothing of what it said.
        let whole = !message.is_deleted() && !message.is_expired(sight.now);
        if !whole {
            message = without_content(message);
        }
        let receipts = own.then(|| self.status(&message, around));
        let collapsed = is_collapsed(&sight.on(&message, false));
        let reply_to = message.reply_to.filter(|_| whole).map(|reply| {
            let target = around.targets.get(&reply.message_id);
            let hidden = around.hidden_targets.contains(&reply.message_id);
            let state = target.map_or(Visibility::Gone, |target| {
                visible(&sight.on(target, hidden), target)
            });
            ReplyView {
                message_id: reply.message_id,
                seq: reply.seq,
                state: match state {
                    Visibility::Visible => ReplyState::Visible,
                    Visibility::Tombstone => ReplyState::Deleted,
                    Visibility::Gone => ReplyState::Unavailable,
                },
                preview: target.filter(|_| state == Visibility::Visible).map(reply_preview),
            }
        });
        let files: Vec<_> = message
            .content
            .attachments
            .iter()
            .filter_map(|id| around.files.get(id))
            .map(|file| attachment_view(file, &self.inner().media_url))
            .collect();
        let mut mentions = message.mentions;
        if message.mentions_all {
            mentions.extend(UserId::new(MENTION_ALL).ok());
        }
        let reactions: Vec<ReactionView> = around
            .reactions
            .get(&message.id)
            .into_iter()
            .flatten()
            .map(reaction_view)
            .collect();
        MessageView {
            id: message.id,
            conversation_id: message.conversation_id,
            seq: message.seq,
            rev: message.rev,
            sender: self.engine().sender_view(&message.sender_id, &around.users),
            client_id: message.client_id.filter(|_| own),
            kind: message.kind,
            text: Some(message.text).filter(|text| whole && !text.is_empty()),
            format: whole.then_some(message.format),
            attachments: Some(files).filter(|files| whole && !files.is_empty()),
            location: message.content.location,
            meeting: message.content.meeting.map(|meeting| MeetingView {
                status: effective_status(&meeting, sight.now),
                place: meeting.place,
                location: meeting.location,
                scheduled_at: meeting.scheduled_at,
                note: meeting.note,
                proposed_by: meeting.proposed_by,
                version: meeting.version,
            }),
            custom: message.content.custom,
            system: message.content.system,
            forwarded: message
                .content
                .forwarded
                .map(|forwarded| self.forwarded_view(forwarded, around)),
            reply_to,
            mentions: Some(mentions).filter(|mentions| whole && !mentions.is_empty()),
            reactions: Some(reactions).filter(|reactions| whole && !reactions.is_empty()),
            status: receipts.map(|(status, _)| status),
            receipts: receipts.map(|(_, counts)| counts),
            silent: message.silent,
            client_time: message.client_time,
            created_at: message.created_at,
            edited_at: message.edited_at,
            version: message.version,
            starred: (whole && around.starred.contains(&message.id)).then_some(true),
            pinned: message.pinned,
            from_blocked: collapsed.then_some(true),
            deleted: message.deleted,
            expires_at: message.expires_at,
            kept: message.kept.map(|kept| KeptView {
                at: kept.at,
                by: kept.by,
            }),
        }
    }

    /// The name comes from the directory, so it goes with the user, and is not told when the policy is off by now.
    fn forwarded_view(&self, forwarded: Forwarded, around: &Surroundings) -> ForwardedView {
        let shown = self.engine().config().policies.forward_shows_sender;
        let sender = forwarded
            .sender_id
            .filter(|_| shown)
            .map(|id| self.engine().sender_view(&id, &around.users));
        ForwardedView {
            name: sender.as_ref().map(|sender| sender.name.clone()),
            sender_id: sender.map(|sender| sender.id),
        }
    }

    fn status(&self, message: &Message, around: &Surroundings) -> (Status, ReceiptCounts) {
        let receipts = around
            .users
            .get(self.user_id())
            .map(|me| me.settings.receipts)
            .unwrap_or_default();
        let known = |member: &Member| known_read(member, around.contacts.contains(&member.user_id), receipts);
        roll_up(
            self.user_id(),
            message.seq,
            &around.members,
            &known,
            self.engine().config().policies.rollup,
        )
    }
}

pub(super) fn reaction_view(summary: &ReactionSummary) -> ReactionView {
    ReactionView {
        emoji: summary.emoji.clone(),
        count: summary.count,
        mine: summary.mine,
        users: summary.users.clone(),
    }
}

/// The beginning of a message that is answered.
pub(super) fn reply_preview(target: &Message) -> ReplyPreview {
    ReplyPreview {
        sender_id: target.sender_id.clone(),
        kind: target.kind,
        text: text::excerpt(&target.text, REPLY_CHARS),
    }
}
