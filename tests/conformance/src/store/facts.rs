//! Cases for what a decision gets to see: [`Facts`](chat_core::store::Facts) hold what its
//! [`Needs`] ask for, and nothing else.

use chat_core::id::{AttachmentId, ClientId, ConversationId, UserId};
use chat_core::model::{DirectPair, Message, Muted, Restrictions, UserPatch};
use chat_core::store::{MembersNeeded, Needs, Target};
use chat_core::time::Timestamp;
use uuid::Uuid;

use crate::fixtures::{AnyStore, Room, at, attachment, message_id, people, see, text, user};

fn with_client_id(sender: &UserId, client_id: &str) -> Message {
    Message {
        client_id: Some(ClientId::new(client_id).unwrap()),
        ..text(sender, "once")
    }
}

/// Of a conversation that does not exist a decision sees nothing, whatever it asks for.
pub async fn a_missing_conversation_has_no_facts(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let nowhere = ConversationId::from_uuid(Uuid::now_v7());
    let pair = DirectPair::new(&ann, &bob).unwrap();
    for target in [Target::Conversation(nowhere), Target::Direct(pair)] {
        let mut needs = Needs::new(target);
        needs.members = MembersNeeded::All;
        needs.messages = vec![message_id()];
        needs.replay = Some((ann.clone(), ClientId::new("c-1").unwrap()));
        needs.reactions = Some(message_id());
        needs.hidden_by = Some(ann.clone());
        let facts = see(&store, needs).await;
        assert!(facts.conversation.is_none());
        assert!(facts.members.is_empty() && facts.messages.is_empty() && facts.hidden.is_empty());
        assert!(facts.replay.is_none() && facts.reactions.is_empty());
    }
}

/// Users, blocks and files are seen also where there is no conversation yet.
pub async fn a_first_message_sees_blocks_files_and_users(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    store.set_block(&bob, &ann, true, at(1)).await.unwrap();
    let file = attachment(&ann);
    store.add_attachment(file.clone()).await.unwrap();
    let mut needs = Needs::new(Target::Direct(DirectPair::new(&ann, &bob).unwrap()));
    needs.blocks = Some((ann.clone(), vec![bob.clone()]));
    needs.attachments = vec![file.id];
    needs.user_revs = vec![bob.clone()];
    let facts = see(&store, needs).await;
    assert!(facts.is_blocked(&bob, &ann));
    assert_eq!(facts.attachments[&file.id], file);
    assert_eq!(facts.user_revs[&bob], 1);
}

/// The conversation is found by its id and by its pair.
pub async fn the_conversation_is_always_seen(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::direct(&store, &ann, &bob).await;
    room.say(&ann, "hi").await;
    let row = room.row().await;
    let pair = DirectPair::new(&bob, &ann).unwrap();
    for target in [Target::Conversation(room.id), Target::Direct(pair)] {
        let facts = see(&store, Needs::new(target)).await;
        assert_eq!(facts.conversation.as_ref(), Some(&row));
    }
}

/// What was not asked for is not loaded.
pub async fn nothing_is_seen_unasked(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let message = room.send(with_client_id(&ann, "c-1")).await;
    room.hide(&bob, &message).await;
    room.react(&bob, &message, "👍", at(1)).await;
    store.set_block(&bob, &ann, true, at(1)).await.unwrap();
    let facts = see(&store, room.needs()).await;
    assert!(facts.members.is_empty() && facts.messages.is_empty() && facts.replay.is_none());
    assert!(facts.blocks.is_empty() && facts.attachments.is_empty() && facts.reactions.is_empty());
    assert!(facts.hidden.is_empty() && facts.user_revs.is_empty());
}

