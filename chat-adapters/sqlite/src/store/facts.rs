//! Loads what a decision asked to see, and nothing else.

use chat_core::id::UserId;
use chat_core::model::{Reaction, Restrictions};
use chat_core::store::{Facts, MembersNeeded, Needs, Target};
use chat_core::time::Timestamp;

use super::moderation::open_report;
use super::rows::{
    self, CONVERSATION_COLUMNS, MEMBER_COLUMNS, RESTRICTION_COLUMNS, attachment_columns,
    conversation_columns, member_columns, message_columns, restriction_columns,
};
use crate::error::Error;
use crate::statement::{Cells, Statement, blob, id_list, size, statement, user_list};
use crate::transaction::Transaction;

pub(super) const CONVERSATION: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.id = ?1"
);
pub(super) const DIRECT: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.pair_low = ?1 AND c.pair_high = ?2"
);
pub(super) const MEMBERS: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE mb.conversation_id = ?1"
);
/// The conversation with some of its members: one row for each, or one without. Most changes ask for the two, and
/// each statement is a round trip to SQLite's thread while the write lock is held.
macro_rules! with_members {
    ($columns:expr, $join:literal, $target:literal) => {
        concat!(
            "SELECT ",
            conversation_columns!(),
            ", ",
            member_columns!(),
            $columns,
            " FROM chat_conversations c LEFT JOIN chat_members mb ON mb.conversation_id = c.id \
             AND mb.user_id IN (SELECT value FROM json_each(?1))",
            $join,
            " WHERE ",
            $target
        )
    };
}
pub(super) const CONVERSATION_MEMBERS: &str = with_members!("", "", "c.id = ?2");
pub(super) const DIRECT_MEMBERS: &str = with_members!("", "", "c.pair_low = ?2 AND c.pair_high = ?3");
/// The same with what the sender is forbidden and his earlier send under a key.
macro_rules! with_replay {
    ($target:literal) => {
        with_members!(
            concat!(", ", restriction_columns!(), ", ", message_columns!()),
            " LEFT JOIN chat_users u ON u.id = ?2 LEFT JOIN chat_messages m ON m.conversation_id = c.id AND m.sender_id = ?2 AND m.client_id = ?3",
            $target
        )
    };
}
pub(super) const CONVERSATION_REPLAY: &str = with_replay!("c.id = ?4");
pub(super) const DIRECT_REPLAY: &str = with_replay!("c.pair_low = ?4 AND c.pair_high = ?5");
pub(super) const MESSAGES: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.id IN (SELECT unhex(value) FROM json_each(?1)) AND m.conversation_id = ?2"
);
pub(super) const HIDDEN: &str = "SELECT h.message_id FROM chat_hides h \
    WHERE h.user_id = ?1 AND h.message_id IN (SELECT unhex(value) FROM json_each(?2)) AND h.conversation_id = ?3";
pub(super) const REPLAY: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = ?1 AND m.sender_id = ?2 AND m.client_id = ?3"
);
pub(super) const REACTIONS: &str = "SELECT r.conversation_id, r.message_id, r.user_id, r.emoji, r.at FROM chat_reactions r \
    WHERE r.message_id = ?1 AND r.conversation_id = ?2 ORDER BY r.at, r.position";
pub(super) const BLOCKS: &str = "SELECT b.blocker, b.blocked FROM chat_blocks b WHERE b.blocker = ?1 AND b.active = 1 \
      AND b.blocked IN (SELECT value FROM json_each(?2)) \
    UNION ALL SELECT b.blocker, b.blocked FROM chat_blocks b WHERE b.blocked = ?1 AND b.active = 1 \
      AND b.blocker IN (SELECT value FROM json_each(?2))";
