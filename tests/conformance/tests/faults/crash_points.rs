//! Every command of a list meets every fault at every call it makes to the store. Whatever happens there: a refusal has
//! changed nothing, an answer has, sessions that are connected hear of what stands, and the same command again, on a
//! new engine over the same data, ends where an undisturbed one does.

use chat_conformance::faults::Fault;
use chat_core::command::{CreateGroup, SendMessage, SyncRequest};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::{Actor, ChatEngine};
use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::stage::{
    Act, LONG, Stage, USERS, client_id, connect, of, quiet, scene, sights, told, user_id, without_revs,
};

/// What is there after the command, undisturbed; and how many calls it makes.
async fn undisturbed(act: Act) -> (usize, Vec<Value>) {
    let scene = scene().await;
    scene.faults.watch(&[]);
    act(scene.engine.as_user(&user_id("ada")), scene.stage)
        .await
        .unwrap();
    let calls = scene.faults.seen();
    tokio::time::sleep(LONG).await;
    (calls, sights(&scene.engine).await)
}

async fn disturbed(name: &str, act: Act, call: usize, fault: Fault, after: &[Value]) {
    let scene = scene().await;
    let what = format!("{name}, {fault:?} at call {call}");
    let before = sights(&scene.engine).await;
    let mut sessions = Vec::new();
    for user in USERS {
        sessions.push(connect(&scene.engine, user).await);
    }
    tokio::time::sleep(LONG).await;
    for (_, outbound) in &mut sessions {
        told(outbound);
    }

    scene.faults.fail(&[], call, fault);
    let command = tokio::spawn(act(scene.engine.as_user(&user_id("ada")), scene.stage));
    let outcome = if matches!(fault, Fault::Hang | Fault::HangAfter | Fault::Pause) {
        // Whoever asked goes away; the call may have been one of the engine's own work.
        let mut command = command;
        tokio::select! {
            ended = &mut command => ended.ok(),
            () = scene.faults.failed() => {
                command.abort();
                None
            }
        }
    } else {
        // A panic is a gateway's matter: it knows as little as somebody who got no answer.
        command.await.ok()
    };
    scene.faults.watch(&[]);
    scene.faults.release();
    tokio::time::sleep(LONG).await;

    let now = sights(&scene.engine).await;
    assert!(
        now == before || now == after,
        "{what}: neither done nor left alone: {now:#?}"
    );
    match &outcome {
        Some(Ok(())) => assert_eq!(now, after, "{what}: answered and not done"),
        Some(Err(error)) if error.code() != ErrorCode::OutcomeUnknown => {
            assert_eq!(now, before, "{what}: refused with {error} and done");
        }
        _ => {}
    }
    for (at, (_, outbound)) in sessions.iter_mut().enumerate() {
        let told = told(outbound);
        let changed = without_revs(&before[at]) != without_revs(&now[at]);
        assert!(!changed || !told.is_empty(), "{what}: {} was not told", USERS[at]);
    }

    let again = ChatEngine::builder(scene.inner).build();
    // Done already may be a refusal of its own, as leaving what one has left.
    drop(act(again.as_user(&user_id("ada")), scene.stage).await);
    assert_eq!(sights(&again).await, after, "{what}: once more ends elsewhere");
}

