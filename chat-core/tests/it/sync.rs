use std::collections::HashMap;
use std::time::Duration;

use chat_core::command::{AddMembers, CreateGroup, DeletionScope, EditMessage, SendMessage, SyncRequest};
use chat_core::config::BlockedInGroup;
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::ConversationId;
use chat_core::view::{RemovalReason, SyncAnswer, SyncedConversation, SyncedMessage};

use crate::talk::{World, code, fault, user};

async fn from_nothing(world: &World, who: &str) -> SyncAnswer {
    world.actor(who).sync(SyncRequest::default()).await.unwrap()
}

async fn from_token(world: &World, who: &str, token: &str) -> ChatResult<SyncAnswer> {
    world
        .actor(who)
        .sync(SyncRequest {
            token: Some(token.to_owned()),
            conversations: None,
        })
        .await
}

async fn from_revs(world: &World, who: &str, revs: &[(ConversationId, u64)]) -> SyncAnswer {
    let conversations = Some(revs.iter().copied().collect::<HashMap<_, _>>());
    world
        .actor(who)
        .sync(SyncRequest {
            token: None,
            conversations,
        })
        .await
        .unwrap()
}

fn of(answer: &SyncAnswer, id: ConversationId) -> &SyncedConversation {
    answer
        .conversations
        .iter()
        .find(|entry| entry.conversation.id == id)
        .unwrap()
}

/// Seqs, negative for what is gone, with "!" for tombstones.
fn told(entry: &SyncedConversation) -> Vec<String> {
    entry
        .messages
        .iter()
        .map(|message| match message {
            SyncedMessage::Message(view) if view.deleted.is_some() => format!("{}!", view.seq),
            SyncedMessage::Message(view) => view.seq.to_string(),
            SyncedMessage::Gone(gone) => format!("-{}", gone.seq),
        })
        .collect()
}

#[tokio::test]
async fn a_first_sync_brings_the_newest_of_everything_in_pages() {
    let world = World::with(|config| {
        config.limits.sync_conversations = 2;
        config.limits.sync_messages = 3;
    })
    .await;
    let mut ids = Vec::new();
    for other in ["b", "c", "d"] {
        let d = world.direct("a", other).await;
        world.send_many(other, d, if other == "b" { 4 } else { 2 }).await;
        ids.push(d);
        world.pass(1);
    }
    let first = from_nothing(&world, "a").await;
    assert!(first.has_more && first.conversations.len() == 2);
    assert_eq!(told(of(&first, ids[2])), ["1", "2"]);
    assert!(!of(&first, ids[2]).limited);
    assert_eq!(of(&first, ids[2]).members.len(), 2);
    let second = from_token(&world, "a", &first.token).await.unwrap();
    assert!(!second.has_more && second.conversations.len() == 1);
    assert_eq!(told(of(&second, ids[0])), ["2", "3", "4"]);
    assert!(of(&second, ids[0]).limited);
    assert_eq!(second.badge.unread_messages, 8);
    let third = from_token(&world, "a", &second.token).await.unwrap();
    assert!(third.conversations.is_empty() && third.removed.is_empty() && !third.has_more);
}

#[tokio::test]
async fn what_happens_while_a_first_sync_is_paged_is_not_lost() {
    let world = World::with(|config| config.limits.sync_conversations = 1).await;
    let ab = world.direct("a", "b").await;
    world.pass(1);
    let ac = world.direct("a", "c").await;
    let first = from_nothing(&world, "a").await;
    assert_eq!(first.conversations[0].conversation.id, ac);
    world.send("c", ac, "meanwhile").await;
    let mut answer = from_token(&world, "a", &first.token).await.unwrap();
    assert_eq!(answer.conversations[0].conversation.id, ab);
    let mut seen = Vec::new();
    while answer.has_more {
        answer = from_token(&world, "a", &answer.token).await.unwrap();
        seen.extend(
            answer
                .conversations
                .iter()
                .map(|entry| (entry.conversation.id, told(entry))),
        );
    }
    assert!(seen.contains(&(ac, vec!["1".to_owned()])), "{seen:?}");
}