/// With how many messages show the file, counted up to `?2`.
pub(super) const ATTACHMENTS: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    ", (SELECT count(*) FROM (SELECT 1 FROM chat_message_files f WHERE f.attachment_id = a.id LIMIT ?2)) FROM chat_attachments a WHERE a.id IN (SELECT unhex(value) FROM json_each(?1))"
);
pub(super) const PINS: &str = "SELECT count(*) FROM chat_messages m WHERE m.conversation_id = ?1 \
    AND m.pinned_at IS NOT NULL AND m.deleted_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > ?2)";
pub(super) const RESTRICTIONS: &str = concat!(
    "SELECT ",
    restriction_columns!(),
    " FROM chat_users u WHERE u.id = ?1"
);
const USER_REVS: &str =
    "SELECT u.id, u.user_rev FROM chat_users u WHERE u.id IN (SELECT value FROM json_each(?1))";

pub(super) async fn load(
    transaction: &mut Transaction,
    needs: &Needs,
    now: Timestamp,
) -> Result<Facts, Error> {
    let mut facts = Facts {
        now,
        ..Facts::default()
    };
    let restrictions_known = match &needs.members {
        MembersNeeded::Of(users) if !users.is_empty() => {
            together(transaction, needs, users, &mut facts).await?
        }
        _ => {
            apart(transaction, needs, &mut facts).await?;
            false
        }
    };
    if let Some((reporter, target)) = &needs.open_report {
        let query = open_report(reporter, target);
        facts.open_report = transaction.find(query, |cells| cells.report()).await?;
    }
    if let Some(user) = (needs.restrictions_of.as_ref()).filter(|_| !restrictions_known) {
        let query = statement(RESTRICTIONS).bind(user.as_str());
        let found = transaction.find(query, rows::restrictions).await?;
        facts.restrictions = found.unwrap_or_default();
    }
    if let Some(conversation) = &facts.conversation {
        let id = blob(conversation.id.as_uuid());
        inside(transaction, needs, id, &mut facts).await?;
    }
    if let Some((user, others)) = &needs.blocks
        && !others.is_empty()
    {
        let query = statement(BLOCKS).bind(user.as_str()).bind(user_list(others)?);
        let pairs = transaction
            .list(query, |cells| Ok((cells.user()?, cells.user()?)))
            .await?;
        facts.blocks = pairs.into_iter().collect();
    }
    if !needs.attachments.is_empty() {
        let ids = id_list(needs.attachments.iter().map(|id| id.as_uuid()));
        let files = transaction
            .list(
                statement(ATTACHMENTS).bind(ids).bind(size(Facts::FILE_USES)),
                |cells| Ok((rows::attachment(cells)?, cells.uint()?)),
            )
            .await?;
        for (file, uses) in files {
            facts.file_uses.insert(file.id, uses);
            facts.attachments.insert(file.id, file);
        }
    }
    if !needs.user_revs.is_empty() {
        let query = statement(USER_REVS).bind(user_list(&needs.user_revs)?);
        let revs = transaction
            .list(query, |cells| Ok((cells.user()?, cells.uint()?)))
            .await?;
        facts.user_revs = revs.into_iter().collect();
    }
    Ok(facts)
}

