//! Cases for [`search`](chat_core::store::MessageStore::search): literal, folded, newest first, only what one sees.

use chat_core::config::BlockedInGroup::{self, Collapse, Hide, Show};
use chat_core::id::{MessageId, UserId};
use chat_core::model::{MemberState, Message, MessageKind};
use chat_core::store::{SearchKey, SearchQuery};
use chat_core::text::fold;
use uuid::Uuid;

use crate::fixtures::{AnyStore, NOW, RandomRoom, Room, at, people, system, text, user};

fn query(user: &UserId, typed: &str) -> SearchQuery {
    SearchQuery {
        user: user.clone(),
        now: NOW,
        blocked_in_group: BlockedInGroup::default(),
        text: fold(typed),
        conversation: None,
        sender: None,
        kind: None,
        from: None,
        to: None,
        after: None,
        limit: 100,
    }
}

async fn ids(store: &AnyStore, query: SearchQuery) -> Vec<MessageId> {
    let hits = store.search(&query).await.unwrap();
    hits.into_iter().map(|m| m.id).collect()
}

async fn texts(store: &AnyStore, user: &UserId, typed: &str) -> Vec<String> {
    let hits = store.search(&query(user, typed)).await.unwrap();
    let mut texts: Vec<_> = hits.into_iter().map(|m| m.text).collect();
    texts.sort_unstable();
    texts
}

async fn room_with(store: &AnyStore, words: &[&str]) -> (Room, UserId) {
    let [ann, bob] = people(store, ["ann", "bob"]).await;
    let room = Room::group(store, &[&ann, &bob]).await;
    for words in words {
        room.say(&bob, words).await;
    }
    (room, ann)
}

/// Characters that mean something to query languages stand for themselves.
pub async fn search_is_literal(store: AnyStore) {
    let all = [
        "100%",
        "100 percent",
        "a_b",
        "axb",
        "back\\slash",
        "x.*y",
        "xzzy",
        "it's \"q\"",
        "[a-z]",
        "(a",
        "a*",
        "a?",
    ];
    let (_, ann) = room_with(&store, &all).await;
    for (typed, expected) in [
        ("%", "100%"),
        ("0%", "100%"),
        ("_", "a_b"),
        ("a_b", "a_b"),
        ("\\", "back\\slash"),
        ("k\\s", "back\\slash"),
        (".*", "x.*y"),
        ("x.*y", "x.*y"),
        ("'", "it's \"q\""),
        ("\"q\"", "it's \"q\""),
        ("[a-z]", "[a-z]"),
        ("(", "(a"),
        ("*y", "x.*y"),
        ("a*", "a*"),
        ("?", "a?"),
    ] {
        assert_eq!(texts(&store, &ann, typed).await, [expected], "{typed}");
    }
    assert!(texts(&store, &ann, "\\%").await.is_empty());
    assert!(texts(&store, &ann, "%a%").await.is_empty());
}

/// A substring is enough, down to one character, at any place, across words.
pub async fn a_part_is_enough(store: AnyStore) {
    let (_, ann) = room_with(&store, &["one two three", "two", "o", "zwei"]).await;
    assert_eq!(texts(&store, &ann, "one two three").await, ["one two three"]);
    assert_eq!(texts(&store, &ann, "e t").await, ["one two three"]);
    assert_eq!(texts(&store, &ann, "ree").await, ["one two three"]);
    assert_eq!(texts(&store, &ann, "w").await, ["one two three", "two", "zwei"]);
    assert_eq!(texts(&store, &ann, "o").await.len(), 3);
    assert_eq!(texts(&store, &ann, " ").await, ["one two three"]);
    assert!(texts(&store, &ann, "two one").await.is_empty());
    assert!(texts(&store, &ann, "twoo").await.is_empty());
}

