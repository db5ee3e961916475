//! Loads what a decision asked to see, and nothing else.

use chat_core::model::{Conversation, Reaction};
use chat_core::store::{Facts, MembersNeeded, Needs, Target};
use chat_core::time::Timestamp;

use super::rows::{self, attachment_columns, conversation_columns, member_columns, message_columns};
use crate::error::Error;
use crate::statement::{blob, id_list, statement, user_list};
use crate::transaction::Transaction;

const CONVERSATION: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.id = ?1"
);
const DIRECT: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.pair_low = ?1 AND c.pair_high = ?2"
);
const MEMBERS: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE mb.conversation_id = ?1"
);
const MEMBERS_OF: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE mb.conversation_id = ?1 AND mb.user_id IN (SELECT value FROM json_each(?2))"
);
const MESSAGES: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.id IN (SELECT unhex(value) FROM json_each(?1)) AND m.conversation_id = ?2"
);
const HIDDEN: &str = "SELECT h.message_id FROM chat_hides h \
    WHERE h.user_id = ?1 AND h.message_id IN (SELECT unhex(value) FROM json_each(?2)) AND h.conversation_id = ?3";
const REPLAY: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = ?1 AND m.sender_id = ?2 AND m.client_id = ?3"
);
const REACTIONS: &str = "SELECT r.conversation_id, r.message_id, r.user_id, r.emoji, r.at FROM chat_reactions r \
    WHERE r.message_id = ?1 AND r.conversation_id = ?2 ORDER BY r.at, r.position";
const BLOCKS: &str = "SELECT b.blocker, b.blocked FROM chat_blocks b WHERE b.blocker = ?1 AND b.active = 1 \
      AND b.blocked IN (SELECT value FROM json_each(?2)) \
    UNION ALL SELECT b.blocker, b.blocked FROM chat_blocks b WHERE b.blocked = ?1 AND b.active = 1 \
      AND b.blocker IN (SELECT value FROM json_each(?2))";
const ATTACHMENTS: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM chat_attachments a WHERE a.id IN (SELECT unhex(value) FROM json_each(?1))"
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
        conversation: target(transaction, &needs.target).await?,
        ..Facts::default()
    };
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
            .list(statement(ATTACHMENTS).bind(ids), rows::attachment)
            .await?;
        facts.attachments = files.into_iter().map(|file| (file.id, file)).collect();
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

async fn target(transaction: &mut Transaction, target: &Target) -> Result<Option<Conversation>, Error> {
    let query = match target {
        Target::Conversation(id) => statement(CONVERSATION).bind(blob(id.as_uuid())),
        Target::Direct(pair) => statement(DIRECT)
            .bind(pair.low().as_str())
            .bind(pair.high().as_str()),
    };
    transaction.find(query, rows::conversation).await
}

/// What lies in the conversation with this id.
async fn inside(
    transaction: &mut Transaction,
    needs: &Needs,
    id: Vec<u8>,
    facts: &mut Facts,
) -> Result<(), Error> {
    let members = match &needs.members {
        MembersNeeded::None => Vec::new(),
        MembersNeeded::Of(users) if users.is_empty() => Vec::new(),
        MembersNeeded::Of(users) => {
            let query = statement(MEMBERS_OF).bind(id.clone()).bind(user_list(users)?);
            transaction.list(query, rows::member).await?
        }
        MembersNeeded::All => {
            let query = statement(MEMBERS).bind(id.clone());
            transaction.list(query, rows::member).await?
        }
    };
    facts.members = members
        .into_iter()
        .map(|member| (member.user_id.clone(), member))
        .collect();
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
    if let Some((sender, client_id)) = &needs.replay {
        let query = statement(REPLAY)
            .bind(id.clone())
            .bind(sender.as_str())
            .bind(client_id.as_str());
        facts.replay = transaction.find(query, rows::message).await?;
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
