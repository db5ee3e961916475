//! Rows of an archive, written into an empty schema.

use chat_core::archive::{ArchiveRow, ArchivedBlock, ArchivedMute};
use chat_core::model::{Account, AccountSession, Advance, Device, Scheduled, User};
use chat_core::store::StarChange;
use uuid::Uuid;

use super::pending::{LockedOnes, Pending};
use super::writes::{flush, step};
use super::{scheduled, user};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Statement, all, int, muted, statement};
use crate::transaction::Transaction;

/// What the rows of a batch come to: what commits write is written as by commits, the rest here.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    pending: Pending,
    users: Vec<User>,
    accounts: Vec<Account>,
    logins: Vec<AccountSession>,
    devices: Vec<Device>,
    timeless: Vec<Advance>,
    stars: Vec<StarChange>,
    blocks: Vec<ArchivedBlock>,
    mutes: Vec<ArchivedMute>,
    scheduled: Vec<Scheduled>,
    tried: Vec<(Uuid, u32)>,
}

impl Batch {
    pub(super) fn of(rows: Vec<ArchiveRow>) -> Self {
        let mut batch = Self::default();
        let pending = &mut batch.pending;
        for row in rows {
            match row {
                ArchiveRow::User(user) => batch.users.push(*user),
                ArchiveRow::Account(account) => batch.accounts.push(account),
                ArchiveRow::Login(session) => batch.logins.push(session),
                ArchiveRow::Device(device) => batch.devices.push(device),
                ArchiveRow::Attachment(file) => {
                    pending.attachments.insert(file.id, file);
                }
                ArchiveRow::Conversation(conversation) => {
                    pending.conversations.insert(conversation.id, (*conversation, 0));
                }
                ArchiveRow::Member(member) => {
                    let key = (member.conversation_id, member.user_id.clone());
                    pending.members.insert(key, (*member, 0));
                }
                ArchiveRow::Message(message) => {
                    let key = (message.conversation_id, message.seq);
                    pending.messages.insert(key, (*message, 0));
                }
                ArchiveRow::FormerText(text) => {
                    pending.former_texts.insert((text.message_id, text.version), text);
                }
                ArchiveRow::Reaction(reaction) => pending.reactions_added.push(reaction),
                ArchiveRow::Advance(row) => {
                    if row.timeless {
                        batch.timeless.push(row.advance.clone());
                    }
                    pending.advances.push(row.advance);
                }
                ArchiveRow::Hide(hide) => {
                    let key = (hide.user_id.clone(), hide.conversation_id, hide.seq);
                    pending.hides.insert(key, (hide, 0));
                }
                ArchiveRow::Star(row) => batch.stars.push(row),
                ArchiveRow::Block(row) => batch.blocks.push(row),
                ArchiveRow::Mute(row) => batch.mutes.push(row),
                ArchiveRow::Report(report) => pending.reports.push(*report),
                ArchiveRow::Audit(entry) => pending.audit.push(*entry),
                ArchiveRow::Scheduled(row) => batch.scheduled.push(*row),
                ArchiveRow::Outbox(row) => {
                    batch.tried.push((row.entry.id, row.attempts));
                    pending.outbox.push(row.entry);
                }
            }
        }
        batch
    }

    pub(super) async fn write(self, transaction: &mut Transaction) -> Result<(), Error> {
        for user in &self.users {
            added(transaction, user::bind(statement(user::ADD), user), 1).await?;
        }
        self.write_accounts(transaction).await?;
        if !self.pending.is_empty() {
            flush(transaction, &LockedOnes::new(), self.pending.clone()).await?;
        }
        self.write_lists(transaction).await?;
        for row in &self.scheduled {
            added(transaction, scheduled::bind(statement(scheduled::INSERT), row), 1).await?;
        }
        if !self.timeless.is_empty() {
            const FORGET: &str = "UPDATE chat_advances t SET timeless = true \
                FROM unnest($1::uuid[], $2::text[], $3::int8[], $4::int8[]) u(conversation_id, user_id, step, to_seq) \
                WHERE t.conversation_id = u.conversation_id AND t.user_id = u.user_id AND t.step = u.step \
                AND t.to_seq = u.to_seq";
            let rows = &self.timeless;
            let query = statement(FORGET)
                .bind(all(rows, |advance| advance.conversation_id.as_uuid()))
                .bind(all(rows, |advance| advance.user_id.as_str()))
                .bind(all(rows, |advance| step(advance.read)))
                .bind(all(rows, |advance| int(advance.to)));
            transaction.run(query).await?;
        }
        if !self.tried.is_empty() {
            const TRIED: &str = "UPDATE chat_outbox t SET attempts = u.attempts \
                FROM unnest($1::uuid[], $2::int8[]) u(id, attempts) WHERE t.id = u.id";
            let query = statement(TRIED)
                .bind(all(&self.tried, |(id, _)| *id))
                .bind(all(&self.tried, |(_, attempts)| i64::from(*attempts)));
            transaction.run(query).await?;
        }
        Ok(())
    }

