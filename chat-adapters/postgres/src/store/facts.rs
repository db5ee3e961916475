//! Locks what the changes of a transaction are about, and loads what they asked to see: one statement for each kind
//! of row, however many changes.
//!
//! Locks are taken in one order everywhere, so that nobody waits in a circle: conversations by id, users by id, files
//! by id. Rows are read after the locks were got, so that they are as those who had them before left them.

use std::collections::{BTreeSet, HashMap, HashSet};

use chat_core::id::{ConversationId, MessageId, UserId};
use chat_core::model::{DirectPair, Message, Reaction, ReportTarget, Restrictions};
use chat_core::store::{Change, Facts, MembersNeeded, Target};
use uuid::Uuid;

use super::moderation::OPEN_AMONG;
use super::pending::{Locked, LockedOnes};
use super::rows::{
    self, attachment_columns, conversation_columns, member_columns, message_columns, restriction_columns,
};
use super::slate::Slate;
use crate::error::Error;
use crate::statement::{Cells, all, size, statement};
use crate::transaction::Transaction;

pub(super) const CONVERSATIONS: &str = concat!(
    "SELECT c.change_no, ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.id = ANY($1) ORDER BY c.id FOR NO KEY UPDATE"
);
pub(super) const CONVERSATIONS_AND_PAIRS: &str = concat!(
    "SELECT c.change_no, ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.id IN (SELECT unnest($1::uuid[]) UNION ALL SELECT x.id \
     FROM unnest($2::text[], $3::text[]) p(low, high) \
     JOIN chat_conversations x ON x.pair_low = p.low AND x.pair_high = p.high) \
     ORDER BY c.id FOR NO KEY UPDATE"
);
const USER_REVS: &str =
    "SELECT u.id, u.user_rev FROM chat_users u WHERE u.id = ANY($1) ORDER BY u.id FOR NO KEY UPDATE";
const ATTACHMENTS: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM chat_attachments a WHERE a.id = ANY($1) ORDER BY a.id FOR NO KEY UPDATE"
);
/// How many messages show each file, counted up to `$2`; after the files were locked, which who shows them does too.
pub(super) const FILE_USES: &str = "SELECT k.id, n.uses FROM unnest($1::uuid[]) k(id) CROSS JOIN LATERAL \
    (SELECT count(*) AS uses FROM (SELECT 1 FROM chat_message_files f WHERE f.attachment_id = k.id LIMIT $2) f) n";
pub(super) const PINS: &str = "SELECT m.conversation_id, m.id, m.expires_at FROM chat_messages m \
    WHERE m.conversation_id = ANY($1) AND m.pinned_at IS NOT NULL AND m.deleted_at IS NULL";
pub(super) const RESTRICTIONS: &str = concat!(
    "SELECT u.id, ",
    restriction_columns!(),
    " FROM chat_users u WHERE u.id = ANY($1)"
);
pub(super) const MEMBERS: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM unnest($1::uuid[], $2::text[]) k(conversation_id, user_id) \
     JOIN chat_members mb ON mb.conversation_id = k.conversation_id AND mb.user_id = k.user_id"
);
pub(super) const ALL_MEMBERS: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE mb.conversation_id = ANY($1)"
);
/// Earlier sends, and what their senders are forbidden, which nearly every send asks too.
pub(super) const REPLAYS: &str = concat!(
    "SELECT k.sender_id, u.id IS NOT NULL, ",
    restriction_columns!(),
    ", ",
    message_columns!(),
    " FROM unnest($1::uuid[], $2::text[], $3::text[]) k(conversation_id, sender_id, client_id) \
     LEFT JOIN chat_users u ON u.id = k.sender_id \
     LEFT JOIN chat_messages m ON m.conversation_id = k.conversation_id AND m.sender_id = k.sender_id \
       AND m.client_id = k.client_id"
);
pub(super) const MESSAGES: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.id = ANY($1)"
);
pub(super) const HIDDEN: &str = "SELECT h.user_id, h.message_id FROM unnest($1::text[], $2::uuid[]) k(user_id, message_id) \
    JOIN chat_hides h ON h.user_id = k.user_id AND h.message_id = k.message_id";
