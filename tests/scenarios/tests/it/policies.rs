//! Every policy switch in both positions, and the list of them: a new switch has to name its test here.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{CreateGroup, DeleteMessage, DeletionScope, EditMessage, Marks, SendMessage};
use chat_core::config::{ChatConfig, DeliveredOn, RollUp};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::{ConversationId, MessageId};
use chat_core::view::{CreateGroupAnswer, Status};

use crate::world::{Chats, World, code, user_id};

for_each_store!(
    sending_reads_or_does_not,
    delivery_is_told_by_the_client_or_by_the_connection,
    a_status_follows_from_all_recipients_or_from_any,
    lines_of_the_engine_count_or_do_not,
    groups_begin_with_as_many_as_the_policy_says,
    deleting_for_everyone_has_a_window_or_none,
    editing_has_a_window_or_none,
    tokens_make_users_or_do_not,
);

/// Each switch and where both of its positions are tested.
const SWITCHES: &[(&str, &str)] = &[
    (
        "read_on_send",
        "tests/scenarios/tests/it/policies.rs::sending_reads_or_does_not",
    ),
    (
        "delivered_on",
        "tests/scenarios/tests/it/policies.rs::delivery_is_told_by_the_client_or_by_the_connection",
    ),
    (
        "rollup",
        "tests/scenarios/tests/it/policies.rs::a_status_follows_from_all_recipients_or_from_any",
    ),
    (
        "system_countable",
        "tests/scenarios/tests/it/policies.rs::lines_of_the_engine_count_or_do_not",
    ),
    (
        "group_min_members",
        "tests/scenarios/tests/it/policies.rs::groups_begin_with_as_many_as_the_policy_says",
    ),
    (
        "delete_for_everyone_window",
        "tests/scenarios/tests/it/policies.rs::deleting_for_everyone_has_a_window_or_none",
    ),
    (
        "edit_window",
        "tests/scenarios/tests/it/policies.rs::editing_has_a_window_or_none",
    ),
    (
        "blocked_in_group",
        "tests/conformance/src/store/inbox.rs::blocked_senders_count_as_the_policy_says",
    ),
    (
        "history_for_new_members",
        "chat-core/tests/it/members.rs::newcomers_may_see_everything_by_policy",
    ),
    (
        "owner_leave",
        "chat-core/tests/it/leaving.rs::an_owner_may_have_to_hand_over_first",
    ),
    (
        "push_when_online",
        "chat-core/src/access/push.rs::online_users_hear_silently_where_the_policy_says_so",
    ),
    (
        "push_delay",
        "chat-core/src/access/push.rs::who_is_connected_and_looks_away_has_a_moment",
    ),
    (
        "push_life_direct",
        "chat-core/tests/it/push_delivery.rs::a_push_is_given_up_when_its_life_is_over",
    ),
    (
        "push_life_group",
        "chat-core/tests/it/push_delivery.rs::a_push_is_given_up_when_its_life_is_over",
    ),
    (
        "edit_history",
        "tests/scenarios/tests/it/edit_history.rs::the_policy_says_who_reads_it",
    ),
    (
        "forward_shows_sender",
        "tests/scenarios/tests/it/forwarding.rs::the_first_origin_is_kept_and_may_be_kept_silent",
    ),
    (
        "push_disappearing_content",
        "chat-core/tests/it/push.rs::words_that_disappear_are_pushed_by_policy_only",
    ),
    (
        "mention_breaks_mute",
        "chat-core/src/access/push.rs::mentions_pass_levels_and_by_policy_mutes",
    ),
    (
        "create_users_from_tokens",
        "tests/scenarios/tests/it/policies.rs::tokens_make_users_or_do_not",
    ),
    (
        "retention_direct",
        "tests/scenarios/tests/it/retention.rs::old_messages_are_nowhere",
    ),
    (
        "retention_group",
        "tests/scenarios/tests/it/retention.rs::a_conversation_has_a_retention_of_its_own",
    ),
    (
        "retention_receipt_times",
        "tests/scenarios/tests/it/retention.rs::receipt_times_are_forgotten",
    ),
    (
        "self_export",
        "tests/scenarios/tests/it/personal.rs::users_erase_and_export_themselves_where_the_host_lets_them",
    ),
    (
        "self_erase",
        "tests/scenarios/tests/it/personal.rs::users_erase_and_export_themselves_where_the_host_lets_them",
    ),
    (
        "large_group_threshold",
        "chat-core/tests/it/members.rs::large_groups_get_no_lines_for_comings_and_goings",
    ),
];

#[tokio::test]
async fn every_switch_names_its_test() {
    let world = World::memory().await;
    let capabilities = world.engine.capabilities();
    let listed: BTreeSet<&str> = capabilities
        .policies
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let named: BTreeSet<&str> = SWITCHES.iter().map(|(switch, _)| *switch).collect();
    assert_eq!(listed, named);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (switch, test) in SWITCHES {
        let (file, name) = test.split_once("::").unwrap();
        let source = std::fs::read_to_string(root.join(file)).unwrap();
        assert!(
            source.contains(&format!("fn {name}(")),
            "{switch}: no test {name} in {file}"
        );
    }
}

async fn sending_reads_or_does_not(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ben.say(direct, "one").await;
    ada.say(direct, "two").await;
    assert_eq!(ada.conversation(direct).await.unwrap().my.read_seq, 0);
    assert_eq!(ada.unread(direct).await, 1);
    let world = world.with_config(|config| config.policies.read_on_send = true);
    let ada = world.engine.as_user(&user_id("ada"));
    ada.say(direct, "three").await;
    assert_eq!(ada.conversation(direct).await.unwrap().my.read_seq, 3);
    assert_eq!(ada.unread(direct).await, 0);
}