#[tokio::test]
async fn a_token_brings_what_changed_since() {
    let world = World::new().await;
    let (ab, bc) = (world.direct("a", "b").await, world.direct("b", "c").await);
    let m = world.send_many("a", ab, 3).await;
    let token = from_nothing(&world, "b").await.token;
    let edit = EditMessage {
        message_id: m[0].id,
        text: "new".to_owned(),
        mentions: None,
        expected_version: None,
    };
    world.actor("a").edit(edit).await.unwrap();
    world.delete("a", m[1].id, DeletionScope::Everyone).await.unwrap();
    world.delete("b", m[2].id, DeletionScope::Me).await.unwrap();
    world.send("a", ab, "x").await;
    let answer = from_token(&world, "b", &token).await.unwrap();
    assert_eq!(answer.conversations.len(), 1, "nothing of {bc:?}");
    let entry = of(&answer, ab);
    assert_eq!(
        (told(entry), entry.limited),
        (vec!["1".into(), "2!".into(), "-3".into(), "4".into()], false)
    );
    assert!(entry.members.is_empty());
    // Applied twice is the same; the newer token knows it all.
    assert_eq!(
        told(of(&from_token(&world, "b", &token).await.unwrap(), ab)),
        told(entry)
    );
    assert!(
        from_token(&world, "b", &answer.token)
            .await
            .unwrap()
            .conversations
            .is_empty()
    );
    world.read("a", ab, 4).await.unwrap();
    let marks = from_token(&world, "b", &answer.token).await.unwrap();
    let members = &of(&marks, ab).members;
    assert_eq!(
        (
            members.len(),
            &members[0].member.user.id,
            members[0].member.read_seq
        ),
        (1, &user("a"), 4)
    );
}

#[tokio::test]
async fn more_than_fits_is_limited() {
    let world = World::with(|config| config.limits.sync_messages = 3).await;
    let d = world.direct("a", "b").await;
    let token = from_nothing(&world, "b").await.token;
    world.send_many("a", d, 5).await;
    let answer = from_token(&world, "b", &token).await.unwrap();
    assert_eq!(
        (told(of(&answer, d)), of(&answer, d).limited),
        (vec!["3".into(), "4".into(), "5".into()], true)
    );
}

#[tokio::test]
async fn an_answer_is_bounded_as_a_whole() {
    let world = World::new().await;
    let (ab, ac) = (world.direct("a", "b").await, world.direct("a", "c").await);
    for id in [ab, ac] {
        for _ in 0..30 {
            world.send("a", id, &"x".repeat(9_000)).await;
        }
    }
    let answer = from_nothing(&world, "a").await;
    let all: usize = answer
        .conversations
        .iter()
        .map(|entry| entry.messages.len())
        .sum();
    assert!(all < 30, "{all}");
    assert!(answer.conversations.iter().all(|entry| entry.limited));
}

#[tokio::test]
async fn membership_changes_bring_the_whole_list_and_removals_a_reason() {
    let world = World::new().await;
    let g = world.group("a", &["b", "c"]).await;
    let (for_b, for_c) = (
        from_nothing(&world, "b").await.token,
        from_nothing(&world, "c").await.token,
    );
    world.remove(g, "c").await;
    let answer = from_token(&world, "b", &for_b).await.unwrap();
    let members: Vec<_> = of(&answer, g)
        .members
        .iter()
        .map(|m| m.member.user.id.to_string())
        .collect();
    assert_eq!(members, ["a", "b"]);
    let answer = from_token(&world, "c", &for_c).await.unwrap();
    assert!(answer.conversations.is_empty());
    assert_eq!(
        (answer.removed[0].conversation_id, answer.removed[0].reason),
        (g, RemovalReason::Removed)
    );
    world.send("a", g, "secret").await;
    let answer = from_token(&world, "c", &answer.token).await.unwrap();
    assert!(answer.conversations.is_empty() && answer.removed.is_empty());
}

