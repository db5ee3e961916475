//! Stars: one user's own bookmarks.

use chat_core::Actor;
use chat_core::command::{
    DeleteMessage, DeletionScope, PageRequest, ReactTo, StarMessage, StarredMessages, SyncRequest,
};
use chat_core::error::ErrorCode;
use chat_core::id::{ConversationId, MessageId};
use chat_core::view::{StarListDelta, SyncAnswer};

use crate::world::{Chats, World, code, whole_history};

for_each_store!(
    stars_are_mine_alone,
    sync_tells_what_changed,
    the_list_shows_what_one_sees,
    what_is_out_of_sight_makes_room,
);

fn star(message_id: MessageId) -> StarMessage {
    StarMessage { message_id }
}

async fn listed(who: &Actor, conversation_id: Option<ConversationId>) -> Vec<MessageId> {
    let request = StarredMessages {
        conversation_id,
        ..StarredMessages::default()
    };
    let page = who.starred_messages(request).await.unwrap();
    assert!(page.items.iter().all(|message| message.starred == Some(true)));
    page.items.into_iter().map(|message| message.id).collect()
}

async fn since(who: &Actor, token: Option<String>) -> SyncAnswer {
    let request = SyncRequest {
        token,
        ..SyncRequest::default()
    };
    who.sync(request).await.unwrap()
}

fn ids(delta: &StarListDelta) -> (Vec<MessageId>, Vec<MessageId>) {
    let ids = |list: &Vec<chat_core::view::StarView>| list.iter().map(|star| star.message_id).collect();
    (ids(&delta.added), ids(&delta.removed))
}

