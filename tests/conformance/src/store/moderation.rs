//! Cases for [`ModerationStore`](chat_core::store::ModerationStore), and for what commits write of it.

use chat_core::id::{AttachmentId, AuditId, ConversationId, ReportId, UserId};
use chat_core::model::{
    AttachmentState, AuditAction, AuditEntry, AuditTarget, JsonObject, Message, Muted, Report, ReportAction,
    ReportReason, ReportTarget, ReportedMessage, Resolution, UserPatch,
};
use chat_core::store::{AuditQuery, ReportQuery, Writes};
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{AnyStore, NOW, Room, at, attachment, people, see, text, user};

fn report(reporter: &UserId, whom: &UserId, seconds: u64) -> Report {
    Report {
        id: ReportId::from_uuid(Uuid::now_v7()),
        reporter: reporter.clone(),
        target: ReportTarget::User(whom.clone()),
        user_id: whom.clone(),
        conversation_id: None,
        reason: ReportReason::Spam,
        note: None,
        created_at: at(seconds),
        message: None,
        resolution: None,
    }
}

fn of_message(reporter: &UserId, message: &Message) -> Report {
    Report {
        target: ReportTarget::Message(message.id),
        conversation_id: Some(message.conversation_id),
        message: Some(ReportedMessage::from(message)),
        ..report(reporter, &message.sender_id, 5)
    }
}

fn resolution(by: &UserId) -> Resolution {
    Resolution {
        at: at(90),
        by: by.clone(),
        action: ReportAction::UserWarned,
        note: Some("be nice ü".to_owned()),
    }
}

fn entry(seconds: u64, actor: Option<&UserId>, action: AuditAction, target: &str) -> AuditEntry {
    AuditEntry {
        id: AuditId::from_uuid(Uuid::now_v7()),
        at: at(seconds),
        actor: actor.cloned(),
        action,
        target: AuditTarget::User,
        target_id: target.to_owned(),
        conversation_id: None,
        details: JsonObject::default(),
    }
}

async fn log(store: &AnyStore) -> Vec<AuditEntry> {
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    store.audit(&query).await.unwrap()
}