/// Of the members asked for those are seen who are or were members.
pub async fn members_are_seen_as_asked_for(store: AnyStore) {
    let [ann, bob, cid, dan] = people(&store, ["ann", "bob", "cid", "dan"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    Room::group(&store, &[&ann, &dan]).await;
    room.leave(&cid).await;
    let mut needs = room.needs();
    needs.members = MembersNeeded::Of(vec![bob.clone(), cid.clone(), dan, user("nobody")]);
    let facts = see(&store, needs.clone()).await;
    assert_eq!(facts.members.keys().collect::<Vec<_>>(), [&bob, &cid]);
    assert_eq!(facts.members[&cid], room.member(&cid).await);
    assert!(!facts.members[&cid].is_active());
    needs.members = MembersNeeded::Of(Vec::new());
    assert!(see(&store, needs.clone()).await.members.is_empty());
    needs.members = MembersNeeded::All;
    let facts = see(&store, needs).await;
    assert_eq!(facts.members.keys().collect::<Vec<_>>(), [&ann, &bob, &cid]);
    assert_eq!(facts.members[&ann], room.member(&ann).await);
}

/// Messages are seen by id as far as they are in this conversation.
pub async fn messages_of_other_conversations_are_not_seen(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let other = Room::group(&store, &[&ann]).await;
    let here = room.say(&ann, "here").await;
    let unasked = room.say(&ann, "unasked").await;
    let there = other.say(&ann, "there").await;
    let mut needs = room.needs();
    needs.messages = vec![here.id, there.id, message_id()];
    let facts = see(&store, needs).await;
    assert_eq!(facts.messages.len(), 1);
    assert_eq!(facts.messages[&here.id], here);
    assert!(!facts.messages.contains_key(&unasked.id));
}

/// An earlier send is seen by its sender and client id, in its conversation only, also when it was deleted.
pub async fn an_earlier_send_is_seen_by_its_key(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let other = Room::group(&store, &[&ann, &bob]).await;
    let sent = room.send(with_client_id(&ann, "c-1 ü")).await;
    let replay = async |room: &Room, sender: &UserId, client_id: &str| {
        let mut needs = room.needs();
        needs.replay = Some((sender.clone(), ClientId::new(client_id).unwrap()));
        see(&store, needs).await.replay
    };
    assert_eq!(replay(&room, &ann, "c-1 ü").await, Some(sent.clone()));
    assert_eq!(replay(&room, &ann, "C-1 ü").await, None);
    assert_eq!(replay(&room, &ann, "c-1").await, None);
    assert_eq!(replay(&room, &bob, "c-1 ü").await, None);
    assert_eq!(replay(&other, &ann, "c-1 ü").await, None);
    room.delete(&sent).await;
    let deleted = replay(&room, &ann, "c-1 ü").await.unwrap();
    assert!(deleted.is_deleted());
}

/// Blocks are seen both ways between the first user and each of the others, and no other pair.
pub async fn blocks_are_seen_both_ways(store: AnyStore) {
    let users = people(&store, ["ann", "bob", "cid", "dan"]).await;
    let [ann, bob, cid, dan] = users.clone();
    let room = Room::group(&store, &users.each_ref()).await;
    for (blocker, blocked) in [
        (&ann, &bob),
        (&cid, &ann),
        (&ann, &dan),
        (&bob, &cid),
        (&cid, &bob),
    ] {
        store.set_block(blocker, blocked, true, at(1)).await.unwrap();
    }
    let mut needs = room.needs();
    needs.blocks = Some((ann.clone(), vec![bob.clone(), cid.clone(), user("nobody")]));
    let facts = see(&store, needs.clone()).await;
    let expected = [(ann.clone(), bob.clone()), (cid.clone(), ann.clone())];
    assert_eq!(facts.blocks, expected.into_iter().collect());
    store.set_block(&ann, &bob, false, at(2)).await.unwrap();
    let facts = see(&store, needs).await;
    assert_eq!(facts.blocks, [(cid, ann)].into_iter().collect());
}

/// Files are seen by id.
pub async fn files_are_seen_by_id(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let (file, other) = (attachment(&ann), attachment(&ann));
    for file in [&file, &other] {
        store.add_attachment(file.clone()).await.unwrap();
    }
    let mut needs = room.needs();
    needs.attachments = vec![file.id, AttachmentId::from_uuid(Uuid::now_v7())];
    let facts = see(&store, needs).await;
    assert_eq!(facts.attachments, [(file.id, file)].into_iter().collect());
}

/// All reactions to one message are seen, oldest first.
pub async fn reactions_are_seen_oldest_first(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let message = room.say(&ann, "hi").await;
    let other = room.say(&ann, "ho").await;
    room.react(&bob, &message, "👍", at(30)).await;
    room.react(&ann, &message, "👍", at(10)).await;
    room.react(&bob, &message, "❤", at(20)).await;
    room.react(&bob, &other, "👍", at(5)).await;
    let mut needs = room.needs();
    needs.reactions = Some(message.id);
    let facts = see(&store, needs).await;
    let expected = [
        room.reaction(&ann, &message, "👍", at(10)),
        room.reaction(&bob, &message, "❤", at(20)),
        room.reaction(&bob, &message, "👍", at(30)),
    ];
    assert_eq!(facts.reactions, expected);
}

/// Which of the messages asked for a user has hidden is seen.
pub async fn hides_are_seen_among_the_messages(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let messages = room.chatter(&ann, 3).await;
    room.hide(&bob, &messages[0]).await;
    room.hide(&bob, &messages[1]).await;
    room.hide(&ann, &messages[2]).await;
    let mut needs = room.needs();
    needs.messages = vec![messages[1].id, messages[2].id];
    assert!(see(&store, needs.clone()).await.hidden.is_empty());
    needs.hidden_by = Some(bob);
    let facts = see(&store, needs).await;
    assert_eq!(facts.hidden, [messages[1].id].into_iter().collect());
    assert_eq!(facts.messages.len(), 2);
}

/// The `user_rev` of known users is seen.
pub async fn user_revs_are_seen_of_known_users(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    store.set_block(&bob, &cid, true, at(1)).await.unwrap();
    let mut needs = room.needs();
    needs.user_revs = vec![ann.clone(), bob.clone(), user("nobody")];
    let facts = see(&store, needs).await;
    assert_eq!(facts.user_revs, [(ann, 0), (bob, 1)].into_iter().collect());
}

/// What moderators have forbidden the one asked for is seen, however much else is asked for.
pub async fn restrictions_are_seen_of_who_writes(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let patch = UserPatch {
        suspended: Some(true),
        suspended_until: Some(Some(at(9))),
        muted: Some(Some(Muted::Forever)),
        ..UserPatch::default()
    };
    store.update_user(&ann, patch).await.unwrap();
    let restricted = Restrictions {
        suspended: Some(Muted::Until(at(9))),
        muted: Some(Muted::Forever),
    };
    let nowhere = Target::Direct(DirectPair::new(&ann, &bob).unwrap());
    for (who, expected) in [
        (Some(ann.clone()), restricted),
        (Some(bob.clone()), Restrictions::default()),
        (Some(user("nobody")), Restrictions::default()),
        (None, Restrictions::default()),
    ] {
        for target in [Target::Conversation(room.id), nowhere.clone()] {
            for members in [
                MembersNeeded::None,
                MembersNeeded::All,
                MembersNeeded::Of(vec![ann.clone(), bob.clone()]),
            ] {
                for sender in [None, Some(&ann), Some(&bob)] {
                    let mut needs = Needs::new(target.clone());
                    needs.members = members.clone();
                    needs.restrictions_of = who.clone();
                    needs.replay = sender.map(|sender| (sender.clone(), ClientId::new("k").unwrap()));
                    assert_eq!(
                        see(&store, needs).await.restrictions,
                        expected,
                        "{who:?} {sender:?}"
                    );
                }
            }
        }
    }
}

/// A decision is told the time, and the time does not run backwards between two commits.
pub async fn a_decision_is_told_the_time(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let first = see(&store, room.needs()).await.now;
    let second = see(&store, room.needs()).await.now;
    assert!(first > Timestamp::default());
    assert!(second >= first);
}