#[tokio::test]
async fn large_groups_tell_the_changed_members_and_who_left() {
    let world = World::with(|config| config.policies.large_group_threshold = 2).await;
    let g = world.group("a", &["b", "c", "d"]).await;
    let token = from_nothing(&world, "b").await.token;
    world.remove(g, "c").await;
    let answer = from_token(&world, "b", &token).await.unwrap();
    let members = &of(&answer, g).members;
    assert_eq!(
        (members.len(), &members[0].member.user.id, members[0].left),
        (1, &user("c"), Some(true))
    );
}

#[tokio::test]
async fn private_changes_reach_the_other_devices() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    world.send_many("a", d, 2).await;
    world.read("b", d, 2).await.unwrap();
    let token = from_nothing(&world, "b").await.token;
    world.mark_unread("b", d, Some(2)).await.unwrap();
    world.block("b", "x", true).await;
    let answer = from_token(&world, "b", &token).await.unwrap();
    assert_eq!(
        (
            of(&answer, d).conversation.my.unread_count,
            answer.badge.unread_messages
        ),
        (1, 1)
    );
    assert_eq!(answer.blocks.added, [user("x")]);
    world.block("b", "x", false).await;
    let answer = from_token(&world, "b", &answer.token).await.unwrap();
    assert_eq!(
        (answer.blocks.added.len(), answer.blocks.removed),
        (0, vec![user("x")])
    );
}

#[tokio::test]
async fn what_changed_as_a_whole_is_limited() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    world.send_many("a", d, 3).await;
    let token = from_nothing(&world, "b").await.token;
    world
        .change(d, |conversation, members| {
            let b = members
                .iter_mut()
                .find(|member| member.user_id == user("b"))
                .unwrap();
            b.visible_from = conversation.last_seq;
            b.reset_user_rev = u64::MAX;
        })
        .await;
    let answer = from_token(&world, "b", &token).await.unwrap();
    assert_eq!(
        (told(of(&answer, d)), of(&answer, d).limited),
        (vec!["3".to_owned()], true)
    );
}

#[tokio::test]
async fn known_revs_bring_changes_new_conversations_and_removals() {
    let world = World::new().await;
    let ab = world.direct("a", "b").await;
    let g = world.group("a", &["b", "c"]).await;
    let m = world.send("a", ab, "x").await;
    let rev = world.conversation("b", ab).await.rev;
    world.send("a", ab, "y").await;
    let bc = world.direct("c", "b").await;
    world.remove(g, "b").await;
    let unknown = ConversationId::from_uuid(uuid::Uuid::nil());
    let answer = from_revs(&world, "b", &[(ab, rev), (g, 1), (unknown, 4)]).await;
    assert_eq!(told(of(&answer, ab)), ["2"]);
    assert_eq!(of(&answer, bc).conversation.id, bc);
    let removed: Vec<_> = answer
        .removed
        .iter()
        .map(|removed| removed.conversation_id)
        .collect();
    assert!(removed.len() == 2 && removed.contains(&g) && removed.contains(&unknown));
    let rev = world.conversation("b", ab).await.rev;
    assert!(told(of(&from_revs(&world, "b", &[(ab, rev), (bc, 0)]).await, ab)).is_empty());
    // A rev of another world is as good as none.
    assert_eq!(told(of(&from_revs(&world, "b", &[(ab, 999)]).await, ab)).len(), 2);
    assert!(m.rev < rev);
}