/// Writing without spaces and emoji are found by any part, too.
pub async fn cjk_and_emoji_are_found(store: AnyStore) {
    let words = [
        "今天天气很好",
        "天",
        "東京タワー",
        "👩\u{200d}👩\u{200d}👧 family",
        "👍🏽",
        "안녕하세요",
        "ไทย",
    ];
    let (_, ann) = room_with(&store, &words).await;
    assert_eq!(texts(&store, &ann, "天").await, ["今天天气很好", "天"]);
    assert_eq!(texts(&store, &ann, "天气").await, ["今天天气很好"]);
    assert_eq!(texts(&store, &ann, "京タ").await, ["東京タワー"]);
    assert_eq!(texts(&store, &ann, "👧").await, [words[3]]);
    assert_eq!(texts(&store, &ann, "👍").await, ["👍🏽"]);
    assert_eq!(texts(&store, &ann, "🏽").await, ["👍🏽"]);
    assert_eq!(texts(&store, &ann, "녕하").await, ["안녕하세요"]);
    assert_eq!(texts(&store, &ann, "ไ").await, ["ไทย"]);
    assert!(texts(&store, &ann, "雨").await.is_empty());
}

/// Case does not matter, by Unicode simple case folding: one character to one character, no more.
pub async fn case_is_folded_simply(store: AnyStore) {
    let words = [
        "HeLLo",
        "ПРИВЕТ мир",
        "ΟΔΥΣΣΕΥΣ",
        "Straße",
        "STRASSE",
        "ISTANBUL",
        "İzmir",
        "ÉTÉ",
        "ǅ",
    ];
    let (_, ann) = room_with(&store, &words).await;
    assert_eq!(texts(&store, &ann, "hello").await, ["HeLLo"]);
    assert_eq!(texts(&store, &ann, "Привет МИР").await, ["ПРИВЕТ мир"]);
    assert_eq!(
        texts(&store, &ann, "οδυσσεύς").await,
        [] as [&str; 0],
        "accents matter"
    );
    assert_eq!(texts(&store, &ann, "οδυσσευς").await, ["ΟΔΥΣΣΕΥΣ"]);
    assert_eq!(texts(&store, &ann, "STRAẞE").await, ["Straße"]);
    assert_eq!(texts(&store, &ann, "strasse").await, ["STRASSE"]);
    assert_eq!(texts(&store, &ann, "istanbul").await, ["ISTANBUL"]);
    assert_eq!(texts(&store, &ann, "İZMIR").await, ["İzmir"]);
    assert!(texts(&store, &ann, "izmir").await.is_empty());
    assert_eq!(texts(&store, &ann, "été").await, ["ÉTÉ"]);
    assert_eq!(texts(&store, &ann, "ǆ").await, ["ǅ"]);
}

/// A text is searched as it is now: after an edit by its new words only.
pub async fn edited_texts_are_found_by_their_new_words(store: AnyStore) {
    let (room, ann) = room_with(&store, &[]).await;
    let message = room.say(&user("bob"), "old words").await;
    room.edit(&message, |m| m.text = "NEW words".to_owned()).await;
    assert!(texts(&store, &ann, "old").await.is_empty());
    assert_eq!(texts(&store, &ann, "new").await, ["NEW words"]);
}

/// The longest text is searched to its end.
pub async fn long_texts_are_searched_to_the_end(store: AnyStore) {
    let long = format!("{}needle", "ä".repeat(8_000));
    let (_, ann) = room_with(&store, &[&long]).await;
    assert_eq!(texts(&store, &ann, "Needle").await, [long]);
    assert_eq!(texts(&store, &ann, &"Ä".repeat(250)).await.len(), 1);
}