    async fn write_accounts(&self, transaction: &mut Transaction) -> Result<(), Error> {
        const ACCOUNTS: &str = "INSERT INTO chat_accounts (user_id, email, phone, password_hash, created_at) \
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[])";
        const LOGINS: &str = "INSERT INTO chat_account_sessions (id, user_id, expires_at) \
            SELECT * FROM unnest($1::text[], $2::text[], $3::int8[])";
        const DEVICES: &str = "INSERT INTO chat_devices (token, user_id, platform, provider, refreshed_at, \
            login) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::text[])";
        if !self.accounts.is_empty() {
            let rows = &self.accounts;
            let query = statement(ACCOUNTS)
                .bind(all(rows, |account| account.user_id.as_str()))
                .bind(all(rows, |account| account.email.as_str()))
                .bind(all(rows, |account| account.phone.as_deref()))
                .bind(all(rows, |account| account.password_hash.as_str()))
                .bind(all(rows, |account| account.created_at.as_millis()));
            transaction.run(query).await?;
        }
        if !self.logins.is_empty() {
            let rows = &self.logins;
            let query = statement(LOGINS)
                .bind(all(rows, |session| session.id.as_str()))
                .bind(all(rows, |session| session.user_id.as_str()))
                .bind(all(rows, |session| session.expires_at.as_millis()));
            transaction.run(query).await?;
        }
        if !self.devices.is_empty() {
            let rows = &self.devices;
            let query = statement(DEVICES)
                .bind(all(rows, |device| device.token.as_str()))
                .bind(all(rows, |device| device.user_id.as_str()))
                .bind(all(rows, |device| device.platform.column()))
                .bind(all(rows, |device| device.provider.column()))
                .bind(all(rows, |device| device.refreshed_at.as_millis()))
                .bind(all(rows, |device| device.login.as_deref()));
            transaction.run(query).await?;
        }
        Ok(())
    }

    async fn write_lists(&self, transaction: &mut Transaction) -> Result<(), Error> {
        const STARS: &str = "INSERT INTO chat_stars (user_id, message_id, conversation_id, seq, active, user_rev) \
            SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::int8[], $5::bool[], $6::int8[])";
        const BLOCKS: &str = "INSERT INTO chat_blocks (blocker, blocked, active, user_rev, at) \
            SELECT * FROM unnest($1::text[], $2::text[], $3::bool[], $4::int8[], $5::int8[])";
        const MUTES: &str = "INSERT INTO chat_mutes (user_id, muted, until, user_rev) \
            SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[])";
        if !self.stars.is_empty() {
            let rows = &self.stars;
            let query = statement(STARS)
                .bind(all(rows, |row| row.star.user_id.as_str()))
                .bind(all(rows, |row| row.star.message_id.as_uuid()))
                .bind(all(rows, |row| row.star.conversation_id.as_uuid()))
                .bind(all(rows, |row| int(row.star.seq)))
                .bind(all(rows, |row| row.starred))
                .bind(all(rows, |row| int(row.user_rev)));
            transaction.run(query).await?;
        }
        if !self.blocks.is_empty() {
            let rows = &self.blocks;
            let query = statement(BLOCKS)
                .bind(all(rows, |row| row.block.blocker.as_str()))
                .bind(all(rows, |row| row.block.blocked.as_str()))
                .bind(all(rows, |row| row.stands))
                .bind(all(rows, |row| int(row.user_rev)))
                .bind(all(rows, |row| row.block.at.as_millis()));
            transaction.run(query).await?;
        }
        if !self.mutes.is_empty() {
            let rows = &self.mutes;
            let query = statement(MUTES)
                .bind(all(rows, |row| row.user.as_str()))
                .bind(all(rows, |row| row.muted.as_str()))
                .bind(all(rows, |row| muted(row.until)))
                .bind(all(rows, |row| int(row.user_rev)));
            transaction.run(query).await?;
        }
        Ok(())
    }
}

/// Runs a statement that has to write so many rows.
async fn added(transaction: &mut Transaction, query: Statement, rows: u64) -> Result<(), Error> {
    if transaction.run(query).await?.rows_affected() == rows {
        Ok(())
    } else {
        Err(Error::Broken("a row with this key is there already"))
    }
}