/// The conversation, these members, and the earlier send, in one statement. Answers whether the restrictions asked for
/// were among it.
async fn together(
    transaction: &mut Transaction,
    needs: &Needs,
    users: &[UserId],
    facts: &mut Facts,
) -> Result<bool, Error> {
    let is_direct = matches!(needs.target, Target::Direct(_));
    let text = match (is_direct, needs.replay.is_some()) {
        (false, false) => CONVERSATION_MEMBERS,
        (true, false) => DIRECT_MEMBERS,
        (false, true) => CONVERSATION_REPLAY,
        (true, true) => DIRECT_REPLAY,
    };
    let mut query = statement(text).bind(user_list(users)?);
    if let Some((sender, client_id)) = &needs.replay {
        query = query.bind(sender.as_str()).bind(client_id.as_str());
    }
    let rows = transaction.all(bind_target(query, &needs.target)).await?;
    let mut sender = Restrictions::default();
    for row in &rows {
        let mut cells = Cells::new(row);
        if facts.conversation.is_none() {
            facts.conversation = Some(rows::conversation(&mut cells)?);
        } else {
            cells.skip(CONVERSATION_COLUMNS);
        }
        if cells.is_null()? {
            cells.skip(MEMBER_COLUMNS);
        } else {
            let member = rows::member(&mut cells)?;
            facts.members.insert(member.user_id.clone(), member);
        }
        if needs.replay.is_some() {
            if cells.is_null()? {
                cells.skip(RESTRICTION_COLUMNS);
            } else {
                sender = rows::restrictions(&mut cells)?;
            }
            if facts.replay.is_none() && !cells.is_null()? {
                facts.replay = Some(rows::message(&mut cells)?);
            }
        }
    }
    let of_sender =
        (needs.replay.as_ref()).is_some_and(|(who, _)| needs.restrictions_of.as_ref() == Some(who));
    // Without a conversation there is no row to carry them.
    let found = of_sender && facts.conversation.is_some();
    if found {
        facts.restrictions = sender;
    }
    Ok(found)
}

/// The conversation, and all members or none, and the earlier send, one after the other.
async fn apart(transaction: &mut Transaction, needs: &Needs, facts: &mut Facts) -> Result<(), Error> {
    let text = match &needs.target {
        Target::Conversation(_) => CONVERSATION,
        Target::Direct(_) => DIRECT,
    };
    let query = bind_target(statement(text), &needs.target);
    facts.conversation = transaction.find(query, rows::conversation).await?;
    let Some(conversation) = &facts.conversation else {
        return Ok(());
    };
    let id = blob(conversation.id.as_uuid());
    if needs.members == MembersNeeded::All {
        let query = statement(MEMBERS).bind(id.clone());
        let members = transaction.list(query, rows::member).await?;
        facts.members = members
            .into_iter()
            .map(|member| (member.user_id.clone(), member))
            .collect();
    }
    if let Some((sender, client_id)) = &needs.replay {
        let query = statement(REPLAY)
            .bind(id)
            .bind(sender.as_str())
            .bind(client_id.as_str());
        facts.replay = transaction.find(query, rows::message).await?;
    }
    Ok(())
}

fn bind_target(query: Statement, target: &Target) -> Statement {
    match target {
        Target::Conversation(id) => query.bind(blob(id.as_uuid())),
        Target::Direct(pair) => query.bind(pair.low().as_str()).bind(pair.high().as_str()),
    }
}

/// What else lies in the conversation with this id.
async fn inside(
    transaction: &mut Transaction,
    needs: &Needs,
    id: Vec<u8>,
    facts: &mut Facts,
) -> Result<(), Error> {
    if !needs.messages.is_empty() {
        let ids = id_list(needs.messages.iter().map(|id| id.as_uuid()));
        let query = statement(MESSAGES).bind(ids.clone()).bind(id.clone());
        let messages = transaction.list(query, rows::message).await?;
        facts.messages = messages
            .into_iter()
            .map(|message| (message.id, message))
            .collect();
        if let Some(user) = &needs.hidden_by {
            let query = statement(HIDDEN).bind(user.as_str()).bind(ids).bind(id.clone());
            let hidden = transaction.list(query, |cells| cells.message()).await?;
            facts.hidden = hidden.into_iter().collect();
        }
    }
    if needs.pins {
        let query = statement(PINS).bind(id.clone()).bind(facts.now.as_millis());
        facts.pins = transaction.find(query, |cells| cells.uint()).await?.unwrap_or(0);
    }
    if let Some(message) = needs.reactions {
        let query = statement(REACTIONS).bind(blob(message.as_uuid())).bind(id);
        facts.reactions = transaction
            .list(query, |cells| {
                Ok(Reaction {
                    conversation_id: cells.conversation()?,
                    message_id: cells.message()?,
                    user_id: cells.user()?,
                    emoji: cells.text()?,
                    at: cells.time()?,
                })
            })
            .await?;
    }
    Ok(())
}