#[tokio::test]
async fn tokens_are_sealed_and_age() {
    let world = World::new().await;
    world.direct("a", "b").await;
    let token = from_nothing(&world, "a").await.token;
    let refused = (ErrorCode::InvalidCursor, "token".to_owned());
    assert_eq!(fault(from_token(&world, "b", &token).await), refused);
    assert_eq!(fault(from_token(&world, "a", &token[1..]).await), refused);
    assert_eq!(fault(from_token(&world, "a", "").await), refused);
    let both = SyncRequest {
        token: Some(token.clone()),
        conversations: Some(HashMap::new()),
    };
    assert_eq!(
        code(world.actor("a").sync(both).await),
        ErrorCode::InvalidArgument
    );
    world.clock.advance(Duration::from_secs(30 * 86_400));
    assert!(from_token(&world, "a", &token).await.is_ok());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(
        code(from_token(&world, "a", &token).await),
        ErrorCode::ResetRequired
    );
    // The same secret on an empty store: the place is ahead of everything there is.
    let other = World::new().await;
    let token = from_nothing(&world, "a").await.token;
    other.clock.set(world.engine.now());
    assert_eq!(
        code(from_token(&other, "a", &token).await),
        ErrorCode::ResetRequired
    );
}

/// A group made by the verbs, with its line of the beginning.
async fn real_group(world: &World, owner: &str, others: &[&str]) -> ConversationId {
    let create = CreateGroup {
        name: "Real".to_owned(),
        member_ids: others.iter().map(|other| user(other)).collect(),
        description: None,
        avatar_attachment_id: None,
        permissions: None,
        custom: None,
        client_id: None,
    };
    world
        .actor(owner)
        .create_group(create)
        .await
        .unwrap()
        .conversation
        .id
}

#[tokio::test]
async fn clearing_is_limited_and_hiding_removes_until_something_comes() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    world.send_many("a", d, 3).await;
    let token = from_nothing(&world, "b").await.token;
    world.actor("b").clear(d).await.unwrap();
    let answer = from_token(&world, "b", &token).await.unwrap();
    assert_eq!((told(of(&answer, d)), of(&answer, d).limited), (vec![], true));
    world.actor("b").hide(d).await.unwrap();
    let answer = from_token(&world, "b", &answer.token).await.unwrap();
    assert!(answer.conversations.is_empty());
    assert_eq!(
        (answer.removed[0].conversation_id, answer.removed[0].reason),
        (d, RemovalReason::Hidden)
    );
    world.send("a", d, "back").await;
    let answer = from_token(&world, "b", &answer.token).await.unwrap();
    assert_eq!(told(of(&answer, d)), ["4"]);
}

#[tokio::test]
async fn what_comes_back_after_hiding_comes_whole() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    world.send("a", d, "x").await;
    let token = from_nothing(&world, "b").await.token;
    world.actor("b").hide(d).await.unwrap();
    let hidden = from_token(&world, "b", &token).await.unwrap();
    assert_eq!(hidden.removed[0].reason, RemovalReason::Hidden);
    let silent = SendMessage {
        silent: true,
        ..SendMessage::text(d, "silent")
    };
    world.actor("a").send(silent).await.unwrap();
    let still_hidden = from_token(&world, "b", &hidden.token).await.unwrap();
    assert!(still_hidden.conversations.is_empty());
    world.send("a", d, "loud").await;
    let back = from_token(&world, "b", &still_hidden.token).await.unwrap();
    assert_eq!(
        (told(of(&back, d)), of(&back, d).limited),
        (vec!["2".into(), "3".into()], true)
    );
    assert_eq!(of(&back, d).members.len(), 2);
    // From then on it is like any other.
    world.send("a", d, "more").await;
    let more = from_token(&world, "b", &back.token).await.unwrap();
    assert_eq!(
        (told(of(&more, d)), of(&more, d).limited),
        (vec!["4".into()], false)
    );
}

