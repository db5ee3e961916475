//! Cases for what one member sees of one conversation: unread, mentions, preview, archived, hidden
//! ([`InboxEntry`](chat_core::store::InboxEntry)).

use chat_core::config::BlockedInGroup::{self, Collapse, Hide, Show};
use chat_core::id::UserId;
use chat_core::model::{Message, Muted};
use chat_core::time::Timestamp;

use crate::fixtures::{AnyStore, NOW, RandomRoom, Room, at, message_id, people, system, text};

/// Countable messages of others after the read mark are unread; one's own are not.
pub async fn messages_of_others_after_the_read_mark_are_unread(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    assert_eq!(room.unread(&ann).await, 0);
    room.chatter(&bob, 3).await;
    room.chatter(&ann, 2).await;
    room.chatter(&cid, 1).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (4, Some(1)));
    assert_eq!(entry.conversation, room.row().await);
    assert_eq!(entry.member, room.member(&ann).await);
    assert_eq!(room.unread(&bob).await, 3);
    room.read(&ann, 2).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (2, Some(3)));
    room.read(&ann, 6).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (0, None));
}

/// The first unread message is the first that counts, not the first after the mark.
pub async fn the_first_unread_message_is_one_that_counts(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let gone = room.say(&bob, "deleted").await;
    room.delete(&gone).await;
    room.say(&ann, "own").await;
    room.send(system(&bob, "renamed")).await;
    room.say(&bob, "this").await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (1, Some(4)));
}

/// Silent messages and system lines are not unread and mention nobody.
pub async fn uncountable_messages_are_not_unread(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.send(system(&bob, "renamed")).await;
    room.send(Message {
        silent: true,
        countable: false,
        mentions_all: true,
        ..text(&bob, "psst")
    })
    .await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.mention_count), (0, 0));
    assert_eq!(entry.last_message.unwrap().text, "psst");
}

/// A deleted message is not unread any more and mentions nobody.
pub async fn tombstones_are_not_unread(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let message = Message {
        mentions: vec![ann.clone()],
        ..text(&bob, "hi")
    };
    let message = room.send(message).await;
    room.say(&bob, "ho").await;
    assert_eq!(room.entry(&ann).await.mention_count, 1);
    room.delete(&message).await;
    let entry = room.entry(&ann).await;
    assert_eq!(
        (entry.unread_count, entry.mention_count, entry.first_unread_seq),
        (1, 0, Some(2))
    );
}

/// A message one has hidden is neither unread nor shown, for him alone.
pub async fn hidden_messages_are_not_unread(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    room.say(&bob, "first").await;
    let message = Message {
        mentions_all: true,
        ..text(&bob, "second")
    };
    let message = room.send(message).await;
    room.hide(&ann, &message).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.mention_count), (1, 0));
    assert_eq!(entry.last_message.unwrap().text, "first");
    let entry = room.entry(&cid).await;
    assert_eq!((entry.unread_count, entry.mention_count), (2, 1));
    assert_eq!(entry.last_message.unwrap().text, "second");
}

/// A message is gone from the instant it expires.
pub async fn expired_messages_are_gone_from_that_instant(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.say(&bob, "stays").await;
    room.send(Message {
        expires_at: Some(at(100)),
        mentions: vec![ann.clone()],
        ..text(&bob, "goes")
    })
    .await;
    let just_before = Timestamp::from_millis(at(100).as_millis() - 1);
    for (now, unread, mentions, shown) in [
        (just_before, 2, 1, "goes"),
        (at(100), 1, 0, "stays"),
        (NOW, 1, 0, "stays"),
    ] {
        let entry = room.entry_as(&ann, now, Collapse).await;
        assert_eq!((entry.unread_count, entry.mention_count), (unread, mentions));
        assert_eq!(entry.last_message.unwrap().text, shown);
    }
}

/// In groups, messages of users one has blocked count under `Show`, are shown only under `Collapse`, and are not
/// there under `Hide`; being blocked changes nothing.
pub async fn blocked_senders_count_as_the_policy_says(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    room.say(&cid, "fine").await;
    room.send(Message {
        mentions: vec![ann.clone()],
        ..text(&bob, "blocked")
    })
    .await;
    store.set_block(&ann, &bob, true, at(1)).await.unwrap();
    let expected = [
        (Show, 2, 1, "blocked"),
        (Collapse, 1, 0, "blocked"),
        (Hide, 1, 0, "fine"),
    ];
    for (policy, unread, mentions, shown) in expected {
        let entry = room.entry_as(&ann, NOW, policy).await;
        assert_eq!(
            (entry.unread_count, entry.mention_count),
            (unread, mentions),
            "{policy:?}"
        );
        assert_eq!(entry.last_message.unwrap().text, shown, "{policy:?}");
        let badge = store.badge(&ann, NOW, policy).await.unwrap();
        assert_eq!(
            (badge.unread_messages, badge.mentions),
            (unread, mentions),
            "{policy:?}"
        );
        assert_eq!(room.entry_as(&bob, NOW, policy).await.unread_count, 1);
        assert_eq!(room.entry_as(&cid, NOW, policy).await.unread_count, 1);
    }
    store.set_block(&ann, &bob, false, at(2)).await.unwrap();
    assert_eq!(room.entry_as(&ann, NOW, Hide).await.unread_count, 2);
}

