use chat_core::command::{
    AddMembers, ConversationPatch, PageRequest, PermissionsPatch, SetRole, TransferOwnership,
};
use chat_core::config::HistoryForNewMembers;
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::UserId;
use chat_core::model::{Interval, MemberState, Permission, Role};

use crate::world::{World, code, id, refusal};

fn users(users: &[&UserId]) -> AddMembers {
    AddMembers {
        user_ids: users.iter().copied().cloned().collect(),
    }
}

const fn open(from: u64) -> Interval {
    Interval { from, to: None }
}

#[tokio::test(start_paused = true)]
async fn newcomers_see_from_joining_on_and_have_nothing_unread() {
    let world = World::new();
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let before = world.send(&a, group, "before").await;
    world.happened().await;
    let answer = world
        .on(&a)
        .add_members(group, users(&[&d, &b, &d, &id("nobody"), &a]))
        .await
        .unwrap();
    assert_eq!(answer.added, std::slice::from_ref(&d));
    assert_eq!(answer.already_members, [b.clone(), a.clone()]);
    assert_eq!(answer.skipped, [id("nobody")]);
    let member = world.member(group, &d).await;
    let row = world.conversation(group).await;
    assert_eq!(member.intervals, [open(before + 1)]);
    assert_eq!((member.unread_floor, row.last_seq), (before + 1, before + 1));
    assert_eq!(
        (row.member_count, row.members_rev, member.rev),
        (4, row.rev - 1, row.rev - 1)
    );
    let happened = world.happened().await;
    let [created, changed, line] = happened.as_slice() else {
        panic!("{happened:?}")
    };
    let ChatEvent::ConversationCreated { users, rev, .. } = created.as_ref() else {
        panic!()
    };
    assert_eq!((users, *rev), (&vec![d.clone()], row.rev - 2));
    let ChatEvent::MembersChanged { added, rev, .. } = changed.as_ref() else {
        panic!()
    };
    assert_eq!((added, *rev), (&vec![d.clone()], row.rev - 1));
    let ChatEvent::MessageCreated { message } = line.as_ref() else {
        panic!()
    };
    assert_eq!(
        (
            message.rev,
            message.content.system.as_ref().unwrap().code.as_str()
        ),
        (row.rev, "member_added")
    );
    world.send(&a, group, "after").await;
    assert_eq!(world.on(&d).conversation(group).await.unwrap().my.unread_count, 1);
}

#[tokio::test(start_paused = true)]
async fn newcomers_may_see_everything_by_policy() {
    let world = World::with(|config| config.policies.history_for_new_members = HistoryForNewMembers::All);
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    world.send(&a, group, "before").await;
    world.on(&a).add_members(group, users(&[&d])).await.unwrap();
    assert_eq!(world.member(group, &d).await.intervals, [open(1)]);
    assert_eq!(world.on(&d).conversation(group).await.unwrap().my.unread_count, 0);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_sees_both_times_and_starts_anew() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    world
        .on(&a)
        .set_role(group, &b, SetRole { role: Role::Admin })
        .await
        .unwrap();
    let settings = chat_core::command::ConversationSettings {
        pinned: Some(true),
        ..Default::default()
    };
    world
        .on(&b)
        .update_conversation_settings(group, settings)
        .await
        .unwrap();
    let last = world.conversation(group).await.last_seq;
    let rev = world.row(&b).await.user_rev;
    world.on(&a).remove_member(group, &b).await.unwrap();
    let gone = world.member(group, &b).await;
    assert_eq!((gone.state, gone.pinned_at), (MemberState::Removed, None));
    assert_eq!(
        gone.intervals,
        [Interval {
            from: 1,
            to: Some(last)
        }]
    );
    assert_eq!((world.row(&b).await.user_rev, gone.user_rev), (rev + 1, rev + 1));
    let between = world.send(&a, group, "between").await;
    world.on(&a).add_members(group, users(&[&b])).await.unwrap();
    let back = world.member(group, &b).await;
    assert_eq!((back.state, back.role), (MemberState::Active, Role::Member));
    assert_eq!(
        back.intervals,
        [
            Interval {
                from: 1,
                to: Some(last)
            },
            open(between + 1)
        ]
    );
    assert_eq!(back.reset_user_rev, rev + 2);
    assert_eq!(world.on(&b).conversation(group).await.unwrap().my.unread_count, 0);
    assert_eq!(world.conversation(group).await.member_count, 3);
}