#[tokio::test]
async fn a_block_brings_all_shared_groups_whatever_came_after_it() {
    for (policy, limited, seen) in [
        (BlockedInGroup::Collapse, false, vec![]),
        (BlockedInGroup::Hide, true, vec!["2".to_owned()]),
        (BlockedInGroup::Show, false, vec![]),
    ] {
        let world = World::with(|config| {
            config.policies.blocked_in_group = policy;
            config.limits.sync_conversations = 2;
        })
        .await;
        let mut shared = Vec::new();
        for _ in 0..5 {
            let g = world.group("a", &["b", "c"]).await;
            world.send("b", g, "loud").await;
            world.send("c", g, "nice").await;
            shared.push(g);
        }
        let other = world.group("a", &["c"]).await;
        let mut answer = from_nothing(&world, "a").await;
        while answer.has_more {
            answer = from_token(&world, "a", &answer.token).await.unwrap();
        }
        // The block alone, as if the node had died right after it.
        world.block("a", "b", true).await;
        let mut told_of: HashMap<ConversationId, usize> = HashMap::new();
        let mut pages = 0;
        loop {
            answer = from_token(&world, "a", &answer.token).await.unwrap();
            pages += 1;
            assert!(answer.conversations.len() <= 2);
            for entry in &answer.conversations {
                let id = entry.conversation.id;
                *told_of.entry(id).or_default() += 1;
                if shared.contains(&id) {
                    assert_eq!((told(entry), entry.limited), (seen.clone(), limited));
                    let shows = policy == BlockedInGroup::Show;
                    assert_eq!(
                        entry.conversation.my.unread_count,
                        1 + u64::from(shows),
                        "{policy:?}"
                    );
                }
            }
            if pages == 1 {
                // What changes in the list meanwhile is not lost.
                world.block("a", "c", true).await;
                world.block("a", "c", false).await;
            }
            if !answer.has_more {
                break;
            }
        }
        // Under `show` for the marks of the two.
        assert!(shared.iter().all(|id| told_of.contains_key(id)), "{told_of:?}");
        let mut later = from_token(&world, "a", &answer.token).await.unwrap();
        let mut ids: Vec<_> = later.conversations.iter().map(|e| e.conversation.id).collect();
        while later.has_more {
            later = from_token(&world, "a", &later.token).await.unwrap();
            ids.extend(later.conversations.iter().map(|entry| entry.conversation.id));
        }
        assert!(told_of.contains_key(&other) || ids.contains(&other));
        let done = from_token(&world, "a", &later.token).await.unwrap();
        assert!(done.conversations.is_empty() && done.blocks.added.is_empty());
    }
}

#[tokio::test]
async fn leaving_returning_and_dissolving() {
    let world = World::new().await;
    let g = real_group(&world, "a", &["b", "c"]).await;
    world.send("a", g, "before").await;
    let token = from_nothing(&world, "b").await.token;
    world.actor("b").leave(g).await.unwrap();
    let left = from_token(&world, "b", &token).await.unwrap();
    assert_eq!(
        (left.removed[0].reason, left.conversations.len()),
        (RemovalReason::Left, 0)
    );
    world.send("a", g, "between").await;
    let add = AddMembers {
        user_ids: vec![user("b")],
    };
    world.actor("a").add_members(g, add).await.unwrap();
    let after = world.send("a", g, "after").await;
    let back = from_token(&world, "b", &left.token).await.unwrap();
    let entry = of(&back, g);
    let texts: Vec<_> = entry
        .messages
        .iter()
        .filter_map(|message| match message {
            SyncedMessage::Message(view) => view.text.clone(),
            SyncedMessage::Gone(_) => None,
        })
        .collect();
    assert_eq!(texts, ["before", "after"]);
    assert!(entry.limited && entry.members.len() == 3);
    assert_eq!(entry.conversation.my.unread_count, 1);
    world.actor("a").delete_conversation(g).await.unwrap();
    let gone = from_token(&world, "b", &back.token).await.unwrap();
    assert_eq!(
        (gone.removed[0].reason, gone.conversations.len()),
        (RemovalReason::Deleted, 0)
    );
    assert_eq!(
        code(world.message("b", after.id).await),
        ErrorCode::ConversationGone
    );
    assert_eq!(
        code(world.message("x", after.id).await),
        ErrorCode::MessageNotFound
    );
}