/// A report comes back whole, open and closed.
pub async fn a_report_comes_back_whole(store: AnyStore) {
    let [ann, bob, mod_] = people(&store, ["ann", "bob", "mod"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let mut message = text(&bob, "Früh & spät");
    message.content.attachments = vec![AttachmentId::from_uuid(Uuid::now_v7())];
    let mut message = room.send(message).await;
    message.edited_at = Some(at(3));
    message.version = 2;
    let mut expected = Report {
        reason: ReportReason::SelfHarm,
        note: Some("%_ ' note".to_owned()),
        ..of_message(&ann, &message)
    };
    assert_eq!(store.report(expected.id).await.unwrap(), None);
    assert_eq!(
        store.add_report(expected.clone()).await.unwrap(),
        (expected.id, true)
    );
    assert_eq!(store.report(expected.id).await.unwrap().as_ref(), Some(&expected));
    let done = resolution(&mod_);
    let act = entry(90, Some(&mod_), AuditAction::ReportResolved, "r");
    let closed = store.resolve_report(expected.id, done.clone(), act.clone()).await;
    assert_eq!(closed.unwrap(), Some(true));
    expected.resolution = Some(done);
    assert_eq!(store.report(expected.id).await.unwrap(), Some(expected));
    assert_eq!(log(&store).await, [act]);
}

/// There is one open report per reporter and target, however concurrently it is made; a closed one makes room.
pub async fn one_open_report_per_reporter_and_target(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let calls = (0..8).map(|n| {
        let (store, report) = (store.clone(), report(&ann, &bob, n));
        tokio::spawn(async move { store.add_report(report).await.unwrap() })
    });
    let answers = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let answers: Vec<(ReportId, bool)> = answers.into_iter().map(Result::unwrap).collect();
    let id = answers[0].0;
    assert!(answers.iter().all(|(one, _)| *one == id), "all are told the same");
    assert_eq!(answers.iter().filter(|(_, added)| *added).count(), 1);
    for other in [report(&ann, &cid, 1), report(&cid, &bob, 1)] {
        assert!(
            store.add_report(other).await.unwrap().1,
            "another reporter or target"
        );
    }
    let act = |n| entry(n, Some(&cid), AuditAction::ReportResolved, "r");
    let close = async |n| store.resolve_report(id, resolution(&cid), act(n)).await.unwrap();
    assert_eq!(close(1).await, Some(true));
    assert_eq!(close(2).await, Some(false));
    assert_eq!(
        log(&store).await.len(),
        1,
        "what changed nothing is not in the log"
    );
    let unknown = ReportId::from_uuid(Uuid::now_v7());
    let nothing = store.resolve_report(unknown, resolution(&cid), act(3)).await;
    assert_eq!(nothing.unwrap(), None);
    let again = store.add_report(report(&ann, &bob, 9)).await.unwrap();
    assert!(again.1 && again.0 != id);
}

/// Reports come newest first, a page at a time, open or closed ones.
pub async fn reports_come_newest_first(store: AnyStore) {
    let [ann, mod_] = people(&store, ["ann", "mod"]).await;
    let mut all = Vec::new();
    for (n, seconds) in [3_u64, 1, 2, 2, 5].into_iter().enumerate() {
        let report = report(&ann, &user(&format!("u{n}")), seconds);
        store.add_report(report.clone()).await.unwrap();
        all.push(report);
    }
    all.sort_by_key(|report| std::cmp::Reverse((report.created_at, report.id)));
    let page = async |open, after, limit| {
        let query = ReportQuery { open, after, limit };
        store.reports(&query).await.unwrap()
    };
    assert_eq!(page(None, None, 9).await, all);
    assert_eq!(page(None, None, 2).await, all[..2]);
    for n in 0..all.len() {
        let after = Some((all[n].created_at, all[n].id));
        assert_eq!(page(None, after, 9).await, all[n + 1..]);
    }
    let done = resolution(&mod_);
    let act = entry(1, None, AuditAction::ReportResolved, "r");
    store.resolve_report(all[1].id, done.clone(), act).await.unwrap();
    all[1].resolution = Some(done);
    assert_eq!(page(Some(false), None, 9).await, all[1..2]);
    let open = [&all[..1], &all[2..]].concat();
    assert_eq!(page(Some(true), None, 9).await, open);
    let after = Some((open[0].created_at, open[0].id));
    assert_eq!(page(Some(true), after, 2).await, open[1..3]);
    assert_eq!(page(None, None, 9).await, all);
}

/// A commit writes reports and entries of the log with everything else, or not at all; a decision sees an open report.
pub async fn reports_and_acts_are_written_with_their_commit(store: AnyStore) {
    let [ann, bob, mod_] = people(&store, ["ann", "bob", "mod"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let message = room.say(&bob, "bad").await;
    let new = of_message(&ann, &message);
    let mut needs = room.needs();
    needs.open_report = Some((ann.clone(), new.target.clone()));
    assert_eq!(see(&store, needs.clone()).await.open_report, None);
    let act = AuditEntry {
        conversation_id: Some(room.id),
        details: JsonObject([("seq".to_owned(), json!(1))].into_iter().collect()),
        target: AuditTarget::Message,
        ..entry(
            7,
            Some(&ann),
            AuditAction::MessageDeleted,
            &message.id.to_string(),
        )
    };
    let writes = Writes {
        reports: vec![new.clone()],
        audit: vec![act.clone()],
        ..Writes::none()
    };
    room.write(writes).await;
    assert_eq!(store.report(new.id).await.unwrap(), Some(new.clone()));
    assert_eq!(log(&store).await, [act]);
    assert_eq!(see(&store, needs.clone()).await.open_report, Some(new.id));
    let mut others = needs.clone();
    others.open_report = Some((bob, new.target.clone()));
    assert_eq!(see(&store, others).await.open_report, None, "somebody else's");
    assert_eq!(see(&store, room.needs()).await.open_report, None, "not asked for");
    let (again, added) = store.add_report(new.clone()).await.unwrap();
    assert_eq!((again, added), (new.id, false));
    let done = entry(8, Some(&mod_), AuditAction::ReportResolved, "r");
    store
        .resolve_report(new.id, resolution(&mod_), done)
        .await
        .unwrap();
    assert_eq!(see(&store, needs).await.open_report, None, "closed");
}

/// A file that an open report is about is not stale, whatever became of its message.
pub async fn evidence_is_not_stale(store: AnyStore) {
    let [ann, bob, mod_] = people(&store, ["ann", "bob", "mod"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let (mut held, mut other) = (attachment(&bob), attachment(&bob));
    for file in [&mut held, &mut other] {
        file.state = AttachmentState::Deleted;
        store.add_attachment(file.clone()).await.unwrap();
    }
    let mut message = text(&bob, "look");
    message.content.attachments = vec![held.id];
    let message = room.send(message).await;
    let stale = async || {
        let stale = store.stale_attachments(NOW, None, 9).await.unwrap();
        stale.into_iter().map(|file| file.id).collect::<Vec<_>>()
    };
    let new = of_message(&ann, &message);
    room.write(Writes {
        reports: vec![new.clone()],
        ..Writes::none()
    })
    .await;
    assert_eq!(stale().await, [other.id]);
    assert!(store.is_evidence(held.id).await.unwrap());
    assert!(!store.is_evidence(other.id).await.unwrap());
    let second = of_message(&bob, &message);
    store.add_report(second.clone()).await.unwrap();
    for (n, id) in [new.id, second.id].into_iter().enumerate() {
        assert_eq!(stale().await, [other.id], "held by {}", 2 - n);
        let act = entry(1, None, AuditAction::ReportResolved, "r");
        store.resolve_report(id, resolution(&mod_), act).await.unwrap();
    }
    assert!(!store.is_evidence(held.id).await.unwrap());
    let mut both = [held.id, other.id];
    both.sort();
    assert_eq!(stale().await, both);
}

/// A sanction changes the user and the log in one step, and neither of an unknown user.
pub async fn a_sanction_is_in_the_log(store: AnyStore) {
    let [ann, mod_] = people(&store, ["ann", "mod"]).await;
    let patch = UserPatch {
        suspended: Some(true),
        suspended_until: Some(Some(at(50))),
        muted: Some(Some(Muted::Forever)),
        ..UserPatch::default()
    };
    let act = entry(1, Some(&mod_), AuditAction::UserSuspended, "ann");
    let changed = store
        .sanction_user(&ann, patch.clone(), act.clone())
        .await
        .unwrap()
        .unwrap();
    assert!(changed.suspended);
    assert_eq!(changed.suspended_until, Some(at(50)));
    assert_eq!(store.users(&[ann]).await.unwrap(), [changed]);
    let nobody = entry(2, Some(&mod_), AuditAction::UserSuspended, "nobody");
    let none = store.sanction_user(&user("nobody"), patch, nobody).await.unwrap();
    assert_eq!(none, None);
    assert_eq!(log(&store).await, [act]);
}

/// The log comes newest first, a page at a time, by actor, target and action in any mix.
pub async fn the_log_is_filtered_and_paged(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let actors = [Some(&ann), Some(&bob), None];
    let actions = [AuditAction::UserMuted, AuditAction::UserUnmuted];
    let targets = ["x", "y"];
    let mut all = Vec::new();
    for n in 0..24_usize {
        // Times that collide and do not follow the order of writing.
        let seconds = (n * 7 % 5) as u64;
        let entry = AuditEntry {
            conversation_id: (n % 2 == 0).then(|| ConversationId::from_uuid(Uuid::now_v7())),
            ..entry(seconds, actors[n % 3], actions[n / 3 % 2], targets[n / 6 % 2])
        };
        let patch = UserPatch::default();
        store.sanction_user(&ann, patch, entry.clone()).await.unwrap();
        all.push(entry);
    }
    all.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    for actor in [None, Some(&ann), Some(&user("nobody"))] {
        for target in [None, Some("x")] {
            for action in [None, Some(AuditAction::UserMuted)] {
                let expected: Vec<AuditEntry> = (all.iter())
                    .filter(|entry| actor.is_none() || entry.actor.as_ref() == actor)
                    .filter(|entry| target.is_none_or(|target| entry.target_id == target))
                    .filter(|entry| action.is_none_or(|action| entry.action == action))
                    .cloned()
                    .collect();
                let mut query = AuditQuery {
                    actor: actor.cloned(),
                    target: target.map(str::to_owned),
                    action,
                    after: None,
                    limit: 5,
                };
                let mut found = Vec::new();
                loop {
                    let page = store.audit(&query).await.unwrap();
                    let full = page.len() == 5;
                    query.after = page.last().map(|entry| (entry.at, entry.id));
                    found.extend(page);
                    if !full {
                        break;
                    }
                }
                assert_eq!(found, expected, "{actor:?} {target:?} {action:?}");
            }
        }
    }
}

/// Reports of one user come in pages, open and closed ones, and go when what is his alone is erased; those about him
/// and of others stay.
pub async fn reports_of_one_user_come_in_pages_and_go(store: AnyStore) {
    let [ann, bob, cem] = people(&store, ["ann", "bob", "cem"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cem]).await;
    let file = attachment(&bob);
    store.add_attachment(file.clone()).await.unwrap();
    let mut shown = text(&bob, "look");
    shown.content.attachments = vec![file.id];
    let shown = room.send(shown).await;
    let mut his = [
        report(&ann, &cem, 1),
        report(&ann, &bob, 2),
        of_message(&ann, &shown),
    ];
    let others = [report(&bob, &ann, 3), report(&cem, &bob, 4)];
    for one in his.iter().chain(&others) {
        assert!(store.add_report(one.clone()).await.unwrap().1);
    }
    his[0].resolution = Some(resolution(&cem));
    let closing = entry(90, Some(&cem), AuditAction::ReportResolved, "ann");
    store
        .resolve_report(his[0].id, resolution(&cem), closing)
        .await
        .unwrap();
    his.sort_unstable_by_key(|one| one.id);
    assert!(store.is_evidence(file.id).await.unwrap());
    assert_eq!(store.reports_by(&ann, None, 2).await.unwrap(), his[..2]);
    assert_eq!(
        store.reports_by(&ann, Some(his[1].id), 2).await.unwrap(),
        his[2..]
    );
    while store.erase_private(&ann, 2).await.unwrap() > 0 {}
    assert!(store.reports_by(&ann, None, 2).await.unwrap().is_empty());
    assert!(!store.is_evidence(file.id).await.unwrap());
    let all = ReportQuery {
        limit: 9,
        ..ReportQuery::default()
    };
    assert_eq!(store.reports(&all).await.unwrap().len(), others.len());
}
