//! Ten thousand in one group: counts stay exact, and no message costs more for it. (A thousand on the stand-in for
//! MongoDB.)

use chat_core::archive::ArchiveRow;
use chat_core::command::{AddMembers, ListMembers, Mark, Marks, SendMessage};
use chat_core::config::BlockedInGroup;
use chat_core::id::ClientId;
use chat_core::model::{NewUser, Role};
use chat_core::store::InboxQuery;

use crate::world::{Chats, World, user_id};

for_each_store!(ten_thousand_members_have_exact_counts);

async fn ten_thousand_members_have_exact_counts(world: World) {
    let crowd = world.crowd;
    let world = world.with_config(|config| {
        config.limits.members = crowd;
        config.limits.add_members = crowd;
    });
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let store = world.engine.store();
    let name = |n: usize| format!("m{n:05}");
    let all: Vec<usize> = (3..crowd).collect();
    let new = NewUser::new(user_id("somebody"));
    let (new, _) = store.ensure_user(new, world.engine.now()).await.unwrap();
    for some in all.chunks(2_000) {
        let rows = some.iter().map(|n| {
            let mut user = Box::new(new.clone());
            user.id = user_id(&name(*n));
            user.name = name(*n);
            ArchiveRow::User(user)
        });
        world.store().restore_rows(rows.collect()).await.unwrap();
    }
    let group = ada.group_of("Everybody", &[&ben, &cem]).await.id;
    let add = AddMembers {
        user_ids: (3..crowd).map(|n| user_id(&name(n))).collect(),
    };
    assert_eq!(ada.add_members(group, add).await.unwrap().added.len(), crowd - 3);
    assert_eq!(
        ada.conversation(group).await.unwrap().member_count as usize,
        crowd
    );
    let rows = async |who: &str| store.member(group, &user_id(who)).await.unwrap().unwrap();
    let sampled = [name(3), name(crowd / 2), name(crowd - 1)];
    let mut before = Vec::new();
    for who in &sampled {
        before.push(rows(who).await);
    }
    for n in 0..7 {
        let key = ClientId::new(format!("key-{n}")).unwrap();
        let send = SendMessage::text(group, "hello").with_client_id(key);
        ada.send(send).await.unwrap();
    }
    ben.say(group, "one of his own").await;
    for (who, row) in sampled.iter().zip(before) {
        assert_eq!(rows(who).await, row, "a send writes no member row");
        let actor = world.engine.as_user(&user_id(who));
        assert_eq!(actor.unread(group).await, 8);
        assert_eq!(actor.badge().await.unwrap().unread_messages, 8);
    }
    assert_eq!((ada.unread(group).await, ben.unread(group).await), (1, 7));
    let reader = world.engine.as_user(&user_id(&sampled[1]));
    let seq = ada.conversation(group).await.unwrap().last_seq - 3;
    let marks = Marks {
        marks: Some(vec![Mark {
            conversation_id: group,
            seq: Some(seq),
        }]),
        ..Marks::default()
    };
    reader.mark_read(marks).await.unwrap();
    assert_eq!(reader.unread(group).await, 3);
    let query = InboxQuery {
        user: user_id(&sampled[2]),
        now: world.engine.now(),
        blocked_in_group: BlockedInGroup::default(),
        list: None,
        ids: vec![group],
    };
    assert_eq!(
        store.inbox(&query).await.unwrap()[0].unread_count,
        8,
        "others are as they were"
    );
    let found = ListMembers {
        q: Some(name(crowd - 1)[..5].to_owned()),
        role: Some(Role::Member),
        ..ListMembers::default()
    };
    assert_eq!(ben.find_members(group, found).await.unwrap().items.len(), 10);
}