/// In a direct conversation what was written stays as it is after a block.
pub async fn a_block_hides_nothing_in_a_direct(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::direct(&store, &ann, &bob).await;
    room.say(&bob, "hi").await;
    store.set_block(&ann, &bob, true, at(1)).await.unwrap();
    for policy in [Show, Collapse, Hide] {
        let entry = room.entry_as(&ann, NOW, policy).await;
        assert_eq!(entry.unread_count, 1);
        assert_eq!(entry.last_message.unwrap().text, "hi");
    }
}

/// Who left at m5 and came back at m9 never sees m6 to m8; what is from before he came back is not unread.
pub async fn messages_between_two_memberships_do_not_count(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.chatter(&bob, 5).await;
    room.leave(&ann).await;
    let missed = Message {
        mentions_all: true,
        ..text(&bob, "missed")
    };
    for _ in 6..=8 {
        room.send(Message {
            id: message_id(),
            ..missed.clone()
        })
        .await;
    }
    room.rejoin(&ann).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.mention_count), (0, 0));
    assert_eq!(entry.last_message.unwrap().seq, 5);
    room.chatter(&bob, 2).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (2, Some(9)));
    room.set_private(&ann, |member| member.unread_floor = 0).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (7, Some(1)));
    assert_eq!(entry.mention_count, 0);
}

/// Cleared messages are neither unread nor shown.
pub async fn cleared_messages_do_not_count(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.chatter(&bob, 4).await;
    room.set_private(&ann, |member| member.visible_from = 4).await;
    assert_eq!(room.unread(&ann).await, 1);
    room.set_private(&ann, |member| member.visible_from = 5).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (0, None));
    assert_eq!(entry.last_message, None);
    assert_eq!(room.unread(&bob).await, 0);
    room.say(&bob, "new").await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (1, Some(5)));
}

/// Messages up to the floor are not unread, though they can be seen.
pub async fn messages_up_to_the_floor_do_not_count(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.chatter(&bob, 4).await;
    room.set_private(&ann, |member| member.unread_floor = 3).await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (1, Some(4)));
}

/// "Mark unread" counts from the marker on, whatever was read; own messages stay out, cleared ones too.
pub async fn an_unread_marker_wins_over_the_read_mark(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.chatter(&bob, 3).await;
    room.say(&ann, "own").await;
    room.chatter(&bob, 1).await;
    room.read(&ann, 5).await;
    room.set_private(&ann, |member| member.unread_floor = 5).await;
    assert_eq!(room.unread(&ann).await, 0);
    room.set_private(&ann, |member| member.unread_from = Some(3))
        .await;
    let entry = room.entry(&ann).await;
    assert_eq!((entry.unread_count, entry.first_unread_seq), (2, Some(3)));
    assert_eq!(entry.member.read_seq, 5);
    room.set_private(&ann, |member| member.visible_from = 5).await;
    assert_eq!(room.unread(&ann).await, 1);
}

/// Mentions are counted among the unread messages: by name and of everybody, never by oneself.
pub async fn mentions_are_counted_among_the_unread(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    for (sender, names, all) in [
        (&bob, vec![ann.clone(), cid.clone()], false),
        (&bob, vec![cid.clone()], false),
        (&cid, vec![], true),
        (&ann, vec![ann.clone()], true),
    ] {
        room.send(Message {
            mentions: names,
            mentions_all: all,
            ..text(sender, "hey")
        })
        .await;
    }
    assert_eq!(room.entry(&ann).await.mention_count, 2);
    assert_eq!(room.entry(&bob).await.mention_count, 2);
    assert_eq!(room.entry(&cid).await.mention_count, 3);
    room.read(&ann, 1).await;
    assert_eq!(room.entry(&ann).await.mention_count, 1);
}

