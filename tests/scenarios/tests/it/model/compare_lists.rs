//! Lists over all conversations beside the model's: search, mentions, stars, scheduled messages, counts.

use chat_core::Actor;
use chat_core::command::{
    ListConversations, ListMentions, ListScheduled, PageRequest, SearchMessages, StarredMessages,
};
use chat_core::error::ChatResult;
use chat_core::store::InboxFilter;
use chat_core::view::Page;
use serde_json::{Value, json};

use super::compare::{FILTERS, expect};
use super::game::Game;
use super::reference::{Chat, Line, Model, User};
use super::rng::Rng;
use super::{Verdict, told};

/// A whole list, page by page.
pub(super) async fn whole<T>(
    what: &str,
    limit: usize,
    ask: impl AsyncFn(PageRequest) -> ChatResult<Page<T>>,
) -> Result<Vec<T>, String> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest {
            limit: Some(limit),
            cursor,
        };
        let page = told(what, ask(page).await)?;
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn compare_lists(model: &Model, viewer: User, actor: &Actor, rng: &mut Rng) -> Verdict {
    if !model.chats.is_empty() {
        compare_search(model, viewer, actor, rng).await?;
    }
    let shown = |lines: Vec<(&Chat, &Line)>| -> Value {
        let lines = lines.into_iter();
        lines
            .map(|(chat, line)| model.show_line(viewer, chat, line))
            .collect()
    };
    for unread in [false, true] {
        let limit = 1 + rng.below(5);
        let ask = async |page| actor.mentions(ListMentions { unread, page }).await;
        let found = whole("mentions", limit, ask).await?;
        let wanted = shown(model.mentioning(viewer, unread));
        expect(&format!("mentions, unread: {unread}"), &wanted, &json!(found))?;
    }
    let here: Vec<usize> = (0..model.chats.len())
        .filter(|c| model.chats[*c].member(viewer).is_ok())
        .collect();
    let of = (!here.is_empty() && rng.once_in(2)).then(|| rng.pick(&here));
    let conversation_id = of.map(|c| model.chats[c].id);
    let ask = async |page| {
        let list = StarredMessages {
            conversation_id,
            page,
        };
        actor.starred_messages(list).await
    };
    let found = whole("starred", 1 + rng.below(3), ask).await?;
    let wanted = shown(model.starred(viewer, of));
    expect(&format!("starred of {of:?}"), &wanted, &json!(found))?;
    compare_scheduled(model, viewer, actor, rng).await?;
    compare_numbers(model, viewer, actor, rng).await
}

async fn compare_search(model: &Model, viewer: User, actor: &Actor, rng: &mut Rng) -> Verdict {
    let q = rng.word(1 + rng.clone().below(2));
    let c = rng.below(model.chats.len());
    let there = rng.once_in(4) && model.chats[c].member(viewer).is_ok();
    let sender = rng.once_in(4).then(|| rng.below(model.users));
    let from = rng.once_in(4).then(|| model.now - 60_000 * rng.below(60) as i64);
    let search = SearchMessages {
        q: q.clone(),
        conversation_id: there.then_some(model.chats[c].id),
        sender_id: sender.map(Game::id),
        from: from.map(chat_core::time::Timestamp::from_millis),
        ..SearchMessages::default()
    };
    let ask = async |page| {
        let search = SearchMessages {
            page,
            ..search.clone()
        };
        actor.search_messages(search).await
    };
    let found = whole("search", 1 + rng.below(5), ask).await?;
    let mut wanted = model.search(viewer, &q);
    wanted.retain(|(chat, line)| {
        (!there || chat.id == model.chats[c].id)
            && sender.is_none_or(|sender| line.sender == sender)
            && from.is_none_or(|from| line.at >= from)
    });
    let wanted: Vec<Value> = (wanted.into_iter())
        .map(|(chat, line)| model.show_line(viewer, chat, line))
        .collect();
    expect(&format!("{search:?}"), &json!(wanted), &json!(found))
}

async fn compare_scheduled(model: &Model, viewer: User, actor: &Actor, rng: &mut Rng) -> Verdict {
    let of = (!model.chats.is_empty() && rng.once_in(2)).then(|| rng.below(model.chats.len()));
    let conversation_id = of.map(|c| model.chats[c].id);
    let ask = async |page| {
        let list = ListScheduled {
            conversation_id,
            page,
        };
        actor.scheduled_messages(list).await
    };
    let found = whole("scheduled", 1 + rng.below(3), ask).await?;
    let open = model.open_plans(viewer, of);
    let wanted: Vec<Value> = open.into_iter().map(|plan| model.show_plan(plan)).collect();
    expect(&format!("scheduled for {of:?}"), &json!(wanted), &json!(found))?;
    for plan in model.plans.iter().filter(|plan| plan.owner == viewer) {
        let found = told("a scheduled one", actor.scheduled(plan.id).await)?;
        expect("a scheduled one", &model.show_plan(plan), &json!(found))?;
    }
    Ok(())
}

/// How many conversations each filter shows, and the list by numbers of pages.
async fn compare_numbers(model: &Model, viewer: User, actor: &Actor, rng: &mut Rng) -> Verdict {
    let counts = told("counts", actor.conversation_counts().await)?;
    for filter in FILTERS {
        let wanted = model.list(viewer, filter).len();
        expect(
            &format!("count of {filter:?}"),
            &json!(wanted),
            &json!(counts.of(filter)),
        )?;
    }
    let (filter, number, limit) = (rng.pick(&FILTERS), 1 + rng.below(3), 1 + rng.below(3));
    let list = ListConversations {
        filter,
        page: PageRequest {
            limit: Some(limit),
            cursor: None,
        },
        number: Some(number),
        ..ListConversations::default()
    };
    let page = told("page", actor.conversations(list).await)?;
    let listed = model.list(viewer, filter);
    let ids: Vec<_> = (listed.iter())
        .skip((number - 1) * limit)
        .take(limit)
        .map(|chat| json!({"id": chat.id}))
        .collect();
    let wanted = json!({
        "items": ids,
        "total": listed.len(),
        "page": number,
        "pages": listed.len().div_ceil(limit),
    });
    expect(&format!("page {number} of {filter:?}"), &wanted, &json!(page))?;
    compare_common(model, viewer, actor, rng).await
}

/// Conversations in common with another user.
async fn compare_common(model: &Model, viewer: User, actor: &Actor, rng: &mut Rng) -> Verdict {
    let other = rng.below(model.users);
    if other == viewer {
        return Ok(());
    }
    let id = Game::id(other);
    let found = whole("common", 1 + rng.below(3), async |page| {
        actor.conversations_with(&id, page).await
    })
    .await?;
    let apart = model.blocks(viewer, other) || model.blocks(other, viewer);
    let mut common = model.list(viewer, InboxFilter::All);
    common.retain(|chat| !apart && chat.member(other).is_ok());
    let common: Vec<_> = common.iter().map(|chat| json!({"id": chat.id})).collect();
    expect("in common", &json!(common), &json!(found))
}
