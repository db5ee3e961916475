//! Cases for [`history`](chat_core::store::MessageStore::history): anchors, pages, what one member sees.

use chat_core::config::BlockedInGroup::{self, Collapse, Hide, Show};
use chat_core::id::UserId;
use chat_core::model::{MemberState, Message, MessageKind, Seq};
use chat_core::store::{Anchor, History, HistoryQuery, Viewer};

use crate::fixtures::{AnyStore, NOW, RandomRoom, Room, at, people, text};

fn seqs(page: &History) -> Vec<Seq> {
    page.messages.iter().map(|m| m.seq).collect()
}

async fn ask(
    room: &Room,
    viewer: Viewer,
    anchor: Anchor,
    limit: usize,
    kind: Option<MessageKind>,
) -> History {
    let query = HistoryQuery {
        viewer,
        anchor,
        limit,
        kind,
    };
    room.store.history(&query).await.unwrap()
}

/// A page by its seqs and whether there is more before and after it.
type Page = (Vec<Seq>, bool, bool);

async fn pages(room: &Room, user: &UserId, expected: &[(Anchor, usize, Page)]) {
    for (anchor, limit, page) in expected {
        let got = room.history(user, *anchor, *limit).await;
        let got = (seqs(&got), got.has_more_before, got.has_more_after);
        assert_eq!(got, *page, "{anchor:?}, limit {limit}");
    }
}

/// The newest page ends with the newest message.
pub async fn the_newest_page(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    pages(&room, &ann, &[(Anchor::Newest, 3, (vec![], false, false))]).await;
    let messages = room.chatter(&ann, 5).await;
    pages(
        &room,
        &ann,
        &[
            (Anchor::Newest, 3, (vec![3, 4, 5], true, false)),
            (Anchor::Newest, 5, (vec![1, 2, 3, 4, 5], false, false)),
            (Anchor::Newest, 100, (vec![1, 2, 3, 4, 5], false, false)),
        ],
    )
    .await;
    assert_eq!(room.history(&ann, Anchor::Newest, 9).await.messages, messages);
}

/// `Before` and `After` leave their anchor out; anchors beyond the ends are legal.
pub async fn before_and_after_are_exclusive(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    room.chatter(&ann, 5).await;
    pages(
        &room,
        &ann,
        &[
            (Anchor::Before(4), 2, (vec![2, 3], true, true)),
            (Anchor::Before(4), 3, (vec![1, 2, 3], false, true)),
            (Anchor::Before(6), 9, (vec![1, 2, 3, 4, 5], false, false)),
            (Anchor::Before(1), 2, (vec![], false, true)),
            (Anchor::Before(0), 2, (vec![], false, true)),
            (Anchor::Before(1_000), 2, (vec![4, 5], true, false)),
            (Anchor::Before(u64::MAX), 2, (vec![4, 5], true, false)),
            (Anchor::After(2), 2, (vec![3, 4], true, true)),
            (Anchor::After(2), 3, (vec![3, 4, 5], true, false)),
            (Anchor::After(0), 9, (vec![1, 2, 3, 4, 5], false, false)),
            (Anchor::After(5), 2, (vec![], true, false)),
            (Anchor::After(1_000), 2, (vec![], true, false)),
            (Anchor::After(u64::MAX), 2, (vec![], true, false)),
        ],
    )
    .await;
}

/// `Around` puts up to half of the page before its anchor; a side with too few leaves its room to the other.
pub async fn around_fills_the_page_from_both_sides(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    room.chatter(&ann, 9).await;
    let all: Vec<Seq> = (1..=9).collect();
    pages(
        &room,
        &ann,
        &[
            (Anchor::Around(5), 4, (vec![3, 4, 5, 6], true, true)),
            (Anchor::Around(5), 5, (vec![3, 4, 5, 6, 7], true, true)),
            (Anchor::Around(5), 1, (vec![5], true, true)),
            (Anchor::Around(1), 4, (vec![1, 2, 3, 4], false, true)),
            (Anchor::Around(2), 4, (vec![1, 2, 3, 4], false, true)),
            (Anchor::Around(3), 4, (vec![1, 2, 3, 4], false, true)),
            (Anchor::Around(9), 4, (vec![6, 7, 8, 9], true, false)),
            (Anchor::Around(8), 4, (vec![6, 7, 8, 9], true, false)),
            (Anchor::Around(7), 4, (vec![5, 6, 7, 8], true, true)),
            (Anchor::Around(0), 4, (vec![1, 2, 3, 4], false, true)),
            (Anchor::Around(1_000), 4, (vec![6, 7, 8, 9], true, false)),
            (Anchor::Around(u64::MAX), 4, (vec![6, 7, 8, 9], true, false)),
            (Anchor::Around(5), 9, (all.clone(), false, false)),
            (Anchor::Around(2), 100, (all, false, false)),
        ],
    )
    .await;
}

