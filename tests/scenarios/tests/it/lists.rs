//! What is found beside the list of conversations: pages by number, counts, mentions, what is in common, people.

use chat_core::Actor;
use chat_core::command::{
    AddMembers, ConversationSettings, EditMessage, ListConversations, ListMembers, ListMentions, Mark, Marks,
    PageRequest, SendMessage, SetRole,
};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::ConversationId;
use chat_core::model::{Muted, Role};
use chat_core::store::{InboxCounts, InboxFilter};
use chat_core::view::{ConversationPage, MessageView};

use crate::world::{Chats, World, code, user_id};

for_each_store!(
    pages_by_number_have_totals,
    counts_follow_the_filters,
    mentions_come_from_everywhere,
    what_two_have_in_common,
    members_and_contacts_are_found_by_name,
);

fn page(limit: usize, cursor: Option<String>) -> PageRequest {
    PageRequest {
        limit: Some(limit),
        cursor,
    }
}

async fn numbered(actor: &Actor, number: usize, filter: InboxFilter) -> ChatResult<ConversationPage> {
    let list = ListConversations {
        filter,
        page: page(2, None),
        number: Some(number),
        ..ListConversations::default()
    };
    actor.conversations(list).await
}

fn ids(page: &ConversationPage) -> Vec<ConversationId> {
    page.items.iter().map(|item| item.id).collect()
}

async fn pages_by_number_have_totals(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    for n in 0..5 {
        let group = ada.group_of(&format!("Group {n}"), &[&ben, &cem]).await.id;
        ada.say(group, "x").await;
        world.advance(std::time::Duration::from_secs(1));
    }
    let all = ids(&ada.conversations(ListConversations::default()).await.unwrap());
    let mut seen = Vec::new();
    for number in 1..=4 {
        let page = numbered(&ada, number, InboxFilter::Group).await.unwrap();
        assert_eq!(
            (page.total, page.page, page.pages),
            (Some(5), Some(number), Some(3))
        );
        assert_eq!(page.next_cursor, None);
        seen.extend(ids(&page));
    }
    assert_eq!(seen, all);
    let none = numbered(&ada, 1, InboxFilter::Direct).await.unwrap();
    assert_eq!((none.total, none.pages, none.items.len()), (Some(0), Some(0), 0));
    assert_eq!(
        code(numbered(&ada, 0, InboxFilter::Group).await),
        ErrorCode::InvalidArgument
    );
    let first = ListConversations {
        page: page(2, None),
        ..ListConversations::default()
    };
    let first = ada.conversations(first).await.unwrap();
    assert_eq!((first.total, first.page, first.pages), (None, None, None));
    let both = ListConversations {
        page: page(2, first.next_cursor),
        number: Some(2),
        ..ListConversations::default()
    };
    let refused = ada.conversations(both).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.field()),
        (ErrorCode::InvalidArgument, Some("page"))
    );
}

async fn counts_follow_the_filters(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ben.say(direct, "hi").await;
    let other = ada.direct_with(&cem).await.id;
    let [group, quiet] = [
        ada.group_of("Group", &[&ben, &cem]).await.id,
        ada.group_of("Quiet", &[&ben, &cem]).await.id,
    ];
    let set = async |id, patch| {
        ada.update_conversation_settings(id, patch).await.unwrap();
    };
    let pinned = ConversationSettings {
        pinned: Some(true),
        ..ConversationSettings::default()
    };
    set(group, pinned).await;
    let muted = ConversationSettings {
        muted_until: Some(Some(Muted::Forever)),
        ..ConversationSettings::default()
    };
    set(quiet, muted).await;
    let archived = ConversationSettings {
        archived: Some(true),
        ..ConversationSettings::default()
    };
    set(other, archived).await;
    let expected = InboxCounts {
        listed: 3,
        all: 4,
        unread: 1,
        pinned: 1,
        archived: 1,
        muted: 1,
        direct: 1,
        group: 2,
    };
    assert_eq!(ada.conversation_counts().await.unwrap(), expected);
    ada.read_all().await.unwrap();
    ada.hide(group).await.unwrap();
    let after = InboxCounts {
        listed: 2,
        all: 3,
        unread: 0,
        pinned: 0,
        group: 1,
        ..expected
    };
    assert_eq!(ada.conversation_counts().await.unwrap(), after);
}

