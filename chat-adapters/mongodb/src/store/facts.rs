//! Loads what the decisions of a commit asked to see: one query for each sort of row, whatever the number of changes,
//! and all of them at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chat_core::id::{AttachmentId, ClientId, ConversationId, MessageId, ReportId, UserId};
use chat_core::model::{
    Attachment, Conversation, DirectPair, Member, Message, Reaction, ReportTarget, Seq, User,
};
use chat_core::store::{Facts, MembersNeeded, Needs, Purge, Target};
use chat_core::time::Timestamp;
use futures::future::try_join_all;
use mongodb::bson::{Bson, Document, doc};

use super::purge;
use super::state::{Missing, Place, State};
use crate::codec::{attachment, conversation, key, member, message, moderation, receipt, user};
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::row::{Row, texts, time, uuid, uuids};

/// The needs of all changes together.
#[derive(Default)]
struct Wanted {
    conversations: BTreeSet<ConversationId>,
    members: BTreeSet<String>,
    all_members: BTreeSet<ConversationId>,
    messages: BTreeSet<MessageId>,
    sends: BTreeMap<String, (ConversationId, UserId, ClientId)>,
    hides: BTreeMap<String, (UserId, MessageId)>,
    reactions: BTreeSet<MessageId>,
    blocks: BTreeMap<String, (UserId, UserId)>,
    attachments: BTreeSet<AttachmentId>,
    users: BTreeSet<UserId>,
    pins: BTreeSet<ConversationId>,
    reports: HashMap<String, (UserId, ReportTarget)>,
}

impl Wanted {
    fn add(&mut self, needs: &Needs, id: Option<ConversationId>) {
        if let Some(id) = id {
            self.conversations.insert(id);
            match &needs.members {
                MembersNeeded::None => {}
                MembersNeeded::Of(users) => self
                    .members
                    .extend(users.iter().map(|user| key::member(id, user))),
                MembersNeeded::All => {
                    self.all_members.insert(id);
                }
            }
            self.messages.extend(needs.messages.iter().copied());
            if let Some((user, client_id)) = &needs.replay {
                let send = (id, user.clone(), client_id.clone());
                self.sends.insert(key::send(id, user, client_id), send);
            }
            if let Some(user) = &needs.hidden_by {
                let hides = needs.messages.iter().map(|message| (user.clone(), *message));
                self.hides
                    .extend(hides.map(|hide| (key::of_message(&hide.0, hide.1), hide)));
            }
            self.reactions.extend(needs.reactions);
            if needs.pins {
                self.pins.insert(id);
            }
        }
        if let Some((user, others)) = &needs.blocks {
            for other in others {
                for pair in [(user.clone(), other.clone()), (other.clone(), user.clone())] {
                    self.blocks.insert(key::about(&pair.0, &pair.1), pair);
                }
            }
        }
        self.attachments.extend(needs.attachments.iter().copied());
        self.users.extend(needs.user_revs.iter().cloned());
        self.users.extend(needs.restrictions_of.clone());
        if let Some((reporter, target)) = &needs.open_report {
            let report = (reporter.clone(), target.clone());
            self.reports.insert(key::report(reporter, target), report);
        }
    }
}

fn target(needs: &Needs, pairs: &HashMap<DirectPair, ConversationId>) -> Option<ConversationId> {
    match &needs.target {
        Target::Conversation(id) => Some(*id),
        Target::Direct(pair) => pairs.get(pair).copied(),
    }
}