/// Messages a viewer does not see neither shorten a page nor count as more.
pub async fn invisible_messages_do_not_shorten_a_page(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let messages = room.chatter(&bob, 12).await;
    for n in [0, 3, 4, 5, 8, 11] {
        room.hide(&ann, &messages[n]).await;
    }
    // She sees 2 3 7 8 10 11.
    pages(
        &room,
        &ann,
        &[
            (Anchor::Newest, 3, (vec![8, 10, 11], true, false)),
            (Anchor::Newest, 6, (vec![2, 3, 7, 8, 10, 11], false, false)),
            (Anchor::Before(7), 2, (vec![2, 3], false, true)),
            (Anchor::After(3), 2, (vec![7, 8], true, true)),
            (Anchor::After(8), 2, (vec![10, 11], true, false)),
            (Anchor::After(11), 2, (vec![], true, false)),
            (Anchor::Before(2), 2, (vec![], false, true)),
            (Anchor::Around(5), 4, (vec![2, 3, 7, 8], false, true)),
            (Anchor::Around(12), 4, (vec![7, 8, 10, 11], true, false)),
        ],
    )
    .await;
    assert_eq!(room.history(&bob, Anchor::Newest, 100).await.messages.len(), 12);
}

/// Deleted messages stay in history as tombstones, and fill a page as others do.
pub async fn tombstones_stay_in_history(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let messages = room.chatter(&bob, 3).await;
    room.delete(&messages[1]).await;
    let page = room.history(&ann, Anchor::Newest, 2).await;
    assert_eq!(seqs(&page), [2, 3]);
    assert!(page.messages[0].is_deleted());
    room.hide(&ann, &messages[1]).await;
    let page = room.history(&ann, Anchor::Newest, 2).await;
    assert_eq!(seqs(&page), [1, 3], "a tombstone can be hidden");
}

/// With a kind, the page and what lies beyond it speak of that kind; tombstones keep theirs.
pub async fn a_kind_filters_the_page_and_what_lies_beyond(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let mut images = Vec::new();
    for n in 1..=9 {
        let kind = if n % 3 == 0 {
            MessageKind::Image
        } else {
            MessageKind::Text
        };
        let message = Message {
            kind,
            ..text(&ann, "x")
        };
        images.push(room.send(message).await);
    }
    room.delete(&images[5]).await;
    let viewer = room.viewer(&ann).await;
    for (anchor, limit, expected) in [
        (Anchor::Newest, 2, (vec![6, 9], true, false)),
        (Anchor::Newest, 3, (vec![3, 6, 9], false, false)),
        (Anchor::Before(9), 1, (vec![6], true, true)),
        (Anchor::After(6), 5, (vec![9], true, false)),
        (Anchor::After(9), 5, (vec![], true, false)),
        (Anchor::Around(5), 2, (vec![3, 6], false, true)),
    ] {
        let page = ask(&room, viewer.clone(), anchor, limit, Some(MessageKind::Image)).await;
        let got = (seqs(&page), page.has_more_before, page.has_more_after);
        assert_eq!(got, expected, "{anchor:?}, limit {limit}");
    }
    let page = ask(&room, viewer, Anchor::Newest, 9, Some(MessageKind::Video)).await;
    assert_eq!(
        (seqs(&page), page.has_more_before, page.has_more_after),
        (vec![], false, false)
    );
}