async fn mentions_of(actor: &Actor, unread: bool) -> Vec<MessageView> {
    let list = ListMentions {
        unread,
        ..ListMentions::default()
    };
    actor.mentions(list).await.unwrap().items
}

fn texts(messages: &[MessageView]) -> Vec<&str> {
    messages
        .iter()
        .map(|m| m.text.as_deref().unwrap_or_default())
        .collect()
}

async fn mentions_come_from_everywhere(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let one = ben.group_of("One", &[&ada, &cem]).await.id;
    let two = ben.group_of("Two", &[&ada, &cem]).await.id;
    let send = async |group, names: &[&str], text: &str| {
        world.advance(std::time::Duration::from_secs(1));
        let send = SendMessage {
            mentions: names.iter().map(|name| user_id(name)).collect(),
            ..SendMessage::text(group, text)
        };
        ben.send(send).await.unwrap().message
    };
    let first = send(one, &["ada"], "first").await;
    send(two, &["@all"], "all").await;
    send(two, &["cem"], "not her").await;
    let third = send(one, &["ada", "cem"], "third").await;
    assert_eq!(texts(&mentions_of(&ada, true).await), ["third", "all", "first"]);
    let first_page = ListMentions {
        unread: true,
        page: page(2, None),
    };
    let start = ada.mentions(first_page).await.unwrap();
    assert_eq!(texts(&start.items), ["third", "all"]);
    let rest = ListMentions {
        unread: true,
        page: page(2, start.next_cursor.clone()),
    };
    assert_eq!(texts(&ada.mentions(rest).await.unwrap().items), ["first"]);
    let other_list = ListMentions {
        unread: false,
        page: page(2, start.next_cursor),
    };
    assert_eq!(code(ada.mentions(other_list).await), ErrorCode::InvalidCursor);
    let read = Marks {
        conversation_id: Some(one),
        seq: Some(first.seq),
        marks: None,
    };
    ada.mark_read(read).await.unwrap();
    assert_eq!(texts(&mentions_of(&ada, true).await), ["third", "all"]);
    assert_eq!(texts(&mentions_of(&ada, false).await), ["third", "all", "first"]);
    let edit = EditMessage {
        message_id: third.id,
        text: "third".to_owned(),
        mentions: Some(vec![user_id("cem")]),
        expected_version: None,
    };
    ben.edit(edit).await.unwrap();
    assert_eq!(texts(&mentions_of(&ada, false).await), ["all", "first"]);
    ada.block(ben.user_id()).await.unwrap();
    assert!(mentions_of(&ada, false).await.is_empty(), "folded up for her");
    ada.unblock(ben.user_id()).await.unwrap();
    ada.leave(two).await.unwrap();
    assert_eq!(texts(&mentions_of(&ada, false).await), ["first"]);
    let unread = Mark {
        conversation_id: one,
        seq: Some(first.seq),
    };
    ada.mark_unread(unread).await.unwrap();
    assert_eq!(texts(&mentions_of(&ada, true).await), ["first"]);
}