pub(super) const REACTIONS: &str = "SELECT r.conversation_id, r.message_id, r.user_id, r.emoji, r.at \
    FROM chat_reactions r WHERE r.message_id = ANY($1) ORDER BY r.at, r.position";
pub(super) const BLOCKS: &str = "SELECT b.blocker, b.blocked FROM unnest($1::text[], $2::text[]) k(blocker, blocked) \
    JOIN chat_blocks b ON b.blocker = k.blocker AND b.blocked = k.blocked WHERE b.active";

/// Everything the changes asked for.
pub(super) async fn load(
    transaction: &mut Transaction,
    changes: &[Change],
) -> Result<(Slate, LockedOnes), Error> {
    let mut slate = Slate::default();
    let locked = lock_conversations(transaction, changes, &mut slate).await?;
    lock_users(transaction, changes, &mut slate).await?;
    lock_files(transaction, changes, &mut slate).await?;
    let asked = Asked::of(changes, &slate);
    asked.load(transaction, &mut slate).await?;
    Ok((slate, locked))
}

async fn lock_conversations(
    transaction: &mut Transaction,
    changes: &[Change],
    slate: &mut Slate,
) -> Result<LockedOnes, Error> {
    let (mut ids, mut pairs) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        match &change.needs.target {
            Target::Conversation(id) => drop(ids.insert(id.as_uuid())),
            Target::Direct(pair) => drop(pairs.insert((pair.low().as_str(), pair.high().as_str()))),
        }
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let query = if pairs.is_empty() {
        statement(CONVERSATIONS).bind(ids)
    } else {
        let (low, high): (Vec<&str>, Vec<&str>) = pairs.into_iter().unzip();
        statement(CONVERSATIONS_AND_PAIRS).bind(ids).bind(low).bind(high)
    };
    let rows = transaction
        .list(query, |cells| Ok((cells.int()?, rows::conversation(cells)?)))
        .await?;
    let mut locked = LockedOnes::new();
    for (change_no, conversation) in rows {
        let last_seq = conversation.last_seq;
        locked.insert(conversation.id, Locked { change_no, last_seq });
        if let Some(pair) = &conversation.pair {
            slate.pairs.insert(DirectPair::clone(pair), conversation.id);
        }
        slate.conversations.insert(conversation.id, conversation);
    }
    Ok(locked)
}

async fn lock_users(
    transaction: &mut Transaction,
    changes: &[Change],
    slate: &mut Slate,
) -> Result<(), Error> {
    let users: BTreeSet<&str> = changes
        .iter()
        .flat_map(|change| &change.needs.user_revs)
        .map(UserId::as_str)
        .collect();
    if users.is_empty() {
        return Ok(());
    }
    let users: Vec<&str> = users.into_iter().collect();
    let revs = transaction
        .list(statement(USER_REVS).bind(users), |cells| {
            Ok((cells.user()?, cells.uint()?))
        })
        .await?;
    slate.user_revs = revs.into_iter().collect();
    Ok(())
}

async fn lock_files(
    transaction: &mut Transaction,
    changes: &[Change],
    slate: &mut Slate,
) -> Result<(), Error> {
    let ids: BTreeSet<Uuid> = changes
        .iter()
        .flat_map(|change| &change.needs.attachments)
        .map(|id| id.as_uuid())
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let files = transaction
        .list(statement(ATTACHMENTS).bind(ids.as_slice()), rows::attachment)
        .await?;
    slate.attachments = files.into_iter().map(|file| (file.id, file)).collect();
    let uses = statement(FILE_USES).bind(ids).bind(size(Facts::FILE_USES));
    let uses = transaction.list(uses, |cells| Ok((cells.attachment()?, cells.int()?)));
    slate.file_uses = uses.await?.into_iter().filter(|(_, uses)| *uses > 0).collect();
    Ok(())
}