/// Everything that decisions with these needs look at.
pub(super) async fn load(database: &Database, needs: &[&Needs], now: Timestamp) -> Result<State, Error> {
    let mut state = State {
        now,
        ..State::default()
    };
    let pairs: BTreeSet<DirectPair> = needs
        .iter()
        .filter_map(|needs| match &needs.target {
            Target::Direct(pair) => Some(pair.clone()),
            Target::Conversation(_) => None,
        })
        .collect();
    for conversation in with_pairs(database, &pairs).await? {
        note_conversation(&mut state, conversation);
    }
    state.asked.pairs = pairs;
    let mut wanted = Wanted::default();
    for needs in needs {
        wanted.add(needs, target(needs, &state.pairs));
    }
    wanted
        .conversations
        .retain(|id| !state.conversations.contains_key(id));
    let (conversations, members, messages, hides, reactions, blocks, files, users, pins, reports) = futures::try_join!(
        conversations(database, &wanted.conversations),
        members(database, &wanted),
        messages(database, &wanted),
        ids(database, Collection::Hides, wanted.hides.keys()),
        reactions(database, &wanted.reactions),
        active_blocks(database, wanted.blocks.keys()),
        files(database, &wanted.attachments),
        users(database, &wanted.users),
        pins(database, &wanted.pins, now),
        open_reports(database, wanted.reports.keys()),
    )?;
    state.asked.conversations = wanted.conversations;
    for conversation in conversations {
        note_conversation(&mut state, conversation);
    }
    for member in members {
        let key = (member.conversation_id, member.user_id.clone());
        state.members.insert(key, member);
    }
    for (message, send) in messages {
        if let Some(send) = send.and_then(|send| wanted.sends.get(&send)) {
            state.sends.insert(send.clone(), message.id);
            state.keys.insert(send.clone(), message.id);
        }
        state.messages.insert(message.id, message);
    }
    state.asked_sends = wanted.sends.into_keys().collect();
    state.hidden = hides
        .iter()
        .filter_map(|id| wanted.hides.get(id))
        .cloned()
        .collect();
    for reaction in reactions {
        state
            .reactions
            .entry(reaction.message_id)
            .or_default()
            .push(reaction);
    }
    state.blocks = blocks
        .iter()
        .filter_map(|id| wanted.blocks.get(id))
        .cloned()
        .collect();
    for (file, uses) in files {
        state.file_uses.insert(file.id, uses);
        state.attachments.insert(file.id, file);
    }
    for user in users {
        state.user_revs.insert(user.id.clone(), user.user_rev);
        state.restrictions.insert(user.id.clone(), user.restrictions());
    }
    state.pins = pins.into_iter().collect();
    for (key, id) in reports {
        if let Some(report) = wanted.reports.get(&key) {
            state.open_reports.insert(report.clone(), id);
        }
    }
    Ok(state)
}

fn note_conversation(state: &mut State, conversation: Conversation) {
    if let Some(pair) = &conversation.pair {
        state.pairs.insert(pair.clone(), conversation.id);
    }
    state.conversations.insert(conversation.id, conversation);
}

async fn with_pairs(database: &Database, pairs: &BTreeSet<DirectPair>) -> Result<Vec<Conversation>, Error> {
    let keys: Vec<String> = pairs.iter().map(key::pair).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let find = Find::all(doc! { "pair": { "$in": keys } });
    database
        .list(Collection::Conversations, find, conversation::from_document)
        .await
}

async fn conversations(
    database: &Database,
    ids: &BTreeSet<ConversationId>,
) -> Result<Vec<Conversation>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let find = Find::all(doc! { "_id": { "$in": uuids(ids.iter().map(|id| id.as_uuid())) } });
    database
        .list(Collection::Conversations, find, conversation::from_document)
        .await
}

async fn members(database: &Database, wanted: &Wanted) -> Result<Vec<Member>, Error> {
    let mut filters = Vec::new();
    if !wanted.members.is_empty() {
        let keys: Vec<&str> = wanted.members.iter().map(String::as_str).collect();
        filters.push(doc! { "_id": { "$in": keys } });
    }
    if !wanted.all_members.is_empty() {
        let ids = uuids(wanted.all_members.iter().map(|id| id.as_uuid()));
        filters.push(doc! { "conversation_id": { "$in": ids } });
    }
    each(database, Collection::Members, filters, &[], member::from_document).await
}

/// What fits one of the filters, once for each that it fits. They are asked side by side, so each goes by its index on
/// every server; an `$or` of them does so only on those that plan its parts apart.
async fn each<T>(
    database: &Database,
    collection: Collection,
    filters: Vec<Document>,
    fields: &[&str],
    read: impl Fn(&Document) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let lists = filters.into_iter().map(|filter| {
        let find = Find::all(filter);
        let find = if fields.is_empty() {
            find
        } else {
            find.only(fields)
        };
        database.list(collection, find, &read)
    });
    Ok(try_join_all(lists).await?.into_iter().flatten().collect())
}