async fn what_two_have_in_common(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let group = ada.group_of("All three", &[&ben, &cem]).await.id;
    let strange = ben
        .group_of("Without ada", &[&cem, &world.user("dora").await])
        .await
        .id;
    let left = ada.group_of("Left", &[&ben, &cem]).await.id;
    ben.leave(left).await.unwrap();
    let common = async |viewer: &Actor, other: &Actor| {
        let page = viewer
            .conversations_with(other.user_id(), PageRequest::default())
            .await
            .unwrap();
        let mut ids: Vec<ConversationId> = page.items.iter().map(|item| item.id).collect();
        ids.sort_unstable();
        ids
    };
    let mut both = vec![direct, group];
    both.sort_unstable();
    assert_eq!(common(&ada, &ben).await, both);
    assert_eq!(common(&ben, &ada).await, both);
    assert!(common(&ben, &cem).await.contains(&strange));
    let first = ada
        .conversations_with(ben.user_id(), page(1, None))
        .await
        .unwrap();
    let rest = ada
        .conversations_with(ben.user_id(), page(1, first.next_cursor.clone()))
        .await
        .unwrap();
    assert_eq!((rest.items.len(), rest.next_cursor), (1, None));
    assert_eq!(
        code(
            ada.conversations_with(cem.user_id(), page(1, first.next_cursor))
                .await
        ),
        ErrorCode::InvalidCursor
    );
    ada.hide(direct).await.unwrap();
    assert_eq!(common(&ada, &ben).await, [group], "as in the list");
    ben.block(ada.user_id()).await.unwrap();
    assert!(common(&ada, &ben).await.is_empty());
    assert!(common(&ben, &ada).await.is_empty());
    for (who, refusal) in [
        ("nobody", ErrorCode::UserNotFound),
        ("ada", ErrorCode::InvalidArgument),
    ] {
        let refused = ada
            .conversations_with(&user_id(who), PageRequest::default())
            .await;
        assert_eq!(code(refused), refusal);
    }
}

async fn members_and_contacts_are_found_by_name(world: World) {
    let [ada, anna, ben, hanna] = world.users(["ada", "anna", "ben", "hanna"]).await;
    for other in [&anna, &ben, &hanna] {
        ada.direct_with(other).await;
    }
    let group = ada.group_of("Group", &[&anna, &ben]).await.id;
    let add = AddMembers {
        user_ids: vec![hanna.user_id().clone()],
    };
    ada.add_members(group, add).await.unwrap();
    let promote = SetRole { role: Role::Admin };
    ada.set_role(group, hanna.user_id(), promote).await.unwrap();
    let members = async |q: Option<&str>, role, page| {
        let list = ListMembers {
            q: q.map(str::to_owned),
            role,
            page,
        };
        let page = ben.find_members(group, list).await.unwrap();
        let names: Vec<String> = page.items.iter().map(|m| m.user.name.clone()).collect();
        (names.join(" "), page.next_cursor)
    };
    let all = PageRequest::default;
    assert_eq!(members(Some("ANN"), None, all()).await.0, "anna hanna");
    assert_eq!(members(Some("ann"), Some(Role::Admin), all()).await.0, "hanna");
    assert_eq!(members(None, Some(Role::Owner), all()).await.0, "ada");
    assert_eq!(members(Some(" "), None, all()).await.0, "ada anna ben hanna");
    let (first, cursor) = members(Some("ann"), None, page(1, None)).await;
    let (second, end) = members(Some("ann"), None, page(1, cursor.clone())).await;
    assert_eq!((first.as_str(), second.as_str(), end), ("anna", "hanna", None));
    let other = ListMembers {
        q: Some("b".to_owned()),
        role: None,
        page: page(1, cursor),
    };
    assert_eq!(
        code(ben.find_members(group, other).await),
        ErrorCode::InvalidCursor
    );
    let long = ListMembers {
        q: Some("x".repeat(501)),
        ..ListMembers::default()
    };
    assert_eq!(
        code(ben.find_members(group, long).await),
        ErrorCode::InvalidArgument
    );
    let stranger = world.user("eve").await;
    assert_eq!(
        code(stranger.find_members(group, ListMembers::default()).await),
        ErrorCode::ConversationNotFound
    );
    let found = ada
        .find_contacts(Some("ann"), PageRequest::default())
        .await
        .unwrap();
    let names: Vec<&str> = found.items.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["anna", "hanna"]);
}