/// Keys of the rows that are read without a lock of their own, each once.
#[derive(Debug, Default)]
struct Asked<'c> {
    members: BTreeSet<(Uuid, &'c str)>,
    all_members: BTreeSet<Uuid>,
    replays: BTreeSet<(Uuid, &'c str, &'c str)>,
    messages: BTreeSet<Uuid>,
    hidden: BTreeSet<(&'c str, Uuid)>,
    reactions: BTreeSet<Uuid>,
    blocks: BTreeSet<(&'c str, &'c str)>,
    pins: BTreeSet<Uuid>,
    restrictions: BTreeSet<&'c str>,
    open_reports: HashSet<&'c (UserId, ReportTarget)>,
}

impl<'c> Asked<'c> {
    fn of(changes: &'c [Change], slate: &Slate) -> Self {
        let mut asked = Self::default();
        for change in changes {
            let needs = &change.needs;
            if let Some((user, others)) = &needs.blocks {
                for other in others {
                    asked.blocks.insert((user.as_str(), other.as_str()));
                    asked.blocks.insert((other.as_str(), user.as_str()));
                }
            }
            asked
                .restrictions
                .extend(needs.restrictions_of.as_ref().map(UserId::as_str));
            asked.open_reports.extend(&needs.open_report);
            // In a conversation that is not there yet there is nothing to read.
            let Some(id) = slate
                .find(&needs.target)
                .map(|conversation| conversation.id.as_uuid())
            else {
                continue;
            };
            match &needs.members {
                MembersNeeded::None => {}
                MembersNeeded::Of(users) => {
                    asked.members.extend(users.iter().map(|user| (id, user.as_str())));
                }
                MembersNeeded::All => drop(asked.all_members.insert(id)),
            }
            if needs.pins {
                asked.pins.insert(id);
            }
            if let Some((sender, client_id)) = &needs.replay {
                asked.replays.insert((id, sender.as_str(), client_id.as_str()));
            }
            asked
                .messages
                .extend(needs.messages.iter().map(MessageId::as_uuid));
            if let Some(user) = &needs.hidden_by {
                let messages = needs.messages.iter();
                asked
                    .hidden
                    .extend(messages.map(|message| (user.as_str(), message.as_uuid())));
            }
            asked
                .reactions
                .extend(needs.reactions.map(|message| message.as_uuid()));
        }
        asked
    }

    async fn load(mut self, transaction: &mut Transaction, slate: &mut Slate) -> Result<(), Error> {
        if !self.members.is_empty() {
            let keys: Vec<_> = self.members.into_iter().collect();
            let query = statement(MEMBERS)
                .bind(all(&keys, |key| key.0))
                .bind(all(&keys, |key| key.1));
            add_members(transaction.list(query, rows::member).await?, slate);
        }
        if !self.all_members.is_empty() {
            let ids: Vec<Uuid> = self.all_members.into_iter().collect();
            let query = statement(ALL_MEMBERS).bind(ids);
            add_members(transaction.list(query, rows::member).await?, slate);
        }
        if !self.replays.is_empty() {
            let keys: Vec<_> = self.replays.into_iter().collect();
            let query = statement(REPLAYS)
                .bind(all(&keys, |key| key.0))
                .bind(all(&keys, |key| key.1))
                .bind(all(&keys, |key| key.2));
            for (sender, restrictions, message) in transaction.list(query, replay).await? {
                self.restrictions.remove(sender.as_str());
                slate.restrictions.insert(sender, restrictions);
                let Some(message) = message else { continue };
                if let Some(client_id) = message.client_id.clone() {
                    let key = (message.conversation_id, message.sender_id.clone(), client_id);
                    slate.replays.insert(key, message.id);
                }
                slate.messages.insert(message.id, message);
            }
        }
        if !self.restrictions.is_empty() {
            let users: Vec<&str> = self.restrictions.into_iter().collect();
            let query = statement(RESTRICTIONS).bind(users);
            let found = transaction.list(query, |cells| Ok((cells.user()?, rows::restrictions(cells)?)));
            slate.restrictions.extend(found.await?);
        }
        if !self.open_reports.is_empty() {
            let keys: Vec<_> = self.open_reports.into_iter().collect();
            let query = statement(OPEN_AMONG)
                .bind(all(&keys, |key| key.0.as_str()))
                .bind(all(&keys, |key| key.1.kind()))
                .bind(all(&keys, |key| key.1.id()));
            let open = transaction.list(query, |cells| Ok((cells.int()?, cells.report()?)));
            for (number, report) in open.await? {
                // Numbered from 1 in the order they were asked for.
                let key = usize::try_from(number - 1).ok().and_then(|index| keys.get(index));
                if let Some((reporter, target)) = key {
                    slate
                        .open_reports
                        .insert((reporter.clone(), target.clone()), report);
                }
            }
        }
        if !self.pins.is_empty() {
            for conversation in &self.pins {
                slate
                    .pinned
                    .insert(ConversationId::from_uuid(*conversation), HashMap::new());
            }
            let conversations: Vec<Uuid> = self.pins.into_iter().collect();
            let found = transaction.list(statement(PINS).bind(conversations), |cells| {
                Ok((cells.conversation()?, cells.message()?, cells.opt_time()?))
            });
            for (conversation, message, expires_at) in found.await? {
                let pinned = slate.pinned.entry(conversation).or_default();
                pinned.insert(message, expires_at);
            }
        }
        if !self.messages.is_empty() {
            let ids: Vec<Uuid> = self.messages.into_iter().collect();
            let query = statement(MESSAGES).bind(ids);
            let messages = transaction.list(query, rows::message).await?;
            let messages = messages.into_iter().map(|message| (message.id, message));
            slate.messages.extend(messages);
        }
        if !self.hidden.is_empty() {
            let keys: Vec<_> = self.hidden.into_iter().collect();
            let query = statement(HIDDEN)
                .bind(all(&keys, |key| key.0))
                .bind(all(&keys, |key| key.1));
            let hidden = transaction.list(query, |cells| Ok((cells.user()?, cells.message()?)));
            slate.hidden = hidden.await?.into_iter().collect();
        }
        if !self.reactions.is_empty() {
            let ids: Vec<Uuid> = self.reactions.into_iter().collect();
            let reactions = transaction.list(statement(REACTIONS).bind(ids), reaction).await?;
            for reaction in reactions {
                let list: &mut Vec<Reaction> = slate.reactions.entry(reaction.message_id).or_default();
                list.push(reaction);
            }
        }
        if !self.blocks.is_empty() {
            let keys: Vec<_> = self.blocks.into_iter().collect();
            let query = statement(BLOCKS)
                .bind(all(&keys, |key| key.0))
                .bind(all(&keys, |key| key.1));
            let blocks = transaction.list(query, |cells| Ok((cells.user()?, cells.user()?)));
            slate.blocks = blocks.await?.into_iter().collect();
        }
        Ok(())
    }
}

fn add_members(members: Vec<chat_core::model::Member>, slate: &mut Slate) {
    let keyed: HashMap<(ConversationId, UserId), _> = members
        .into_iter()
        .map(|member| ((member.conversation_id, member.user_id.clone()), member))
        .collect();
    slate.members.extend(keyed);
}

type Replay = (UserId, Restrictions, Option<Message>);

fn replay(cells: &mut Cells<'_>) -> Result<Replay, Error> {
    let sender = cells.user()?;
    let restrictions = if cells.flag()? {
        rows::restrictions(cells)?
    } else {
        cells.skip(rows::RESTRICTION_COLUMNS);
        Restrictions::default()
    };
    let message = if cells.is_null()? {
        None
    } else {
        Some(rows::message(cells)?)
    };
    Ok((sender, restrictions, message))
}

fn reaction(cells: &mut Cells<'_>) -> Result<Reaction, Error> {
    Ok(Reaction {
        conversation_id: cells.conversation()?,
        message_id: cells.message()?,
        user_id: cells.user()?,
        emoji: cells.text()?,
        at: cells.time()?,
    })
}