async fn messages(database: &Database, wanted: &Wanted) -> Result<Vec<(Message, Option<String>)>, Error> {
    let mut filters = Vec::new();
    if !wanted.messages.is_empty() {
        let ids = uuids(wanted.messages.iter().map(|id| id.as_uuid()));
        filters.push(doc! { "id": { "$in": ids } });
    }
    if !wanted.sends.is_empty() {
        let keys: Vec<&str> = wanted.sends.keys().map(String::as_str).collect();
        filters.push(doc! { "send": { "$in": keys } });
    }
    let read = |found: &Document| Ok((message::from_document(found)?, Row(found).opt_text("send")?));
    each(database, Collection::Messages, filters, &[], read).await
}

/// Those of the `_id`s that are there and no graves.
async fn ids(
    database: &Database,
    collection: Collection,
    keys: impl Iterator<Item = &String>,
) -> Result<Vec<String>, Error> {
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let find = Find::all(doc! { "_id": { "$in": keys }, "gone": null }).only(&["_id"]);
    database
        .list(collection, find, |found| Row(found).text("_id"))
        .await
}

async fn reactions(database: &Database, messages: &BTreeSet<MessageId>) -> Result<Vec<Reaction>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let ids = uuids(messages.iter().map(|id| id.as_uuid()));
    let find = Find::all(doc! { "message_id": { "$in": ids } }).sorted(doc! { "at": 1, "place": 1 });
    database
        .list(Collection::Reactions, find, receipt::reaction_from_document)
        .await
}

async fn active_blocks(
    database: &Database,
    keys: impl Iterator<Item = &String>,
) -> Result<Vec<String>, Error> {
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let find = Find::all(doc! { "_id": { "$in": keys }, "active": true }).only(&["_id"]);
    database
        .list(Collection::Blocks, find, |found| Row(found).text("_id"))
        .await
}

async fn files(database: &Database, ids: &BTreeSet<AttachmentId>) -> Result<Vec<(Attachment, u64)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let find = Find::all(doc! { "_id": { "$in": uuids(ids.iter().map(|id| id.as_uuid())) }, "gone": null });
    let files = database
        .list(Collection::Attachments, find, attachment::from_document)
        .await?;
    let counted = files.into_iter().map(|file| async move {
        let shown = doc! { "files": uuid(file.id.as_uuid()) };
        let uses = database
            .count(Collection::Messages, shown, Some(Facts::FILE_USES))
            .await?;
        Ok::<_, Error>((file, uses))
    });
    try_join_all(counted).await
}

async fn users(database: &Database, ids: &BTreeSet<UserId>) -> Result<Vec<User>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let find = Find::all(doc! { "_id": { "$in": texts(ids) } });
    database.list(Collection::Users, find, user::from_document).await
}

async fn pins(
    database: &Database,
    conversations: &BTreeSet<ConversationId>,
    now: Timestamp,
) -> Result<Vec<(ConversationId, u64)>, Error> {
    let counted = conversations.iter().map(|id| async move {
        let pinned = doc! {
            "conversation_id": uuid(id.as_uuid()),
            "pinned_at": { "$exists": true },
            "deleted_at": null,
            "expires_at": { "$not": { "$lte": time(now) } },
        };
        let count = database.count(Collection::Messages, pinned, None).await?;
        Ok::<_, Error>((*id, count))
    });
    try_join_all(counted).await
}

async fn open_reports(
    database: &Database,
    keys: impl Iterator<Item = &String>,
) -> Result<Vec<(String, ReportId)>, Error> {
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let find = Find::all(doc! { "open_key": { "$in": keys } }).only(&["open_key"]);
    let read = |found: &Document| Ok((Row(found).text("open_key")?, moderation::report_id(found)?));
    database.list(Collection::Reports, find, read).await
}