/// The caller goes away at every point where his command waits.
async fn dropped(name: &str, act: Act, after: &[Value]) {
    for turns in 0.. {
        let scene = scene().await;
        let what = format!("{name}, dropped after {turns} turns");
        let before = sights(&scene.engine).await;
        let mut sessions = Vec::new();
        for user in USERS {
            sessions.push(connect(&scene.engine, user).await);
        }
        tokio::time::sleep(LONG).await;
        for (_, outbound) in &mut sessions {
            told(outbound);
        }
        scene.faults.give_way();
        let mut command = act(scene.engine.as_user(&user_id("ada")), scene.stage);
        let mut is_done = false;
        for _ in 0..turns {
            is_done = futures::poll!(&mut command).is_ready();
            if is_done {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(command);
        tokio::time::sleep(LONG).await;

        let now = sights(&scene.engine).await;
        assert!(now == before || now == after, "{what}: half done: {now:#?}");
        for (at, (_, outbound)) in sessions.iter_mut().enumerate() {
            let told = told(outbound);
            let changed = without_revs(&before[at]) != without_revs(&now[at]);
            assert!(!changed || !told.is_empty(), "{what}: {} was not told", USERS[at]);
        }
        if is_done {
            assert!(turns > 2, "{what}: it waits nowhere");
            return;
        }
    }
}

async fn survives_every_fault(name: &str, act: Act) {
    quiet();
    let (calls, after) = undisturbed(act).await;
    assert!(calls > 0, "{name} asks the store nothing");
    for call in 0..calls {
        for fault in Fault::ALL {
            disturbed(name, act, call, fault, &after).await;
        }
    }
    dropped(name, act, &after).await;
}

/// One test per command, and all of them in a list.
macro_rules! for_each_fault {
    ($($command:ident),* $(,)?) => {
        pub(crate) const COMMANDS: &[(&str, Act)] =
            &[$((stringify!($command), |ada, stage| $command(ada, stage).boxed())),*];

        mod for_each_fault {
            $(#[tokio::test(start_paused = true)]
            async fn $command() {
                use futures::FutureExt as _;
                super::survives_every_fault(stringify!($command), |ada, stage| super::$command(ada, stage).boxed()).await;
            })*
        }
    };
}

for_each_fault!(
    send,
    send_to_somebody_new,
    edit,
    delete_for_everyone,
    delete_for_me,
    react,
    read,
    make_a_group,
    add,
    remove,
    rank,
    leave,
    rename,
    pin,
    block,
    archive,
    clear,
);

async fn send(ada: Actor, stage: Stage) -> ChatResult<()> {
    let news = SendMessage::text(stage.group, "news").with_client_id(client_id("k1"));
    ada.send(news).await.map(drop)
}

async fn send_to_somebody_new(ada: Actor, _: Stage) -> ChatResult<()> {
    let hello = SendMessage::text_to(user_id("dan"), "hello").with_client_id(client_id("k2"));
    ada.send(hello).await.map(drop)
}

async fn edit(ada: Actor, stage: Stage) -> ChatResult<()> {
    let edit = json!({ "message_id": stage.mine, "text": "other words" });
    ada.edit(of(edit)).await.map(drop)
}

async fn delete_for_everyone(ada: Actor, stage: Stage) -> ChatResult<()> {
    let delete = json!({ "message_id": stage.mine, "for": "everyone" });
    ada.delete_message(of(delete)).await
}

async fn delete_for_me(ada: Actor, stage: Stage) -> ChatResult<()> {
    let delete = json!({ "message_id": stage.bens, "for": "me" });
    ada.delete_message(of(delete)).await
}

async fn react(ada: Actor, stage: Stage) -> ChatResult<()> {
    let react = json!({ "message_id": stage.bens, "emoji": "x" });
    ada.add_reaction(of(react)).await.map(drop)
}

async fn read(ada: Actor, stage: Stage) -> ChatResult<()> {
    let mark = json!({ "conversation_id": stage.group, "seq": 3 });
    ada.mark_read(of(mark)).await.map(drop)
}

async fn make_a_group(ada: Actor, _: Stage) -> ChatResult<()> {
    let create = CreateGroup {
        client_id: Some(client_id("g1")),
        ..of(json!({ "name": "new", "member_ids": ["ben", "dan"] }))
    };
    ada.create_group(create).await.map(drop)
}

async fn add(ada: Actor, stage: Stage) -> ChatResult<()> {
    let add = json!({ "user_ids": ["dan"] });
    ada.add_members(stage.group, of(add)).await.map(drop)
}

async fn remove(ada: Actor, stage: Stage) -> ChatResult<()> {
    ada.remove_member(stage.group, &user_id("cem")).await.map(drop)
}

async fn rank(ada: Actor, stage: Stage) -> ChatResult<()> {
    let role = json!({ "role": "admin" });
    ada.set_role(stage.group, &user_id("ben"), of(role))
        .await
        .map(drop)
}

async fn leave(ada: Actor, stage: Stage) -> ChatResult<()> {
    ada.leave(stage.group).await.map(drop)
}

async fn rename(ada: Actor, stage: Stage) -> ChatResult<()> {
    let name = json!({ "name": "renamed" });
    ada.update_conversation(stage.group, of(name)).await.map(drop)
}

async fn pin(ada: Actor, stage: Stage) -> ChatResult<()> {
    let pin = json!({ "conversation_id": stage.group, "message_id": stage.bens });
    ada.pin_message(of(pin)).await.map(drop)
}

async fn block(ada: Actor, _: Stage) -> ChatResult<()> {
    ada.block(&user_id("ben")).await.map(drop)
}

async fn archive(ada: Actor, stage: Stage) -> ChatResult<()> {
    let archived = json!({ "archived": true });
    ada.update_conversation_settings(stage.group, of(archived))
        .await
        .map(drop)
}

async fn clear(ada: Actor, stage: Stage) -> ChatResult<()> {
    ada.clear(stage.group).await.map(drop)
}

/// Somebody is removed while he reads: what is written after that is not in the page.
#[tokio::test]
async fn a_removal_while_a_page_is_read_closes_it() {
    for call in ["history", "changed_messages"] {
        let scene = scene().await;
        let [ada, ben] = ["ada", "ben"].map(|name| scene.engine.as_user(&user_id(name)));
        let token = ben.sync(SyncRequest::default()).await.unwrap().token;
        ada.send(SendMessage::text(scene.stage.group, "still for ben"))
            .await
            .unwrap();
        let group = scene.stage.group;
        scene.faults.before(call, move || async move {
            ada.remove_member(group, &user_id("ben")).await.unwrap();
            ada.send(SendMessage::text(group, "not for ben")).await.unwrap();
        });
        let seen = if call == "history" {
            json!(ben.history(group, Default::default()).await.unwrap())
        } else {
            let request = SyncRequest {
                token: Some(token),
                conversations: None,
            };
            json!(ben.sync(request).await.unwrap())
        };
        let seen = seen.to_string();
        assert!(
            seen.contains("still for ben") && !seen.contains("not for ben"),
            "{call}: {seen}"
        );
    }
}
