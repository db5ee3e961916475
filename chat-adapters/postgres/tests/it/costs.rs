//! What commands of the engine cost in round trips of their transaction: the same in a large group as in a small one,
//! and no more than is said here.

use std::sync::Arc;
use std::time::Duration;

use crate::space::open;
use chat_conformance::opened;
use chat_core::command::{
    AddMembers, ConversationSettings, CreateGroup, DeleteMessage, DeletionScope, EditMessage, ForwardMessage,
    Marks, NewReport, OpenDirect, PinMessage, ReactTo, ScheduleMessage, SendMessage, StarMessage,
};
use chat_core::error::ChatResult;
use chat_core::id::{ClientId, UserId};
use chat_core::model::{Muted, NewUser, ReportReason};
use chat_core::store::UserStore;
use chat_core::time::Timestamp;
use chat_core::{Actor, ChatEngine};
use chat_postgres::PostgresStore;

/// Round trips of the transactions of each command, `BEGIN` and `COMMIT` among them.
const COSTS: &[(&str, u64)] = &[
    ("send", 7),
    ("send again", 5),
    ("send with a mention and an answer", 10),
    ("send to somebody", 8),
    ("forward", 8),
    ("edit", 10),
    ("react", 12),
    ("mark read", 9),
    ("pin", 11),
    ("star", 7),
    ("settings", 7),
    ("delete for me", 11),
    ("delete for everyone", 11),
    ("mute a member", 7),
    ("remove a member", 10),
    ("add a member", 9),
    ("report", 10),
    ("schedule", 12),
    ("mute a user", 6),
    ("block", 13),
];

/// Runs commands and writes down what each of them cost.
struct Counting<'s> {
    store: &'s PostgresStore,
    costs: Vec<(&'static str, u64)>,
}

impl Counting<'_> {
    async fn run<T>(&mut self, name: &'static str, command: impl Future<Output = ChatResult<T>>) -> T {
        let before = self.store.stats().write_statements;
        let answer = command.await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        self.costs
            .push((name, self.store.stats().write_statements - before));
        answer
    }
}

fn name(number: usize) -> UserId {
    UserId::new(format!("user-{number:04}")).unwrap()
}

/// Every command once, in a group of so many.
async fn costs(store: &PostgresStore, members: usize) -> Vec<(&'static str, u64)> {
    for number in 0..=members {
        let new = NewUser::new(name(number));
        store.ensure_user(new, Timestamp::default()).await.unwrap();
    }
    let engine = ChatEngine::builder(Arc::new(store.clone())).build();
    let [me, peer, third]: [Actor; 3] = [0, 1, 2].map(|number| engine.as_user(&name(number)));
    let group = CreateGroup {
        name: "Trip".to_owned(),
        member_ids: (1..members).map(name).collect(),
        description: None,
        avatar_attachment_id: None,
        permissions: None,
        custom: None,
        client_id: None,
    };
    let group = me.create_group(group).await.unwrap().conversation.id;
    let open = OpenDirect { user_id: name(1) };
    me.open_direct(open).await.unwrap();
    let theirs = peer
        .send(SendMessage::text(group, "of a peer"))
        .await
        .unwrap()
        .message;
    let keyed = SendMessage::text(group, "hello").with_client_id(ClientId::new("key").unwrap());
    let mut counting = Counting {
        store,
        costs: Vec::new(),
    };
    let sent = counting.run("send", me.send(keyed.clone())).await.message;
    counting.run("send again", me.send(keyed)).await;
    let answer = SendMessage {
        mentions: vec![name(1)],
        reply_to: Some(theirs.id),
        ..SendMessage::text(group, "hello")
    };
    counting
        .run("send with a mention and an answer", me.send(answer))
        .await;
    let direct = SendMessage::text_to(name(1), "hello");
    counting.run("send to somebody", me.send(direct)).await;
    let forward = ForwardMessage {
        message_id: sent.id,
        conversation_id: None,
        recipient_id: Some(name(1)),
        client_id: None,
        silent: false,
        client_time: None,
    };
    counting.run("forward", me.forward(forward)).await;
    let edit = EditMessage {
        message_id: sent.id,
        text: "edited".to_owned(),
        mentions: None,
        expected_version: None,
    };
    counting.run("edit", me.edit(edit)).await;
    let react = ReactTo {
        message_id: theirs.id,
        emoji: "👍".to_owned(),
    };
    counting.run("react", me.add_reaction(react)).await;
    let read = Marks {
        conversation_id: Some(group),
        seq: Some(sent.seq),
        marks: None,
    };
    counting.run("mark read", third.mark_read(read)).await;
    let pin = PinMessage {
        message_id: theirs.id,
        conversation_id: None,
    };
    counting.run("pin", me.pin_message(pin)).await;
    let star = StarMessage {
        message_id: theirs.id,
    };
    counting.run("star", me.star_message(star)).await;
    let settings = ConversationSettings {
        pinned: Some(true),
        ..ConversationSettings::default()
    };
    let settings = me.update_conversation_settings(group, settings);
    counting.run("settings", settings).await;
    let report = NewReport::of_message(theirs.id, ReportReason::Spam);
    let reported = counting.run("report", me.report(report));
    reported.await;
    for (name, scope, message) in [
        ("delete for me", DeletionScope::Me, theirs.id),
        ("delete for everyone", DeletionScope::Everyone, sent.id),
    ] {
        let delete = DeleteMessage {
            message_id: message,
            scope,
        };
        counting.run(name, me.delete_message(delete)).await;
    }
    let mute = me.mute_member(group, third.user_id(), Muted::Forever);
    counting.run("mute a member", mute).await;
    let remove = me.remove_member(group, third.user_id());
    counting.run("remove a member", remove).await;
    let add = AddMembers {
        user_ids: vec![name(members)],
    };
    counting.run("add a member", me.add_members(group, add)).await;
    let later = engine.now().after(Duration::from_secs(3600));
    let later = ScheduleMessage::new(SendMessage::text(group, "later"), later);
    counting.run("schedule", me.schedule(later)).await;
    counting
        .run("mute a user", me.mute_user(&name(1), Muted::Forever))
        .await;
    counting.run("block", me.block(&name(1))).await;
    counting.costs
}

async fn compare() {
    let mut expected = COSTS.to_vec();
    expected.sort_unstable();
    for members in [10, 90] {
        let Some((_guard, store)) = opened(open().await, "postgres", "costs") else {
            return;
        };
        let mut costs = costs(&store, members).await;
        costs.sort_unstable();
        assert_eq!(costs, expected, "{members} members");
    }
}

#[test]
fn commands_cost_the_same_in_a_large_group_as_in_a_small_one() {
    // So many commands in one function need more room in a debug build than a thread of a test has.
    let work = std::thread::Builder::new().stack_size(64 << 20).spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(compare());
    });
    if let Err(panic) = work.unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}
