//! Every method of every facet, one like the other.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::config::BlockedInGroup;
use chat_core::error::{BackendResult, ChatError};
use chat_core::id::{AttachmentId, ConversationId, MessageId, ReportId, ScheduledId, UserId};
use chat_core::model::{
    Attachment, AttachmentState, AuditEntry, Block, Conversation, ConversationKind, Device, DirectPair,
    FormerText, Hide, Member, Message, Muted, NewUser, Reaction, ReadAudience, Report, Resolution, Scheduled,
    Seq, Star, User, UserPatch,
};
use chat_core::store::{
    AddedScheduled, AttachmentStore, AuditQuery, Badge, BlockChange, BlockStore, Blocks, Change,
    ChangedConversations, ChangedFor, ChangedMessages, ChangesQuery, ClaimedEntry, Contacts,
    ConversationStore, DeviceStore, DueConversations, EditStore, ExpiryKey, History, HistoryQuery,
    InboxCounts, InboxEntry, InboxQuery, MarkStep, MarkTimes, MarksThen, MemberQuery, MentionQuery,
    MentionStore, MessageStore, ModerationStore, MuteChange, MuteStore, OutboxBacklog, OutboxEntry,
    OutboxStore, PersonalFacts, PersonalStore, PinsQuery, ReactionSummary, ReceiptStore, ReportQuery,
    RetentionStore, ScheduledQuery, ScheduledStamp, ScheduledStore, SearchQuery, StarChange, StarOutcome,
    StarStore, StarredMessage, StarredQuery, StepPlace, SyncPosition, UserMute, UserSearch, UserStore,
};
use chat_core::time::Timestamp;
use uuid::Uuid;

use super::FaultyStore;

#[async_trait]
impl UserStore for FaultyStore {
    async fn ensure_user(&self, new: NewUser, now: Timestamp) -> BackendResult<(User, bool)> {
        self.around("ensure_user", self.inner.ensure_user(new, now)).await
    }
    async fn update_user(&self, id: &UserId, patch: UserPatch) -> BackendResult<Option<User>> {
        self.around("update_user", self.inner.update_user(id, patch))
            .await
    }
    async fn users(&self, ids: &[UserId]) -> BackendResult<Vec<User>> {
        self.around("users", self.inner.users(ids)).await
    }
    async fn search_users(&self, search: &UserSearch) -> BackendResult<Vec<User>> {
        self.around("search_users", self.inner.search_users(search)).await
    }
}