/// Looks up what the rows that are to be written have to be compared with.
pub(super) async fn look_up(database: &Database, state: &mut State, missing: Missing) -> Result<(), Error> {
    let (paired, others, places, hanging, purged, lanes) = futures::try_join!(
        with_pairs(database, &missing.pairs),
        conversations(database, &missing.conversations),
        places(database, &missing, &state.asked_sends),
        hanging(database, &missing),
        purges(database, &missing.purges),
        lanes(database, &missing.lanes),
    )?;
    state.lanes.extend(lanes);
    for conversation in paired.into_iter().chain(others) {
        note_conversation(state, conversation);
    }
    for (place, send) in places {
        let send = send.and_then(|send| {
            missing.messages.values().find_map(|(conversation, _, key)| {
                let (user, client_id) = key.as_ref()?;
                (key::send(*conversation, user, client_id) == send)
                    .then(|| (*conversation, user.clone(), client_id.clone()))
            })
        });
        state.note_place(place, send);
    }
    for (what, id) in hanging {
        state.hanging.entry(what).or_default().insert(id);
    }
    if purged.is_some() {
        state.purged = purged;
    }
    state.asked.add(&missing);
    Ok(())
}

/// What lies at the places of messages that are to be written, has their ids, or has their keys, unless those came with
/// the facts.
async fn places(
    database: &Database,
    missing: &Missing,
    asked_sends: &BTreeSet<String>,
) -> Result<Vec<(Place, Option<String>)>, Error> {
    if missing.messages.is_empty() {
        return Ok(Vec::new());
    }
    let (mut seats, mut keys) = (Vec::new(), Vec::new());
    for (conversation, seq, key) in missing.messages.values() {
        seats.push(key::message(*conversation, *seq));
        if let Some((user, client_id)) = key {
            let send = key::send(*conversation, user, client_id);
            if !asked_sends.contains(&send) {
                keys.push(send);
            }
        }
    }
    let ids = uuids(missing.messages.keys().map(|id| id.as_uuid()));
    let mut filters = vec![
        doc! { "_id": { "$in": seats }, "gone": null },
        doc! { "id": { "$in": ids } },
    ];
    if !keys.is_empty() {
        filters.push(doc! { "send": { "$in": keys } });
    }
    let fields = ["id", "conversation_id", "seq", "born", "send"];
    let read = |found: &Document| {
        let row = Row(found);
        let place = Place {
            id: message::id(found)?,
            conversation: row.conversation("conversation_id")?,
            seq: row.uint("seq")?,
            born: row.int("born")?,
        };
        Ok((place, row.opt_text("send")?))
    };
    each(database, Collection::Messages, filters, &fields, read).await
}

type Hanging = ((Collection, MessageId), String);

async fn hanging(database: &Database, missing: &Missing) -> Result<Vec<Hanging>, Error> {
    let lists = [Collection::Reactions, Collection::FormerTexts].map(|collection| async move {
        let of = (missing.hanging.iter()).filter(|(wanted, _)| *wanted == collection);
        let messages = uuids(of.map(|(_, id)| id.as_uuid()));
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let find = Find::all(doc! { "message_id": { "$in": messages } }).only(&["message_id"]);
        let read = |found: &Document| {
            let row = Row(found);
            Ok(((collection, row.message("message_id")?), row.text("_id")?))
        };
        database.list(collection, find, read).await
    });
    let lists = try_join_all(lists).await?;
    Ok(lists.into_iter().flatten().collect())
}

/// Those that have entries on their way out.
async fn lanes(
    database: &Database,
    lanes: &BTreeSet<(String, String)>,
) -> Result<Vec<(String, String)>, Error> {
    let asked = lanes.iter().map(|(topic, key)| async move {
        let filter = doc! { "topic": topic.as_str(), "key": key.as_str() };
        let there = database.exists(Collection::Outbox, filter).await?;
        Ok::<_, Error>(there.then(|| (topic.clone(), key.clone())))
    });
    Ok(try_join_all(asked).await?.into_iter().flatten().collect())
}

async fn purges(
    database: &Database,
    purges: &BTreeSet<(ConversationId, Seq)>,
) -> Result<Option<(Purge, Vec<(Collection, Bson)>)>, Error> {
    // A purge is decided alone, so there is at most one.
    let Some((conversation_id, below)) = purges.first().copied() else {
        return Ok(None);
    };
    let purge = Purge {
        conversation_id,
        below,
    };
    Ok(Some((purge, purge::goes(database, purge).await?)))
}