async fn delivery_is_told_by_the_client_or_by_the_connection(world: World) {
    for (policy, delivered) in [(DeliveredOn::ClientAck, 0), (DeliveredOn::Emit, 1)] {
        let world = World::memory()
            .await
            .with_config(|config| config.policies.delivered_on = policy);
        let [ada, ben] = world.users(["ada", "ben"]).await;
        let direct = ada.direct_with(&ben).await.id;
        let (mut phone, mut hers) = (world.connect(&ben).await, world.connect(&ada).await);
        let sent = ada.say(direct, "hello").await;
        phone.next_named("message_created").await;
        if policy == DeliveredOn::Emit {
            let receipt = hers.next_named("receipt_updated").await;
            assert_eq!(receipt["delivered_seq"].as_u64(), Some(sent.seq));
        }
        let counts = ada.message(sent.id).await.unwrap().receipts.unwrap();
        assert_eq!(counts.delivered, delivered);
    }
    drop(world);
}

async fn a_status_follows_from_all_recipients_or_from_any(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let sent = ada.say(group, "hello").await;
    read(&ben, group, sent.seq).await;
    assert_eq!(ada.message(sent.id).await.unwrap().status, Some(Status::Sent));
    let any = world.with_config(|config| config.policies.rollup = RollUp::Any);
    let ada = any.engine.as_user(&user_id("ada"));
    let seen = ada.message(sent.id).await.unwrap();
    assert_eq!(seen.status, Some(Status::Read));
    assert_eq!(
        (seen.receipts.unwrap().read, seen.receipts.unwrap().recipients),
        (1, 2)
    );
}

async fn read(actor: &Actor, conversation: ConversationId, seq: u64) {
    let mark = Marks {
        conversation_id: Some(conversation),
        seq: Some(seq),
        marks: None,
    };
    actor.mark_read(mark).await.unwrap();
}

async fn lines_of_the_engine_count_or_do_not(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    assert_eq!(ben.unread(group).await, 0);
    let world = world.with_config(|config| config.policies.system_countable = true);
    let [ada, ben] = ["ada", "ben"].map(|name| world.engine.as_user(&user_id(name)));
    ada.remove_member(group, &user_id("cem")).await.unwrap();
    assert_eq!(ben.unread(group).await, 1);
    assert_eq!(ada.unread(group).await, 0, "not for who caused it");
}

async fn groups_begin_with_as_many_as_the_policy_says(world: World) {
    let [ada, _ben] = world.users(["ada", "ben"]).await;
    assert_eq!(code(group(&ada, &["ben"]).await), ErrorCode::GroupTooSmall);
    let world = world.with_config(|config| config.policies.group_min_members = 1);
    let ada = world.engine.as_user(&user_id("ada"));
    let alone = group(&ada, &[]).await.unwrap().conversation;
    assert_eq!(alone.member_count, 1);
    // A place for notes to oneself, which a direct conversation is not.
    ada.say(alone.id, "note").await;
    assert_eq!(ada.texts(alone.id).await, ["note"]);
    let oneself = SendMessage::text_to(user_id("ada"), "note");
    assert_eq!(code(ada.send(oneself).await), ErrorCode::CannotMessageSelf);
}

async fn group(actor: &Actor, others: &[&str]) -> ChatResult<CreateGroupAnswer> {
    let create = CreateGroup {
        name: "Group".to_owned(),
        member_ids: others.iter().map(|name| user_id(name)).collect(),
        description: None,
        avatar_attachment_id: None,
        permissions: None,
        custom: None,
        client_id: None,
    };
    actor.create_group(create).await
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);

async fn deleting_for_everyone_has_a_window_or_none(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let sent = ada.say(direct, "hello").await;
    world.advance(YEAR);
    let delete = DeleteMessage {
        message_id: sent.id,
        scope: DeletionScope::Everyone,
    };
    assert_eq!(
        code(ada.delete_message(delete.clone()).await),
        ErrorCode::WindowClosed
    );
    let world = world.with_config(|config| config.policies.delete_for_everyone_window = None);
    let ada = world.engine.as_user(&user_id("ada"));
    ada.delete_message(delete).await.unwrap();
    assert!(ben.texts(direct).await.is_empty());
}

async fn editing_has_a_window_or_none(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let sent = ada.say(direct, "hello").await;
    world.advance(YEAR);
    ada.edit(edit(sent.id, "edited")).await.unwrap();
    let hour = |config: &mut ChatConfig| config.policies.edit_window = Some(Duration::from_secs(3_600));
    let world = world.with_config(hour);
    let ada = world.engine.as_user(&user_id("ada"));
    assert_eq!(
        code(ada.edit(edit(sent.id, "again")).await),
        ErrorCode::WindowClosed
    );
    assert_eq!(ben.texts(direct).await, ["edited"]);
}

fn edit(message_id: MessageId, text: &str) -> EditMessage {
    EditMessage {
        message_id,
        text: text.to_owned(),
        mentions: None,
        expected_version: None,
    }
}

async fn tokens_make_users_or_do_not(world: World) {
    let ada = world.user("ada").await;
    let world = world.with_config(|config| config.policies.create_users_from_tokens = false);
    let stranger = world.engine.as_user(&user_id("stranger"));
    assert_eq!(
        code(world.try_connect(&stranger).await.map(drop)),
        ErrorCode::TokenInvalid
    );
    world.connect(&ada).await;
}