#[async_trait]
impl ConversationStore for FaultyStore {
    async fn commit(&self, changes: &[Change]) -> BackendResult<Vec<Result<(), ChatError>>> {
        self.around("commit", self.inner.commit(changes)).await
    }
    async fn conversations(&self, ids: &[ConversationId]) -> BackendResult<Vec<Conversation>> {
        self.around("conversations", self.inner.conversations(ids)).await
    }
    async fn direct(&self, pair: &DirectPair) -> BackendResult<Option<Conversation>> {
        self.around("direct", self.inner.direct(pair)).await
    }
    async fn member(&self, conversation: ConversationId, user: &UserId) -> BackendResult<Option<Member>> {
        self.around("member", self.inner.member(conversation, user)).await
    }
    async fn members(&self, query: &MemberQuery) -> BackendResult<Vec<Member>> {
        self.around("members", self.inner.members(query)).await
    }
    async fn members_of(
        &self,
        conversations: &[ConversationId],
        cap: usize,
    ) -> BackendResult<HashMap<ConversationId, Vec<Member>>> {
        self.around("members_of", self.inner.members_of(conversations, cap))
            .await
    }
    async fn member_ids(&self, conversation: ConversationId) -> BackendResult<Vec<UserId>> {
        self.around("member_ids", self.inner.member_ids(conversation))
            .await
    }
    async fn changed_members(
        &self,
        conversation: ConversationId,
        since: u64,
        limit: usize,
    ) -> BackendResult<Vec<Member>> {
        self.around(
            "changed_members",
            self.inner.changed_members(conversation, since, limit),
        )
        .await
    }
    async fn inbox(&self, query: &InboxQuery) -> BackendResult<Vec<InboxEntry>> {
        self.around("inbox", self.inner.inbox(query)).await
    }
    async fn inbox_counts(&self, query: &InboxQuery) -> BackendResult<InboxCounts> {
        self.around("inbox_counts", self.inner.inbox_counts(query)).await
    }
    async fn badge(&self, user: &UserId, now: Timestamp, blocked: BlockedInGroup) -> BackendResult<Badge> {
        self.around("badge", self.inner.badge(user, now, blocked)).await
    }
    async fn conversation_ids(
        &self,
        user: &UserId,
        kind: Option<ConversationKind>,
    ) -> BackendResult<Vec<ConversationId>> {
        self.around("conversation_ids", self.inner.conversation_ids(user, kind))
            .await
    }
    async fn contacts(
        &self,
        user: &UserId,
        name: Option<&str>,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Contacts> {
        self.around("contacts", self.inner.contacts(user, name, after, limit))
            .await
    }
    async fn contacts_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Contacts> {
        self.around("contacts_among", self.inner.contacts_among(user, others))
            .await
    }
    async fn sync_position(&self) -> BackendResult<SyncPosition> {
        self.around("sync_position", self.inner.sync_position()).await
    }
    async fn sync_epoch(&self) -> BackendResult<u64> {
        self.around("sync_epoch", self.inner.sync_epoch()).await
    }
    async fn changed_conversations(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<ChangedConversations> {
        self.around(
            "changed_conversations",
            self.inner.changed_conversations(user, since, limit),
        )
        .await
    }
    async fn changed_for(
        &self,
        users: &[UserId],
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<Vec<ChangedFor>> {
        self.around("changed_for", self.inner.changed_for(users, since, limit))
            .await
    }
}

#[async_trait]
impl MessageStore for FaultyStore {
    async fn messages(&self, ids: &[MessageId]) -> BackendResult<Vec<Message>> {
        self.around("messages", self.inner.messages(ids)).await
    }
    async fn hidden_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        self.around("hidden_among", self.inner.hidden_among(user, ids))
            .await
    }
    async fn personal_facts(&self, message: MessageId) -> BackendResult<PersonalFacts> {
        self.around("personal_facts", self.inner.personal_facts(message))
            .await
    }
    async fn history(&self, query: &HistoryQuery) -> BackendResult<History> {
        self.around("history", self.inner.history(query)).await
    }
    async fn search(&self, query: &SearchQuery) -> BackendResult<Vec<Message>> {
        self.around("search", self.inner.search(query)).await
    }
    async fn pinned(&self, query: &PinsQuery) -> BackendResult<Vec<Message>> {
        self.around("pinned", self.inner.pinned(query)).await
    }
    async fn changed_messages(&self, query: &ChangesQuery) -> BackendResult<ChangedMessages> {
        self.around("changed_messages", self.inner.changed_messages(query))
            .await
    }
    async fn reactions(
        &self,
        messages: &[MessageId],
        viewer: &UserId,
        without: &[UserId],
    ) -> BackendResult<HashMap<MessageId, Vec<ReactionSummary>>> {
        self.around("reactions", self.inner.reactions(messages, viewer, without))
            .await
    }
    async fn expired_messages(
        &self,
        now: Timestamp,
        after: Option<ExpiryKey>,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        self.around("expired_messages", self.inner.expired_messages(now, after, limit))
            .await
    }
}

#[async_trait]
impl MentionStore for FaultyStore {
    async fn mentions(&self, query: &MentionQuery) -> BackendResult<Vec<Message>> {
        self.around("mentions", self.inner.mentions(query)).await
    }
}

#[async_trait]
impl ReceiptStore for FaultyStore {
    async fn mark_times(
        &self,
        conversation: ConversationId,
        seq: Seq,
        users: &[UserId],
        audience: ReadAudience,
    ) -> BackendResult<HashMap<UserId, MarkTimes>> {
        self.around(
            "mark_times",
            self.inner.mark_times(conversation, seq, users, audience),
        )
        .await
    }
    async fn marks_before_blocks(
        &self,
        viewer: &UserId,
        users: &[UserId],
        conversations: &[ConversationId],
    ) -> BackendResult<HashMap<(ConversationId, UserId), MarksThen>> {
        self.around(
            "marks_before_blocks",
            self.inner.marks_before_blocks(viewer, users, conversations),
        )
        .await
    }
}

#[async_trait]
impl BlockStore for FaultyStore {
    async fn set_block(
        &self,
        blocker: &UserId,
        blocked: &UserId,
        on: bool,
        now: Timestamp,
    ) -> BackendResult<Option<u64>> {
        self.around("set_block", self.inner.set_block(blocker, blocked, on, now))
            .await
    }
    async fn blocked_users(
        &self,
        blocker: &UserId,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserId>> {
        self.around("blocked_users", self.inner.blocked_users(blocker, after, limit))
            .await
    }
    async fn blocks_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Blocks> {
        self.around("blocks_among", self.inner.blocks_among(user, others))
            .await
    }
    async fn blocks_of(&self, user: &UserId) -> BackendResult<Blocks> {
        self.around("blocks_of", self.inner.blocks_of(user)).await
    }
    async fn block_changes(&self, blocker: &UserId, since_user_rev: u64) -> BackendResult<Vec<BlockChange>> {
        self.around("block_changes", self.inner.block_changes(blocker, since_user_rev))
            .await
    }
}

#[async_trait]
impl MuteStore for FaultyStore {
    async fn set_mute(
        &self,
        user: &UserId,
        muted: &UserId,
        until: Option<Muted>,
    ) -> BackendResult<Option<u64>> {
        self.around("set_mute", self.inner.set_mute(user, muted, until))
            .await
    }
    async fn muted_users(
        &self,
        user: &UserId,
        now: Timestamp,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserMute>> {
        self.around("muted_users", self.inner.muted_users(user, now, after, limit))
            .await
    }
    async fn mute_of(&self, user: &UserId, other: &UserId) -> BackendResult<Option<Muted>> {
        self.around("mute_of", self.inner.mute_of(user, other)).await
    }
    async fn mute_changes(&self, user: &UserId, since_user_rev: u64) -> BackendResult<Vec<MuteChange>> {
        self.around("mute_changes", self.inner.mute_changes(user, since_user_rev))
            .await
    }
}

#[async_trait]
impl ModerationStore for FaultyStore {
    async fn add_report(&self, report: Report) -> BackendResult<(ReportId, bool)> {
        self.around("add_report", self.inner.add_report(report)).await
    }
    async fn report(&self, id: ReportId) -> BackendResult<Option<Report>> {
        self.around("report", self.inner.report(id)).await
    }
    async fn reports(&self, query: &ReportQuery) -> BackendResult<Vec<Report>> {
        self.around("reports", self.inner.reports(query)).await
    }
    async fn resolve_report(
        &self,
        id: ReportId,
        resolution: Resolution,
        entry: AuditEntry,
    ) -> BackendResult<Option<bool>> {
        self.around("resolve_report", self.inner.resolve_report(id, resolution, entry))
            .await
    }
    async fn is_evidence(&self, file: AttachmentId) -> BackendResult<bool> {
        self.around("is_evidence", self.inner.is_evidence(file)).await
    }
    async fn sanction_user(
        &self,
        id: &UserId,
        patch: UserPatch,
        entry: AuditEntry,
    ) -> BackendResult<Option<User>> {
        self.around("sanction_user", self.inner.sanction_user(id, patch, entry))
            .await
    }
    async fn audit(&self, query: &AuditQuery) -> BackendResult<Vec<AuditEntry>> {
        self.around("audit", self.inner.audit(query)).await
    }
}

#[async_trait]
impl DeviceStore for FaultyStore {
    async fn register_device(&self, device: Device, cap: usize) -> BackendResult<()> {
        self.around("register_device", self.inner.register_device(device, cap))
            .await
    }
    async fn unregister_device(&self, user: &UserId, token: &str) -> BackendResult<bool> {
        self.around("unregister_device", self.inner.unregister_device(user, token))
            .await
    }
    async fn devices(&self, users: &[UserId]) -> BackendResult<Vec<Device>> {
        self.around("devices", self.inner.devices(users)).await
    }
}

#[async_trait]
impl AttachmentStore for FaultyStore {
    async fn add_attachment(&self, attachment: Attachment) -> BackendResult<()> {
        self.around("add_attachment", self.inner.add_attachment(attachment))
            .await
    }
    async fn attachments(&self, ids: &[AttachmentId]) -> BackendResult<Vec<Attachment>> {
        self.around("attachments", self.inner.attachments(ids)).await
    }
    async fn shown_by(
        &self,
        id: AttachmentId,
        within: Option<&[ConversationId]>,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<MessageId>> {
        self.around("shown_by", self.inner.shown_by(id, within, after, limit))
            .await
    }
    async fn move_attachment(
        &self,
        id: AttachmentId,
        from: AttachmentState,
        to: AttachmentState,
    ) -> BackendResult<bool> {
        self.around("move_attachment", self.inner.move_attachment(id, from, to))
            .await
    }
    async fn stale_attachments(
        &self,
        pending_before: Timestamp,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        self.around(
            "stale_attachments",
            self.inner.stale_attachments(pending_before, after, limit),
        )
        .await
    }
    async fn forget_attachment(&self, id: AttachmentId) -> BackendResult<()> {
        self.around("forget_attachment", self.inner.forget_attachment(id))
            .await
    }
}

#[async_trait]
impl StarStore for FaultyStore {
    async fn set_star(&self, star: &Star, on: bool, cap: usize) -> BackendResult<StarOutcome> {
        self.around("set_star", self.inner.set_star(star, on, cap)).await
    }
    async fn starred_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        self.around("starred_among", self.inner.starred_among(user, ids))
            .await
    }
    async fn starred(&self, query: &StarredQuery) -> BackendResult<Vec<StarredMessage>> {
        self.around("starred", self.inner.starred(query)).await
    }
    async fn star_changes(
        &self,
        user: &UserId,
        since_user_rev: u64,
        limit: usize,
    ) -> BackendResult<Vec<StarChange>> {
        self.around(
            "star_changes",
            self.inner.star_changes(user, since_user_rev, limit),
        )
        .await
    }
}

#[async_trait]
impl EditStore for FaultyStore {
    async fn former_texts(
        &self,
        message: MessageId,
        before: Option<u32>,
        limit: usize,
    ) -> BackendResult<Vec<FormerText>> {
        self.around("former_texts", self.inner.former_texts(message, before, limit))
            .await
    }
}

#[async_trait]
impl ScheduledStore for FaultyStore {
    async fn add_scheduled(&self, new: Scheduled, cap: usize) -> BackendResult<AddedScheduled> {
        self.around("add_scheduled", self.inner.add_scheduled(new, cap))
            .await
    }
    async fn scheduled(&self, id: ScheduledId) -> BackendResult<Option<Scheduled>> {
        self.around("scheduled", self.inner.scheduled(id)).await
    }
    async fn scheduled_of(&self, query: &ScheduledQuery) -> BackendResult<Vec<Scheduled>> {
        self.around("scheduled_of", self.inner.scheduled_of(query)).await
    }
    async fn put_scheduled(&self, row: Scheduled, seen: ScheduledStamp) -> BackendResult<Option<Scheduled>> {
        self.around("put_scheduled", self.inner.put_scheduled(row, seen))
            .await
    }
    async fn claim_scheduled(&self, lease: Duration, limit: usize) -> BackendResult<Vec<Scheduled>> {
        self.around("claim_scheduled", self.inner.claim_scheduled(lease, limit))
            .await
    }
    async fn release_scheduled(&self, id: ScheduledId, seen: ScheduledStamp) -> BackendResult<bool> {
        self.around("release_scheduled", self.inner.release_scheduled(id, seen))
            .await
    }
    async fn changed_scheduled(
        &self,
        user: &UserId,
        since: u64,
        open: bool,
        limit: usize,
    ) -> BackendResult<Vec<Scheduled>> {
        self.around(
            "changed_scheduled",
            self.inner.changed_scheduled(user, since, open, limit),
        )
        .await
    }
    async fn forget_scheduled(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        self.around("forget_scheduled", self.inner.forget_scheduled(before, limit))
            .await
    }
}

#[async_trait]
impl RetentionStore for FaultyStore {
    async fn conversations_due(&self, query: &DueConversations) -> BackendResult<Vec<Conversation>> {
        self.around("conversations_due", self.inner.conversations_due(query))
            .await
    }
    async fn oldest_messages(
        &self,
        conversation: ConversationId,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        self.around("oldest_messages", self.inner.oldest_messages(conversation, limit))
            .await
    }
    async fn forget_mark_times(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        self.around("forget_mark_times", self.inner.forget_mark_times(before, limit))
            .await
    }
}

#[async_trait]
impl OutboxStore for FaultyStore {
    async fn claim_outbox(
        &self,
        topic: &str,
        limit: usize,
        lease: Uuid,
        lasting: Duration,
    ) -> BackendResult<Vec<ClaimedEntry>> {
        self.around(
            "claim_outbox",
            self.inner.claim_outbox(topic, limit, lease, lasting),
        )
        .await
    }
    async fn finish_outbox(&self, id: Uuid, lease: Uuid) -> BackendResult<bool> {
        self.around("finish_outbox", self.inner.finish_outbox(id, lease))
            .await
    }
    async fn retry_outbox(&self, id: Uuid, lease: Uuid, after: Duration) -> BackendResult<bool> {
        self.around("retry_outbox", self.inner.retry_outbox(id, lease, after))
            .await
    }
    async fn advance_outbox(
        &self,
        id: Uuid,
        lease: Uuid,
        rest: Option<&str>,
        added: &[OutboxEntry],
    ) -> BackendResult<bool> {
        self.around(
            "advance_outbox",
            self.inner.advance_outbox(id, lease, rest, added),
        )
        .await
    }
    async fn outbox_keys(&self, topic: &str, keys: &[String]) -> BackendResult<Vec<String>> {
        self.around("outbox_keys", self.inner.outbox_keys(topic, keys))
            .await
    }
    async fn release_outbox(&self, lease: Uuid) -> BackendResult<usize> {
        self.around("release_outbox", self.inner.release_outbox(lease))
            .await
    }
    async fn outbox_backlog(&self, topic: &str) -> BackendResult<OutboxBacklog> {
        self.around("outbox_backlog", self.inner.outbox_backlog(topic))
            .await
    }
}

#[async_trait]
impl PersonalStore for FaultyStore {
    async fn memberships(
        &self,
        user: &UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> BackendResult<Vec<Member>> {
        self.around("memberships", self.inner.memberships(user, after, limit))
            .await
    }
    async fn sent_messages(
        &self,
        conversation: ConversationId,
        sender: &UserId,
        after: Seq,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        self.around(
            "sent_messages",
            self.inner.sent_messages(conversation, sender, after, limit),
        )
        .await
    }
    async fn reactions_by(
        &self,
        user: &UserId,
        after: Option<(MessageId, String)>,
        limit: usize,
    ) -> BackendResult<Vec<Reaction>> {
        self.around("reactions_by", self.inner.reactions_by(user, after, limit))
            .await
    }
    async fn hides_by(
        &self,
        user: &UserId,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<Hide>> {
        self.around("hides_by", self.inner.hides_by(user, after, limit))
            .await
    }
    async fn mark_steps(
        &self,
        conversation: ConversationId,
        user: &UserId,
        after: Option<StepPlace>,
        limit: usize,
    ) -> BackendResult<Vec<MarkStep>> {
        self.around(
            "mark_steps",
            self.inner.mark_steps(conversation, user, after, limit),
        )
        .await
    }
    async fn blocks_by(
        &self,
        user: &UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> BackendResult<Vec<Block>> {
        self.around("blocks_by", self.inner.blocks_by(user, after, limit))
            .await
    }
    async fn uploads_by(
        &self,
        user: &UserId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        self.around("uploads_by", self.inner.uploads_by(user, after, limit))
            .await
    }
    async fn reports_by(
        &self,
        user: &UserId,
        after: Option<ReportId>,
        limit: usize,
    ) -> BackendResult<Vec<Report>> {
        self.around("reports_by", self.inner.reports_by(user, after, limit))
            .await
    }
    async fn erase_private(&self, user: &UserId, limit: usize) -> BackendResult<usize> {
        self.around("erase_private", self.inner.erase_private(user, limit))
            .await
    }
    async fn unfinished_erasures(&self, limit: usize) -> BackendResult<Vec<User>> {
        self.around("unfinished_erasures", self.inner.unfinished_erasures(limit))
            .await
    }
}
