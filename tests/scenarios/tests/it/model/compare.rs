//! Lays everything a user can see beside what the model says he sees.

use chat_core::Actor;
use chat_core::command::{HistoryOrder, HistoryRequest, ListConversations, PageRequest};
use chat_core::model::MessageKind;
use chat_core::store::InboxFilter;
use chat_core::view::{ConversationView, HistoryPage};
use serde_json::{Value, json};

use super::compare_lists::{compare_lists, whole};
use super::reference::{Chat, Model, User};
use super::rng::Rng;
use super::show::{NAMES, difference};
use super::{Verdict, told};

pub(super) const FILTERS: [InboxFilter; 8] = [
    InboxFilter::Default,
    InboxFilter::All,
    InboxFilter::Unread,
    InboxFilter::Pinned,
    InboxFilter::Archived,
    InboxFilter::Muted,
    InboxFilter::Direct,
    InboxFilter::Group,
];

pub(super) fn expect(what: &str, model: &Value, engine: &Value) -> Verdict {
    difference(what, model, engine).map_or(Ok(()), Err)
}

/// A whole list, page by page.
pub(super) async fn listed(
    actor: &Actor,
    filter: InboxFilter,
    limit: usize,
) -> Result<Vec<ConversationView>, String> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let list = ListConversations {
            filter,
            page: PageRequest {
                limit: Some(limit),
                cursor,
            },
            ..ListConversations::default()
        };
        let page = told("list", actor.conversations(list).await)?;
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Everything one user sees.
pub(super) async fn compare(model: &mut Model, viewer: User, actor: &Actor, rng: &mut Rng) -> Verdict {
    let who = NAMES[viewer];
    for c in 0..model.chats.len() {
        compare_chat(model, c, viewer, actor, rng)
            .await
            .map_err(|found| format!("{who}: {found}"))?;
    }
    for filter in FILTERS {
        let found = listed(actor, filter, 1 + rng.below(4)).await?;
        let ids: Vec<_> = found.iter().map(|view| view.id).collect();
        let wanted: Vec<_> = model.list(viewer, filter).iter().map(|chat| chat.id).collect();
        expect(&format!("{who}: list {filter:?}"), &json!(wanted), &json!(ids))?;
        for view in &found {
            if let Some(chat) = model.chats.iter().find(|chat| chat.id == view.id)
                && let Ok(me) = chat.member(viewer)
            {
                expect(
                    &format!("{who}: entry of {filter:?}"),
                    &model.show_chat(viewer, chat, me),
                    &json!(view),
                )?;
            }
        }
    }
    let badge = told("badge", actor.badge().await)?;
    expect(&format!("{who}: badge"), &model.show_badge(viewer), &json!(badge))?;
    compare_lists(model, viewer, actor, rng)
        .await
        .map_err(|found| format!("{who}: {found}"))
}

async fn compare_chat(model: &mut Model, c: usize, viewer: User, actor: &Actor, rng: &mut Rng) -> Verdict {
    let id = model.chats[c].id;
    let view = actor.conversation(id).await;
    let me = model.chats[c]
        .member(viewer)
        .map(|me| model.show_chat(viewer, &model.chats[c], me));
    match (me, view) {
        (Ok(me), Ok(view)) => expect(&format!("#{c}"), &me, &json!(view))?,
        (Err(code), Err(error)) if code == error.code() => {
            let history = actor.history(id, HistoryRequest::default()).await;
            return match history.map_err(|error| error.code()) {
                Err(refused) if refused == code => Ok(()),
                other => Err(format!(
                    "#{c}: history: the model says {code:?}, the engine {other:?}"
                )),
            };
        }
        (me, view) => return Err(format!("#{c}: the model says {me:?}, the engine {view:?}")),
    }
    let (last, limit) = (model.chats[c].last_seq(), 1 + rng.below(9));
    let mut pages = Vec::new();
    // Down from the newest, then up from the oldest: pages meet without hole or overlap.
    let mut before = None;
    loop {
        let request = HistoryRequest {
            before,
            limit: Some(limit),
            ..HistoryRequest::default()
        };
        let mut page = told("history", actor.history(id, request).await)?;
        page.items.reverse();
        let to = before.map_or(last, |before| before - 1);
        expect(
            &format!("#{c}: end of a page down"),
            &json!(to),
            &json!(page.range.to),
        )?;
        before = Some(page.range.from);
        let more = page.has_more_before;
        learn(&mut model.chats[c], &page);
        pages.push(page);
        if !more {
            break;
        }
    }
    let first = pages.last().map(|page| page.range.from);
    expect(&format!("#{c}: first page"), &json!(1), &json!(first))?;
    let mut after = 0;
    loop {
        let request = HistoryRequest {
            after: Some(after),
            limit: Some(limit),
            order: HistoryOrder::Ascending,
            ..HistoryRequest::default()
        };
        let page = told("history", actor.history(id, request).await)?;
        expect(
            &format!("#{c}: begin of a page up"),
            &json!(after + 1),
            &json!(page.range.from),
        )?;
        after = page.range.to;
        let more = page.has_more_after;
        pages.push(page);
        if !more {
            break;
        }
    }
    expect(&format!("#{c}: last page"), &json!(last), &json!(after))?;
    for kind in [None, Some(MessageKind::Text)] {
        let around = HistoryRequest {
            around: Some(rng.below(last as usize + 3) as u64),
            limit: Some(limit),
            order: HistoryOrder::Ascending,
            kind,
            ..HistoryRequest::default()
        };
        let page = told("history", actor.history(id, around).await)?;
        compare_page(model, c, viewer, &page, kind)?;
    }
    for page in &pages {
        compare_page(model, c, viewer, page, None)?;
    }
    compare_pins(model, c, viewer, actor, limit).await?;
    compare_one(model, c, viewer, actor, rng).await
}

