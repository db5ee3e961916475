//! A world of five users who talk, for the commands on messages; its clock stands still.

use std::sync::Arc;
use std::time::Duration;

use chat_core::command::{DeleteMessage, DeletionScope, Mark, Marks, OpenDirect, SendMessage};
use chat_core::config::{ChatConfig, Rate};
use chat_core::engine::EventItem;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::event::ChatEvent;
use chat_core::id::{AttachmentId, ConversationId, MessageId, UserId};
use chat_core::memory::MemoryStore;
use chat_core::model::{
    AttachmentState, Conversation, ConversationKind, Horizon, JsonObject, LastCountable, Member, MemberState,
    Message, NewUser, Permissions, Role, Seq, SettingsChange, UserPatch, Visibility,
};
use chat_core::port::MediaStore;
use chat_core::store::{
    AttachmentStore, BlockStore, Change, ConversationStore, Needs, Target, UserStore, Writes,
};
use chat_core::time::{Clock, ManualClock};
use chat_core::view::{ConversationView, MarkAnswer, MessageView};
use chat_core::{Actor, ChatEngine};
use futures::StreamExt;

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: MemoryStore,
    pub(crate) engine: ChatEngine,
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut ChatConfig)) -> Self {
        Self::build(adjust, None).await
    }

    pub(crate) async fn build(
        adjust: impl FnOnce(&mut ChatConfig),
        media: Option<Arc<dyn MediaStore>>,
    ) -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let mut config = ChatConfig::default();
        config.limits.searches = Rate::new(1_000, 60_000);
        adjust(&mut config);
        let mut builder = ChatEngine::builder(Arc::new(store.clone()))
            .with_clock(Arc::clone(&clock) as Arc<dyn Clock>)
            .with_config(config)
            .with_secret("a secret");
        if let Some(media) = media {
            builder = builder.with_media(media);
        }
        for id in ["a", "b", "c", "d", "x"] {
            let new = NewUser::new(user(id)).with_name(format!("User {id}"));
            store.ensure_user(new, clock.now()).await.unwrap();
        }
        Self {
            clock,
            store,
            engine: builder.build(),
        }
    }

    pub(crate) fn actor(&self, id: &str) -> Actor {
        self.engine.as_user(&user(id))
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn direct(&self, a: &str, b: &str) -> ConversationId {
        self.actor(a)
            .open_direct(OpenDirect { user_id: user(b) })
            .await
            .unwrap()
            .conversation
            .id
    }

    /// A group as it is in the store, so that tests of other verbs do not hang on the verbs of groups.
    pub(crate) async fn group(&self, owner: &str, others: &[&str]) -> ConversationId {
        let id = ConversationId::from_uuid(uuid::Uuid::now_v7());
        let now = self.clock.now();
        let mut conversation = Conversation {
            id,
            kind: ConversationKind::Group,
            pair: None,
            name: Some("Group".to_owned()),
            description: None,
            avatar: None,
            created_by: user(owner),
            created_at: now,
            last_activity_at: now,
            changed_at: now,
            rev: 1,
            last_seq: 0,
            last_countable: LastCountable::default(),
            members_rev: 1,
            member_count: 0,
            permissions: Permissions::default(),
            frozen: false,
            message_ttl_ms: None,
            slow_mode: None,
            sends_until: now,
            custom: JsonObject::default(),
            dissolved_at: None,
            horizon: Horizon::default(),
        };
        let mut members = vec![member(id, owner, Role::Owner, now)];
        members.extend(others.iter().map(|other| member(id, other, Role::Member, now)));
        conversation.member_count = u32::try_from(members.len()).unwrap();
        self.write(id, move || Writes {
            conversation: Some(conversation.clone()),
            members: members.clone(),
            ..Writes::none()
        })
        .await;
        id
    }

    async fn write(&self, id: ConversationId, writes: impl Fn() -> Writes + Send + Sync + 'static) {
        let change = Change::new(Needs::new(Target::Conversation(id)), move |_| Ok(writes()));
        self.store
            .commit(&[change])
            .await
            .unwrap()
            .pop()
            .unwrap()
            .unwrap();
    }

    /// Appends a line as the engine would.
    pub(crate) async fn add_line(&self, id: ConversationId, line: Message) {
        let mut conversation = self.store.conversations(&[id]).await.unwrap().pop().unwrap();
        conversation.rev += 1;
        conversation.last_seq = line.seq;
        self.write(id, move || Writes {
            conversation: Some(conversation.clone()),
            messages: vec![Message {
                rev: conversation.rev,
                ..line.clone()
            }],
            ..Writes::none()
        })
        .await;
    }

    /// Changes a conversation and its members in the store, under a new rev.
    pub(crate) async fn change(
        &self,
        id: ConversationId,
        edit: impl FnOnce(&mut Conversation, &mut Vec<Member>),
    ) {
        let mut conversation = self.store.conversations(&[id]).await.unwrap().pop().unwrap();
        let mut members = Vec::new();
        for name in ["a", "b", "c", "d", "x"] {
            members.extend(self.store.member(id, &user(name)).await.unwrap());
        }
        conversation.rev += 1;
        edit(&mut conversation, &mut members);
        self.write(id, move || Writes {
            conversation: Some(conversation.clone()),
            members: members.clone(),
            ..Writes::none()
        })
        .await;
    }

    /// Takes a member out of a group.
    pub(crate) async fn remove(&self, id: ConversationId, who: &str) {
        self.change(id, |conversation, members| {
            let member = members
                .iter_mut()
                .find(|member| member.user_id == user(who))
                .unwrap();
            member.state = MemberState::Removed;
            member.intervals.last_mut().unwrap().to = Some(conversation.last_seq);
            member.rev = conversation.rev;
            conversation.members_rev = conversation.rev;
            conversation.member_count -= 1;
        })
        .await;
    }

    pub(crate) async fn send(&self, who: &str, to: ConversationId, text: &str) -> MessageView {
        self.actor(who)
            .send(SendMessage::text(to, text))
            .await
            .unwrap()
            .message
    }

    pub(crate) async fn send_many(&self, who: &str, to: ConversationId, count: usize) -> Vec<MessageView> {
        let mut sent = Vec::with_capacity(count);
        for n in 0..count {
            sent.push(self.send(who, to, &format!("m{n}")).await);
        }
        sent
    }

    pub(crate) async fn upload_state(&self, id: AttachmentId) -> AttachmentState {
        self.store.attachments(&[id]).await.unwrap().pop().unwrap().state
    }

    pub(crate) async fn message(&self, who: &str, id: MessageId) -> ChatResult<MessageView> {
        self.actor(who).message(id).await
    }

    pub(crate) async fn conversation(&self, who: &str, id: ConversationId) -> ConversationView {
        self.actor(who).conversation(id).await.unwrap()
    }

    pub(crate) async fn delete(&self, who: &str, id: MessageId, scope: DeletionScope) -> ChatResult<()> {
        self.actor(who)
            .delete_message(DeleteMessage {
                message_id: id,
                scope,
            })
            .await
    }

    /// Answers with (delivered, read, unread).
    pub(crate) async fn read(&self, who: &str, id: ConversationId, seq: Seq) -> ChatResult<(Seq, Seq, u64)> {
        let answer = self.actor(who).mark_read(single(id, Some(seq))).await?;
        Ok(numbers(&answer.marks[0]))
    }

    pub(crate) async fn delivered(
        &self,
        who: &str,
        id: ConversationId,
        seq: Seq,
    ) -> ChatResult<(Seq, Seq, u64)> {
        let answer = self.actor(who).mark_delivered(single(id, Some(seq))).await?;
        Ok(numbers(&answer.marks[0]))
    }

    pub(crate) async fn mark_unread(
        &self,
        who: &str,
        id: ConversationId,
        seq: Option<Seq>,
    ) -> ChatResult<u64> {
        let answer = self
            .actor(who)
            .mark_unread(Mark {
                conversation_id: id,
                seq,
            })
            .await?;
        Ok(numbers(&answer.marks[0]).2)
    }

    pub(crate) async fn unread(&self, who: &str, id: ConversationId) -> u64 {
        self.conversation(who, id).await.my.unread_count
    }

    pub(crate) async fn set_receipts(&self, who: &str, receipts: Visibility) {
        let patch = UserPatch {
            settings: Some(SettingsChange {
                receipts: Some(receipts),
                ..SettingsChange::default()
            }),
            ..UserPatch::default()
        };
        self.store.update_user(&user(who), patch).await.unwrap();
    }

    pub(crate) async fn block(&self, who: &str, whom: &str, on: bool) {
        self.store
            .set_block(&user(who), &user(whom), on, self.clock.now())
            .await
            .unwrap();
    }

    /// The events of what `doing` does.
    pub(crate) async fn events<T>(&self, doing: impl Future<Output = T>) -> (T, Vec<ChatEvent>) {
        let mut events = std::pin::pin!(self.engine.events());
        let done = doing.await;
        let mut seen = Vec::new();
        while let Ok(Some(EventItem::Event(event))) =
            tokio::time::timeout(Duration::from_millis(50), events.next()).await
        {
            seen.push(ChatEvent::clone(&event));
        }
        (done, seen)
    }
}

fn member(id: ConversationId, who: &str, role: Role, now: chat_core::time::Timestamp) -> Member {
    Member {
        role,
        rev: 1,
        ..Member::joined(id, user(who), now, 1)
    }
}

pub(crate) fn single(id: ConversationId, seq: Option<Seq>) -> Marks {
    Marks {
        conversation_id: Some(id),
        seq,
        marks: None,
    }
}

pub(crate) fn numbers(answer: &MarkAnswer) -> (Seq, Seq, u64) {
    match answer {
        MarkAnswer::Marked {
            delivered_seq,
            read_seq,
            unread_count,
            ..
        } => (*delivered_seq, *read_seq, *unread_count),
        MarkAnswer::Refused { error, .. } => panic!("refused: {}", error.code),
    }
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(result: ChatResult<T>) -> ErrorCode {
    result.unwrap_err().code()
}

/// Code and field of a refusal.
pub(crate) fn fault<T: std::fmt::Debug>(result: ChatResult<T>) -> (ErrorCode, String) {
    let error: ChatError = result.unwrap_err();
    (error.code(), error.field().unwrap_or_default().to_owned())
}