/// A member sees his memberships and not the time between, nothing he cleared, and nothing once he left.
pub async fn history_lies_inside_the_memberships(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.chatter(&bob, 5).await;
    room.leave(&ann).await;
    room.chatter(&bob, 3).await;
    assert!(room.history(&ann, Anchor::Newest, 9).await.messages.is_empty());
    room.rejoin(&ann).await;
    room.chatter(&bob, 2).await;
    pages(
        &room,
        &ann,
        &[
            (Anchor::Newest, 4, (vec![4, 5, 9, 10], true, false)),
            (Anchor::After(5), 1, (vec![9], true, true)),
            (Anchor::Before(9), 9, (vec![1, 2, 3, 4, 5], false, true)),
        ],
    )
    .await;
    room.set_private(&ann, |m| m.visible_from = 5).await;
    pages(
        &room,
        &ann,
        &[(Anchor::Newest, 9, (vec![5, 9, 10], false, false))],
    )
    .await;
    let mut viewer = room.viewer(&ann).await;
    viewer.member.state = MemberState::Removed;
    let page = ask(&room, viewer, Anchor::Newest, 9, None).await;
    assert_eq!(
        (seqs(&page), page.has_more_before, page.has_more_after),
        (vec![], false, false)
    );
}

/// A message is in history until the instant it expires, for everyone.
pub async fn expired_messages_leave_history(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.say(&bob, "stays").await;
    let expiring = Message {
        expires_at: Some(at(100)),
        ..text(&bob, "goes")
    };
    room.send(expiring).await;
    for (user, seconds, expected) in [(&ann, 99, vec![1, 2]), (&ann, 100, vec![1]), (&bob, 101, vec![1])] {
        let viewer = Viewer {
            now: at(seconds),
            ..room.viewer(user).await
        };
        assert_eq!(seqs(&ask(&room, viewer, Anchor::Newest, 9, None).await), expected);
    }
}

/// Messages of users the viewer blocked are missing only in groups and only under `Hide`.
pub async fn blocked_senders_leave_history_under_hide(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let group = Room::group(&store, &[&ann, &bob, &cid]).await;
    let direct = Room::direct(&store, &ann, &bob).await;
    for room in [&group, &direct] {
        room.say(&ann, "own").await;
        room.say(&bob, "blocked").await;
    }
    store.set_block(&ann, &bob, true, at(1)).await.unwrap();
    let seen = async |room: &Room, user: &UserId, policy: BlockedInGroup| {
        let viewer = Viewer {
            blocked_in_group: policy,
            ..room.viewer(user).await
        };
        seqs(&ask(room, viewer, Anchor::Newest, 9, None).await)
    };
    for policy in [Show, Collapse] {
        assert_eq!(seen(&group, &ann, policy).await, [1, 2]);
    }
    assert_eq!(seen(&group, &ann, Hide).await, [1]);
    assert_eq!(seen(&group, &bob, Hide).await, [1, 2]);
    assert_eq!(seen(&group, &cid, Hide).await, [1, 2]);
    assert_eq!(seen(&direct, &ann, Hide).await, [1, 2]);
}

/// Pages are what a naive reader takes from the rows, over random pasts, anchors and policies.
pub async fn pages_equal_a_naive_reading(store: AnyStore) {
    let random = RandomRoom::new(&store, 2, 250).await;
    let messages = random.messages().await;
    for user in &random.users {
        for (now, policy) in [(at(60), Collapse), (NOW, Hide)] {
            let eye = random.eye(user, now, policy).await;
            for seq in (0..=messages.len() + 1)
                .step_by(7)
                .map(|seq| u64::try_from(seq).unwrap())
            {
                let limit = usize::try_from(1 + seq % 10).unwrap();
                let kind = (seq % 3 == 0).then_some(MessageKind::Image);
                for anchor in [
                    Anchor::Newest,
                    Anchor::Before(seq),
                    Anchor::After(seq),
                    Anchor::Around(seq),
                ] {
                    let viewer = Viewer {
                        member: eye.member.clone(),
                        now,
                        blocked_in_group: policy,
                        group: true,
                    };
                    let page = ask(&random.room, viewer, anchor, limit, kind).await;
                    let expected = eye.page(&messages, anchor, limit, kind);
                    assert_eq!(page, expected, "{user} {anchor:?} {limit} {kind:?}");
                }
            }
        }
    }
}