/// Pinned messages, page by page.
async fn compare_pins(model: &Model, c: usize, viewer: User, actor: &Actor, limit: usize) -> Verdict {
    let chat = &model.chats[c];
    let all = whole("pins", limit, async |page| {
        actor.pinned_messages(chat.id, page).await
    })
    .await?;
    let pins = model.pins(viewer, chat);
    let wanted: Vec<Value> = pins
        .iter()
        .map(|line| model.show_line(viewer, chat, line))
        .collect();
    expect(&format!("#{c}: pins"), &json!(wanted), &json!(all))
}

/// What stands inside the range of a page, and whether there is more outside.
fn compare_page(
    model: &Model,
    c: usize,
    viewer: User,
    page: &HistoryPage,
    kind: Option<MessageKind>,
) -> Verdict {
    let chat = &model.chats[c];
    let (from, to) = (page.range.from, page.range.to);
    let mut seen = model.seen_lines(viewer, chat);
    seen.retain(|line| kind.is_none() || line.code.is_none());
    let wanted: Vec<Value> = (seen.iter())
        .filter(|line| line.seq >= from && line.seq <= to)
        .map(|line| model.show_line(viewer, chat, line))
        .collect();
    expect(
        &format!("#{c}: {from}..={to}"),
        &json!(wanted),
        &json!(page.items),
    )?;
    let before = seen.iter().any(|line| line.seq < from);
    let after = seen.iter().any(|line| line.seq > to);
    expect(
        &format!("#{c}: more before {from}"),
        &json!(before),
        &json!(page.has_more_before),
    )?;
    expect(
        &format!("#{c}: more after {to}"),
        &json!(after),
        &json!(page.has_more_after),
    )
}

/// Ids of lines the engine wrote are known from the first page they stand on; they must not change.
fn learn(chat: &mut Chat, page: &HistoryPage) {
    for item in &page.items {
        if let Some(line) = chat.lines.iter_mut().find(|line| line.seq == item.seq) {
            line.id = line.id.or(Some(item.id));
        }
    }
}

/// One message by its id, with its receipts.
async fn compare_one(model: &Model, c: usize, viewer: User, actor: &Actor, rng: &mut Rng) -> Verdict {
    let chat = &model.chats[c];
    if chat.lines.is_empty() {
        return Ok(());
    }
    let line = &chat.lines[rng.below(chat.lines.len())];
    let Some(id) = line.id else {
        return Ok(());
    };
    let found = actor.message(id).await;
    if !model.sees(viewer, chat, line) {
        return match found {
            Err(error) if error.code() == chat_core::ErrorCode::MessageNotFound => Ok(()),
            other => Err(format!("#{c}/{}: not to be seen, but {other:?}", line.seq)),
        };
    }
    let found = told("message", found)?;
    expect(
        &format!("#{c}/{}", line.seq),
        &model.show_line(viewer, chat, line),
        &json!(found),
    )?;
    let page = PageRequest {
        limit: Some(1 + rng.below(3)),
        cursor: None,
    };
    let what = format!("#{c}/{}: former texts", line.seq);
    match (
        model.former(viewer, chat, line),
        actor.former_texts(id, page).await,
    ) {
        (Ok(former), Ok(_)) => {
            let limit = 1 + rng.below(3);
            let found = whole(&what, limit, async |page| actor.former_texts(id, page).await).await?;
            expect(&what, &json!(former), &json!(found))?;
        }
        (Err(code), Err(error)) if code == error.code() => {}
        (model, engine) => return Err(format!("{what}: the model says {model:?}, the engine {engine:?}")),
    }
    if line.sender == viewer {
        let receipts = told("receipts", actor.receipts(id, PageRequest::default()).await)?;
        let what = format!("#{c}/{}: receipts", line.seq);
        expect(
            &what,
            &model.show_receipts(viewer, chat, line),
            &json!(receipts.items),
        )?;
    }
    Ok(())
}