/// The list shows the newest visible message; of the system lines only that of the beginning.
pub async fn the_preview_is_the_newest_visible_message(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    assert_eq!(room.entry(&ann).await.last_message, None);
    room.send(system(&ann, "member_added")).await;
    assert_eq!(room.entry(&ann).await.last_message, None);
    let begin = room.send(system(&ann, "conversation_created")).await;
    room.send(system(&ann, "member_added")).await;
    assert_eq!(room.entry(&ann).await.last_message, Some(begin));
    let first = room.say(&bob, "first").await;
    let second = room.say(&ann, "second").await;
    room.send(system(&ann, "renamed")).await;
    assert_eq!(room.entry(&bob).await.last_message, Some(second.clone()));
    room.delete(&second).await;
    assert_eq!(room.entry(&bob).await.last_message, Some(first));
}

/// An archived conversation comes back with a newer message of somebody else that counts.
pub async fn a_message_of_somebody_else_unarchives(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let is_archived = async || room.entry(&ann).await.archived;
    room.chatter(&bob, 2).await;
    assert!(!is_archived().await);
    room.set_private(&ann, |member| member.archived_seq = Some(2))
        .await;
    assert!(is_archived().await);
    assert!(!room.entry(&bob).await.archived);
    room.say(&ann, "own").await;
    room.send(system(&bob, "renamed")).await;
    room.send(Message {
        silent: true,
        countable: false,
        ..text(&bob, "psst")
    })
    .await;
    assert!(is_archived().await);
    room.say(&bob, "hi").await;
    assert!(!is_archived().await);
    room.say(&ann, "own again").await;
    assert!(!is_archived().await);
}

/// A conversation archived while it was empty comes back with its first message.
pub async fn an_empty_conversation_can_be_archived_and_hidden(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.set_private(&ann, |member| {
        member.archived_seq = Some(0);
        member.hidden_seq = Some(0);
    })
    .await;
    let entry = room.entry(&ann).await;
    assert!(entry.archived && entry.hidden);
    room.say(&bob, "hi").await;
    let entry = room.entry(&ann).await;
    assert!(!entry.archived && !entry.hidden);
}

/// What comes while a conversation is muted leaves it in the archive, also when the mute has lapsed.
pub async fn a_muted_conversation_stays_archived(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.set_private(&ann, |member| {
        member.archived_seq = Some(0);
        member.muted = Some(Muted::Until(at(100)));
    })
    .await;
    room.say(&bob, "hi").await;
    let archived = async |now| room.entry_as(&ann, now, Collapse).await.archived;
    assert!(archived(at(99)).await);
    assert!(archived(at(100)).await);
    let later = |sender| Message {
        created_at: at(100),
        ..text(sender, "later")
    };
    room.send(later(&ann)).await;
    assert!(archived(at(101)).await, "one's own does not take it out");
    room.send(later(&bob)).await;
    assert!(!archived(at(101)).await);
    room.set_private(&ann, |member| member.muted = Some(Muted::Forever))
        .await;
    assert!(archived(NOW).await);
}

/// A hidden conversation comes back with any newer message that counts, one's own too.
pub async fn a_countable_message_unhides(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let is_hidden = async || room.entry(&ann).await.hidden;
    room.chatter(&bob, 2).await;
    room.set_private(&ann, |member| member.hidden_seq = Some(2)).await;
    assert!(is_hidden().await);
    room.send(system(&bob, "renamed")).await;
    assert!(is_hidden().await);
    room.say(&ann, "own").await;
    assert!(!is_hidden().await);
    room.set_private(&ann, |member| member.hidden_seq = Some(4)).await;
    assert!(is_hidden().await);
    room.say(&bob, "hi").await;
    assert!(!is_hidden().await);
}

/// Counts and preview are what a naive reader counts from the rows, over random pasts and under every policy.
pub async fn counts_equal_a_naive_recount(store: AnyStore) {
    let random = RandomRoom::new(&store, 1, 250).await;
    let messages = random.messages().await;
    for user in &random.users {
        for now in [at(50), at(120), NOW] {
            for policy in [Show, Collapse, Hide] {
                compare(&random, &messages, user, now, policy).await;
            }
        }
    }
}

async fn compare(
    random: &RandomRoom,
    messages: &[Message],
    user: &UserId,
    now: Timestamp,
    policy: BlockedInGroup,
) {
    let eye = random.eye(user, now, policy).await;
    if !eye.member.is_active() {
        return;
    }
    let entry = random.room.entry_as(user, now, policy).await;
    let unread = eye.unread(messages);
    assert_eq!(
        entry.unread_count,
        u64::try_from(unread.len()).unwrap(),
        "{user} {now} {policy:?}"
    );
    assert_eq!(entry.first_unread_seq, unread.first().copied());
    assert_eq!(
        entry.mention_count,
        u64::try_from(eye.mentions(messages)).unwrap()
    );
    assert_eq!(entry.last_message, eye.preview(messages));
}