#[tokio::test(start_paused = true)]
async fn only_admins_bring_back_who_left_or_was_removed() {
    let world = World::new();
    let [a, b, c, d, e] = world.users(["a", "b", "c", "d", "e"]).await;
    let group = world.group(&a, &[&b, &c, &d]).await;
    let everyone = ConversationPatch {
        permissions: Some(PermissionsPatch {
            add_members: Some(Permission::Everyone),
            ..PermissionsPatch::default()
        }),
        ..ConversationPatch::default()
    };
    assert_eq!(
        code(world.on(&b).add_members(group, users(&[&e])).await),
        ErrorCode::Forbidden
    );
    world.on(&a).update_conversation(group, everyone).await.unwrap();
    world.on(&a).remove_member(group, &c).await.unwrap();
    world.on(&d).leave(group).await.unwrap();
    let answer = world
        .on(&b)
        .add_members(group, users(&[&c, &d, &e]))
        .await
        .unwrap();
    assert_eq!(
        (answer.added, answer.skipped),
        (vec![e], vec![c.clone(), d.clone()])
    );
    let answer = world.on(&a).add_members(group, users(&[&c, &d])).await.unwrap();
    assert_eq!(answer.added, [c, d]);
}

#[tokio::test(start_paused = true)]
async fn blocked_users_are_skipped_either_way_and_limits_hold() {
    let world = World::with(|config| {
        config.limits.members = 4;
        config.limits.add_members = 2;
    });
    let [a, b, c, d, e] = world.users(["a", "b", "c", "d", "e"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    world.on(&d).block(&a).await.unwrap();
    world.on(&a).block(&e).await.unwrap();
    let answer = world.on(&a).add_members(group, users(&[&d, &e])).await.unwrap();
    assert_eq!(answer.skipped, [d.clone(), e.clone()]);
    world.on(&d).unblock(&a).await.unwrap();
    world.on(&a).unblock(&e).await.unwrap();
    world.happened().await;
    let refused = world.on(&a).add_members(group, users(&[&d, &e])).await;
    assert_eq!(
        refusal(refused),
        (ErrorCode::MemberLimitExceeded, "user_ids".to_owned())
    );
    assert_eq!(
        (world.names().await, world.conversation(group).await.member_count),
        (vec![], 3)
    );
    world.on(&a).add_members(group, users(&[&d])).await.unwrap();
    let field = (ErrorCode::InvalidArgument, "user_ids".to_owned());
    assert_eq!(
        refusal(world.on(&a).add_members(group, users(&[&a, &b, &c])).await),
        field
    );
    assert_eq!(refusal(world.on(&a).add_members(group, users(&[])).await), field);
}

#[tokio::test(start_paused = true)]
async fn large_groups_get_no_lines_for_comings_and_goings() {
    let world = World::with(|config| config.policies.large_group_threshold = 3);
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    world.on(&a).add_members(group, users(&[&d])).await.unwrap();
    assert_eq!(world.names().await, ["conversation_created", "members_changed"]);
    let member = world.member(group, &d).await;
    assert_eq!(
        (member.unread_floor, world.conversation(group).await.last_seq),
        (1, 1)
    );
    let role = SetRole { role: Role::Admin };
    world.on(&a).set_role(group, &b, role).await.unwrap();
    let patch = ConversationPatch {
        name: Some("Large".into()),
        ..ConversationPatch::default()
    };
    world.on(&a).update_conversation(group, patch).await.unwrap();
    assert_eq!(world.names().await, ["members_changed", "conversation_updated"]);
    // Small again after it.
    world.on(&d).leave(group).await.unwrap();
    assert_eq!(
        world.names().await,
        ["members_changed", "conversation_removed", "message_created"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_owner_makes_admins() {
    let world = World::new();
    let [a, b, c, x] = world.users(["a", "b", "c", "x"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let admin = SetRole { role: Role::Admin };
    let view = world.on(&a).set_role(group, &b, admin.clone()).await.unwrap();
    assert_eq!((view.role, view.user.id.clone()), (Role::Admin, b.clone()));
    let happened = world.happened().await;
    let ChatEvent::MembersChanged { roles, rev, .. } = happened[0].as_ref() else {
        panic!()
    };
    assert_eq!(
        (roles.get(&b), *rev),
        (Some(&Role::Admin), world.member(group, &b).await.rev)
    );
    assert_eq!(happened.len(), 2);
    world.on(&a).set_role(group, &b, admin.clone()).await.unwrap();
    assert_eq!(world.names().await, [""; 0]);
    assert_eq!(
        code(world.on(&b).set_role(group, &c, admin.clone()).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(world.on(&a).set_role(group, &x, admin.clone()).await),
        ErrorCode::UserNotFound
    );
    assert_eq!(
        code(world.on(&x).set_role(group, &c, admin.clone()).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(world.on(&a).set_role(group, &a, admin).await),
        ErrorCode::InvalidOperation
    );
    let owner = SetRole { role: Role::Owner };
    assert_eq!(
        refusal(world.on(&a).set_role(group, &b, owner).await),
        (ErrorCode::InvalidArgument, "role".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn ownership_is_handed_over_whole() {
    let world = World::new();
    let [a, b, c, x] = world.users(["a", "b", "c", "x"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let to = |user: &UserId| TransferOwnership {
        user_id: user.clone(),
    };
    assert_eq!(
        code(world.on(&b).transfer_ownership(group, to(&c)).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        refusal(world.on(&a).transfer_ownership(group, to(&x)).await),
        (ErrorCode::UserNotFound, "user_id".to_owned())
    );
    world.on(&a).transfer_ownership(group, to(&a)).await.unwrap();
    assert_eq!(world.names().await, [""; 0]);
    let view = world.on(&a).transfer_ownership(group, to(&b)).await.unwrap();
    assert_eq!((view.role, view.user.id.clone()), (Role::Owner, b.clone()));
    assert_eq!(world.member(group, &a).await.role, Role::Admin);
    let happened = world.happened().await;
    let ChatEvent::MembersChanged { roles, .. } = happened[0].as_ref() else {
        panic!()
    };
    assert_eq!(
        (roles.get(&a), roles.get(&b)),
        (Some(&Role::Admin), Some(&Role::Owner))
    );
    assert_eq!(
        code(world.on(&a).delete_conversation(group).await),
        ErrorCode::Forbidden
    );
}

#[tokio::test(start_paused = true)]
async fn members_come_in_pages_for_members_only() {
    let world = World::new();
    let [a, b, c, x] = world.users(["a", "b", "c", "x"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let page = |cursor| PageRequest {
        limit: Some(2),
        cursor,
    };
    let first = world.on(&b).members(group, page(None)).await.unwrap();
    let names: Vec<&str> = first.items.iter().map(|m| m.user.id.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let second = world
        .on(&b)
        .members(group, page(first.next_cursor.clone()))
        .await
        .unwrap();
    assert_eq!((second.items.len(), second.next_cursor), (1, None));
    assert_eq!(
        code(world.on(&c).members(group, page(first.next_cursor)).await),
        ErrorCode::InvalidCursor
    );
    assert_eq!(
        code(world.on(&x).members(group, page(None)).await),
        ErrorCode::ConversationNotFound
    );
}