/// Hits come newest first, equal times by the higher id, and pages of any size make the whole.
pub async fn hits_are_newest_first_in_pages(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let rooms = [
        Room::group(&store, &[&ann, &bob]).await,
        Room::direct(&store, &ann, &bob).await,
    ];
    let mut expected = Vec::new();
    for n in 0..12 {
        let message = Message {
            // Ids against the order of sending, so a store that sorts by seq is found out.
            id: MessageId::from_uuid(Uuid::from_u128(0x7000_0000_0000 - u128::from(n))),
            created_at: at(10 + n / 4),
            ..text(&bob, "hit")
        };
        let message = rooms[usize::try_from(n % 2).unwrap()].send(message).await;
        expected.push((message.created_at, message.id));
    }
    expected.sort_unstable_by(|a, b| b.cmp(a));
    let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    for limit in [1, 3, 5, 12, 13] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = SearchQuery {
                after,
                limit,
                ..query(&ann, "HIT")
            };
            let hits = store.search(&page).await.unwrap();
            assert!(hits.len() <= limit);
            let Some(last) = hits.last() else { break };
            after = Some(SearchKey {
                created_at: last.created_at,
                id: last.id,
            });
            seen.extend(hits.iter().map(|m| m.id));
        }
        assert_eq!(seen, expected, "pages of {limit}");
    }
}

/// Conversation, sender, kind and time each narrow a search; both ends of the time are part of it.
pub async fn filters_narrow_a_search(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let first = Room::group(&store, &[&ann, &bob, &cid]).await;
    let second = Room::group(&store, &[&ann, &bob]).await;
    let mut sent = Vec::new();
    for (room, sender, kind, seconds) in [
        (&first, &bob, MessageKind::Text, 10),
        (&first, &cid, MessageKind::Text, 20),
        (&first, &bob, MessageKind::Image, 30),
        (&second, &bob, MessageKind::Text, 40),
        (&second, &ann, MessageKind::Text, 50),
    ] {
        let message = Message {
            kind,
            created_at: at(seconds),
            ..text(sender, "hit")
        };
        sent.push(room.send(message).await.id);
    }
    let all = query(&ann, "hit");
    let found = async |query| {
        let mut places: Vec<usize> = ids(&store, query)
            .await
            .into_iter()
            .map(|id| sent.iter().position(|sent| *sent == id).unwrap())
            .collect();
        places.reverse();
        places
    };
    assert_eq!(found(all.clone()).await, [0, 1, 2, 3, 4]);
    let conversation = Some(first.id);
    assert_eq!(
        found(SearchQuery {
            conversation,
            ..all.clone()
        })
        .await,
        [0, 1, 2]
    );
    let sender = Some(bob.clone());
    assert_eq!(
        found(SearchQuery {
            sender: sender.clone(),
            ..all.clone()
        })
        .await,
        [0, 2, 3]
    );
    let sender_here = SearchQuery {
        conversation,
        sender,
        ..all.clone()
    };
    assert_eq!(found(sender_here).await, [0, 2]);
    let kind = Some(MessageKind::Image);
    assert_eq!(found(SearchQuery { kind, ..all.clone() }).await, [2]);
    let from = Some(at(20));
    assert_eq!(found(SearchQuery { from, ..all.clone() }).await, [1, 2, 3, 4]);
    let to = Some(at(40));
    assert_eq!(found(SearchQuery { to, ..all.clone() }).await, [0, 1, 2, 3]);
    assert_eq!(
        found(SearchQuery {
            from,
            to,
            ..all.clone()
        })
        .await,
        [1, 2, 3]
    );
    let nobody = Some(user("nobody"));
    assert!(
        found(SearchQuery {
            sender: nobody,
            ..all
        })
        .await
        .is_empty()
    );
}

/// System lines, deleted, hidden, expired and cleared messages are not found.
pub async fn only_visible_messages_are_found(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.say(&bob, "hit cleared").await;
    room.set_private(&ann, |m| m.visible_from = 2).await;
    room.send(Message {
        text: "hit system".to_owned(),
        ..system(&bob, "renamed")
    })
    .await;
    let deleted = room.say(&bob, "hit deleted").await;
    room.delete(&deleted).await;
    let hidden = room.say(&bob, "hit hidden").await;
    room.hide(&ann, &hidden).await;
    room.send(Message {
        expires_at: Some(at(100)),
        ..text(&bob, "hit expired")
    })
    .await;
    room.send(Message {
        silent: true,
        countable: false,
        ..text(&bob, "hit silent")
    })
    .await;
    room.say(&ann, "hit own").await;
    assert_eq!(texts(&store, &ann, "hit").await, ["hit own", "hit silent"]);
    let bobs = texts(&store, &bob, "hit").await;
    assert_eq!(bobs, ["hit cleared", "hit hidden", "hit own", "hit silent"]);
    let earlier = SearchQuery {
        now: at(99),
        ..query(&ann, "expired")
    };
    assert_eq!(ids(&store, earlier).await.len(), 1);
    let kind = Some(MessageKind::System);
    let lines = SearchQuery {
        kind,
        ..query(&ann, "hit")
    };
    assert!(ids(&store, lines).await.is_empty());
}