async fn stars_are_mine_alone(world: World) {
    let [ada, ben, eve] = world.users(["ada", "ben", "eve"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let m = ben.say(direct, "x").await;
    let rev = ada.conversation(direct).await.unwrap().rev;
    let (mut mine, mut theirs) = (world.connect(&ada).await, world.connect(&ben).await);
    let view = ada.star_message(star(m.id)).await.unwrap();
    assert_eq!(view.starred, Some(true));
    let heard = mine.next_named("star_changed").await;
    assert_eq!(heard["message_id"], m.id.to_string());
    assert_eq!(heard["conversation_id"], direct.to_string());
    assert_eq!(
        (heard["starred"].as_bool(), heard["user_rev"].as_u64()),
        (Some(true), Some(1))
    );
    ada.star_message(star(m.id)).await.unwrap();
    assert_eq!(ada.conversation(direct).await.unwrap().rev, rev, "private");
    assert_eq!(ben.message(m.id).await.unwrap().starred, None);

    // What goes to many shows everybody his own stars.
    let react = ReactTo {
        message_id: m.id,
        emoji: "👍".to_owned(),
    };
    ben.toggle_reaction(react.clone()).await.unwrap();
    let to_me = mine.next_named("message_updated").await;
    assert_eq!(to_me["message"]["starred"], true);
    let to_them = theirs.next_named("message_updated").await;
    assert!(to_them["message"].get("starred").is_none());
    theirs.hears_no("star_changed").await;
    let toggled = ben.toggle_reaction(react).await.unwrap();
    assert_eq!(toggled.reactions, None);
    let history = whole_history(&ada, direct).await;
    assert!(history.iter().any(|message| message.starred == Some(true)));

    let view = ada.unstar_message(star(m.id)).await.unwrap();
    assert_eq!(view.starred, None);
    ada.unstar_message(star(m.id)).await.unwrap();
    assert!(listed(&ada, None).await.is_empty());
    assert_eq!(
        code(eve.star_message(star(m.id)).await),
        ErrorCode::MessageNotFound
    );
    assert_eq!(
        code(eve.unstar_message(star(m.id)).await),
        ErrorCode::MessageNotFound
    );
    ada.block(ben.user_id()).await.unwrap();
    ada.star_message(star(m.id)).await.unwrap();
    let host = world.engine.as_host(ada.user_id());
    assert_eq!(
        code(host.star_message(star(m.id)).await),
        ErrorCode::InvalidOperation
    );
    let group = ada.group_of("g", &[&eve, &world.user("cem").await]).await.id;
    let line = whole_history(&ada, group).await.remove(0);
    assert_eq!(
        code(ada.star_message(star(line.id)).await),
        ErrorCode::InvalidOperation
    );
}

async fn sync_tells_what_changed(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let (a, b) = (ada.say(direct, "a").await.id, ada.say(direct, "b").await.id);
    ada.star_message(star(a)).await.unwrap();
    let first = since(&ada, None).await;
    assert_eq!(ids(&first.stars), (vec![a], vec![]));
    assert_eq!(first.stars.added[0].conversation_id, direct);
    ada.star_message(star(b)).await.unwrap();
    ada.unstar_message(star(a)).await.unwrap();
    let next = since(&ada, Some(first.token)).await;
    assert_eq!(ids(&next.stars), (vec![b], vec![a]));
    assert!(next.conversations.is_empty(), "nothing else has changed");
    let last = since(&ada, Some(next.token)).await;
    assert_eq!(last.stars, StarListDelta::default());
    assert_eq!(since(&ben, None).await.stars, StarListDelta::default());
}

async fn the_list_shows_what_one_sees(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let mut m = Vec::new();
    for (place, text) in [(direct, "a"), (group, "b"), (direct, "c"), (group, "d")] {
        m.push(ada.say(place, text).await.id);
    }
    for message in [m[2], m[0], m[3], m[1]] {
        ben.star_message(star(message)).await.unwrap();
    }
    assert_eq!(listed(&ben, None).await, [m[1], m[3], m[0], m[2]]);
    assert_eq!(listed(&ben, Some(group)).await, [m[1], m[3]]);
    let request = |cursor| StarredMessages {
        conversation_id: None,
        page: PageRequest {
            limit: Some(3),
            cursor,
        },
    };
    let page = ben.starred_messages(request(None)).await.unwrap();
    assert_eq!(page.items.len(), 3);
    let of_group = StarredMessages {
        conversation_id: Some(group),
        ..request(page.next_cursor.clone())
    };
    assert_eq!(
        code(ben.starred_messages(of_group).await),
        ErrorCode::InvalidCursor
    );
    let rest = ben.starred_messages(request(page.next_cursor)).await.unwrap();
    assert_eq!(rest.items[0].id, m[2]);
    assert!(rest.next_cursor.is_none());

    let delete = |message_id, scope| DeleteMessage { message_id, scope };
    ada.delete_message(delete(m[0], DeletionScope::Everyone))
        .await
        .unwrap();
    ben.delete_message(delete(m[2], DeletionScope::Me)).await.unwrap();
    assert_eq!(listed(&ben, None).await, [m[1], m[3]]);
    assert_eq!(
        code(ben.star_message(star(m[2])).await),
        ErrorCode::MessageNotFound
    );
    assert_eq!(
        code(ada.star_message(star(m[0])).await),
        ErrorCode::InvalidOperation
    );
    ben.leave(group).await.unwrap();
    assert!(listed(&ben, None).await.is_empty());
    let foreign = StarredMessages {
        conversation_id: Some(group),
        ..StarredMessages::default()
    };
    assert_eq!(
        code(ben.starred_messages(foreign).await),
        ErrorCode::ConversationNotFound
    );
}

async fn what_is_out_of_sight_makes_room(world: World) {
    let world = world.with_config(|config| config.limits.stars_per_user = 2);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut m = Vec::new();
    for text in ["a", "b", "c", "d"] {
        m.push(ada.say(direct, text).await.id);
    }
    ben.star_message(star(m[0])).await.unwrap();
    ben.star_message(star(m[1])).await.unwrap();
    assert_eq!(code(ben.star_message(star(m[2])).await), ErrorCode::Conflict);
    ben.star_message(star(m[1])).await.unwrap();
    let hide = DeleteMessage {
        message_id: m[0],
        scope: DeletionScope::Me,
    };
    ben.delete_message(hide).await.unwrap();
    let token = since(&ben, None).await.token;
    ben.star_message(star(m[2])).await.unwrap();
    assert_eq!(code(ben.star_message(star(m[3])).await), ErrorCode::Conflict);
    assert_eq!(listed(&ben, None).await, [m[2], m[1]]);
    let told = since(&ben, Some(token)).await.stars;
    assert_eq!(ids(&told), (vec![m[2]], vec![m[0]]));
}