/// Strangers and past members find nothing, by whatever filter; conversations out of the list are searched.
pub async fn only_members_find(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let strange = Room::group(&store, &[&bob]).await;
    strange.say(&bob, "hit").await;
    for state in [MemberState::Left, MemberState::Removed, MemberState::Dissolved] {
        let past = Room::group(&store, &[&ann, &bob]).await;
        past.say(&bob, "hit").await;
        past.set_public(&ann, move |_, m| m.state = state).await;
        let conversation = Some(past.id);
        assert!(
            ids(
                &store,
                SearchQuery {
                    conversation,
                    ..query(&ann, "hit")
                }
            )
            .await
            .is_empty()
        );
    }
    assert!(texts(&store, &ann, "hit").await.is_empty());
    let conversation = Some(strange.id);
    assert!(
        ids(
            &store,
            SearchQuery {
                conversation,
                ..query(&ann, "hit")
            }
        )
        .await
        .is_empty()
    );
    let hidden = Room::group(&store, &[&ann, &bob]).await;
    hidden.say(&bob, "hit").await;
    hidden
        .set_private(&ann, |m| (m.hidden_seq, m.archived_seq) = (Some(1), Some(1)))
        .await;
    assert_eq!(texts(&store, &ann, "hit").await.len(), 1);
}

/// Somebody who came back finds what he saw, not what was said in between.
pub async fn the_time_between_two_memberships_is_not_found(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.say(&bob, "hit before").await;
    room.leave(&ann).await;
    room.say(&bob, "hit between").await;
    room.rejoin(&ann).await;
    room.say(&bob, "hit after").await;
    assert_eq!(texts(&store, &ann, "hit").await, ["hit after", "hit before"]);
}

/// Messages of users one has blocked are missing only in groups and only under `Hide`.
pub async fn blocked_senders_are_not_found_under_hide(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let group = Room::group(&store, &[&ann, &bob]).await;
    let direct = Room::direct(&store, &ann, &bob).await;
    for room in [&group, &direct] {
        room.say(&bob, "hit").await;
    }
    store.set_block(&ann, &bob, true, at(1)).await.unwrap();
    for (policy, expected) in [(Show, 2), (Collapse, 2), (Hide, 1)] {
        let query = SearchQuery {
            blocked_in_group: policy,
            ..query(&ann, "hit")
        };
        assert_eq!(ids(&store, query).await.len(), expected, "{policy:?}");
    }
}

/// Hits are what a naive reader finds in the rows, over random pasts.
pub async fn hits_equal_a_naive_search(store: AnyStore) {
    let random = RandomRoom::new(&store, 3, 250).await;
    let messages = random.messages().await;
    for user in &random.users {
        for (now, policy) in [(at(60), Collapse), (NOW, Hide)] {
            let eye = random.eye(user, now, policy).await;
            for typed in ["morgen", "%", "_", "天", "👍", "früh"] {
                let query = SearchQuery {
                    now,
                    blocked_in_group: policy,
                    limit: 1_000,
                    ..query(user, typed)
                };
                let mut hits = store.search(&query).await.unwrap();
                hits.sort_by_key(|m| m.seq);
                assert_eq!(
                    hits,
                    eye.found(&messages, &query.text),
                    "{user} {typed} {policy:?}"
                );
            }
        }
    }
}
