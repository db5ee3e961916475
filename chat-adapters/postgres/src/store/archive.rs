//! Everything the schema holds, row by row; `restore` writes it back.

use async_trait::async_trait;
use chat_core::archive::{
    ArchiveKind, ArchiveRow, ArchiveStore, ArchivedAdvance, ArchivedBlock, ArchivedMute, ArchivedOutbox,
};
use chat_core::error::BackendResult;
use chat_core::model::{Advance, Block, Device, FormerText, Hide, Reaction, Star};
use chat_core::store::StarChange;
use uuid::Uuid;

use super::PostgresStore;
use super::account::{account, session};
use super::moderation::{entry, entry_columns, report, report_columns};
use super::outbox;
use super::personal::read_of;
use super::restore::Batch;
use super::rows::{self, attachment_columns, conversation_columns, member_columns, message_columns};
use super::scheduled::{self, scheduled_columns};
use super::user::{self, user_columns};
use super::writes::step;
use crate::error::Error;
use crate::statement::{Cells, Statement, int, size, statement};

// Nothing is below the zero id, which is nobody's, the empty text and number 0: they stand for "from the beginning".

pub(super) const USERS: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM chat_users u WHERE u.id > $2 ORDER BY u.id LIMIT $1"
);
pub(super) const ACCOUNTS: &str = "SELECT a.user_id, a.email, a.phone, a.password_hash, a.created_at \
    FROM chat_accounts a WHERE a.user_id > $2 ORDER BY a.user_id LIMIT $1";
pub(super) const LOGINS: &str = "SELECT s.id, s.user_id, s.expires_at FROM chat_account_sessions s \
    WHERE s.id > $2 ORDER BY s.id LIMIT $1";
pub(super) const DEVICES: &str = "SELECT d.token, d.user_id, d.platform, d.provider, d.refreshed_at, d.login \
    FROM chat_devices d WHERE d.token > $2 ORDER BY d.token LIMIT $1";
pub(super) const ATTACHMENTS: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM chat_attachments a WHERE a.id > $2 ORDER BY a.id LIMIT $1"
);
pub(super) const CONVERSATIONS: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.id > $2 ORDER BY c.id LIMIT $1"
);
pub(super) const MEMBERS: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE (mb.conversation_id, mb.user_id) > ($2, $3) \
     ORDER BY mb.conversation_id, mb.user_id LIMIT $1"
);
pub(super) const MESSAGES: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE (m.conversation_id, m.seq) > ($2, $3) \
     ORDER BY m.conversation_id, m.seq LIMIT $1"
);
pub(super) const FORMER_TEXTS: &str = "SELECT t.conversation_id, t.message_id, t.version, t.text, t.edited_at \
    FROM chat_former_texts t WHERE (t.message_id, t.version) > ($2, $3) ORDER BY t.message_id, t.version LIMIT $1";
pub(super) const REACTIONS: &str = "SELECT r.conversation_id, r.message_id, r.user_id, r.emoji, r.at \
    FROM chat_reactions r WHERE (r.message_id, r.position) > ($2, coalesce((SELECT b.position FROM chat_reactions b \
    WHERE b.message_id = $2 AND b.user_id = $3 AND b.emoji = $4), 0)) ORDER BY r.message_id, r.position LIMIT $1";
pub(super) const ADVANCES: &str = "SELECT a.conversation_id, a.user_id, a.step, a.from_seq, a.to_seq, a.at, a.timeless \
    FROM chat_advances a WHERE (a.conversation_id, a.user_id, a.step, a.to_seq) > ($2, $3, $4, $5) \
    ORDER BY a.conversation_id, a.user_id, a.step, a.to_seq LIMIT $1";
pub(super) const HIDES: &str = "SELECT h.user_id, h.conversation_id, h.message_id, h.seq, h.rev FROM chat_hides h \
    WHERE (h.user_id, h.message_id) > ($2, $3) ORDER BY h.user_id, h.message_id LIMIT $1";
pub(super) const STARS: &str = "SELECT s.user_id, s.conversation_id, s.message_id, s.seq, s.active, s.user_rev \
    FROM chat_stars s WHERE (s.user_id, s.message_id) > ($2, $3) ORDER BY s.user_id, s.message_id LIMIT $1";
pub(super) const BLOCKS: &str = "SELECT b.blocker, b.blocked, b.at, b.active, b.user_rev FROM chat_blocks b \
    WHERE (b.blocker, b.blocked) > ($2, $3) ORDER BY b.blocker, b.blocked LIMIT $1";
pub(super) const MUTES: &str = "SELECT m.user_id, m.muted, m.until, m.user_rev FROM chat_mutes m \
    WHERE (m.user_id, m.muted) > ($2, $3) ORDER BY m.user_id, m.muted LIMIT $1";
pub(super) const REPORTS: &str = concat!(
    "SELECT ",
    report_columns!(),
    " FROM chat_reports r WHERE r.id > $2 ORDER BY r.id LIMIT $1"
);
pub(super) const AUDIT: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM chat_audit a WHERE (a.at, a.id) > ($2, $3) ORDER BY a.at, a.id LIMIT $1"
);
pub(super) const SCHEDULED: &str = concat!(
    "SELECT ",
    scheduled_columns!(),
    " FROM chat_scheduled WHERE id > $2 ORDER BY id LIMIT $1"
);
pub(super) const OUTBOX: &str = "SELECT o.id, o.topic, o.key, o.payload, o.created_at, o.attempts FROM chat_outbox o \
    WHERE o.no > coalesce((SELECT b.no FROM chat_outbox b WHERE b.id = $2), 0) ORDER BY o.no LIMIT $1";

const fn count(kind: ArchiveKind) -> &'static str {
    match kind {
        ArchiveKind::Users => "SELECT count(*) FROM chat_users",
        ArchiveKind::Accounts => "SELECT count(*) FROM chat_accounts",
        ArchiveKind::Logins => "SELECT count(*) FROM chat_account_sessions",
        ArchiveKind::Devices => "SELECT count(*) FROM chat_devices",
        ArchiveKind::Attachments => "SELECT count(*) FROM chat_attachments",
        ArchiveKind::Conversations => "SELECT count(*) FROM chat_conversations",
        ArchiveKind::Members => "SELECT count(*) FROM chat_members",
        ArchiveKind::Messages => "SELECT count(*) FROM chat_messages",
        ArchiveKind::FormerTexts => "SELECT count(*) FROM chat_former_texts",
        ArchiveKind::Reactions => "SELECT count(*) FROM chat_reactions",
        ArchiveKind::Advances => "SELECT count(*) FROM chat_advances",
        ArchiveKind::Hides => "SELECT count(*) FROM chat_hides",
        ArchiveKind::Stars => "SELECT count(*) FROM chat_stars",
        ArchiveKind::Blocks => "SELECT count(*) FROM chat_blocks",
        ArchiveKind::Mutes => "SELECT count(*) FROM chat_mutes",
        ArchiveKind::Reports => "SELECT count(*) FROM chat_reports",
        ArchiveKind::Audit => "SELECT count(*) FROM chat_audit",
        ArchiveKind::Scheduled => "SELECT count(*) FROM chat_scheduled",
        ArchiveKind::Outbox => "SELECT count(*) FROM chat_outbox",
    }
}

/// The key of a row that stands before all of them.
const FIRST: &str = "";

fn text(key: Option<&str>) -> String {
    key.unwrap_or(FIRST).to_owned()
}

fn id(key: Option<Uuid>) -> Uuid {
    key.unwrap_or_else(Uuid::nil)
}

/// The row, if it is of this kind.
macro_rules! as_row {
    ($row:expr, $kind:ident) => {
        match $row {
            Some(ArchiveRow::$kind(row)) => Some(row),
            _ => None,
        }
    };
}

/// The page behind a row, and what its rows are.
#[allow(
    clippy::too_many_lines,
    reason = "one arm per kind, each of them a statement and its key"
)]
fn page(kind: ArchiveKind, after: Option<&ArchiveRow>, limit: usize) -> (Statement, Read) {
    let start = |query: &'static str| statement(query).bind(size(limit));
    match kind {
        ArchiveKind::Users => {
            let key = as_row!(after, User).map(|user| user.id.as_str());
            (start(USERS).bind(text(key)), |cells| {
                Ok(ArchiveRow::User(Box::new(user::user(cells)?)))
            })
        }
        ArchiveKind::Accounts => {
            let key = as_row!(after, Account).map(|account| account.user_id.as_str());
            (start(ACCOUNTS).bind(text(key)), |cells| {
                Ok(ArchiveRow::Account(account(cells)?))
            })
        }
        ArchiveKind::Logins => {
            let key = as_row!(after, Login).map(|login| login.id.as_str());
            (start(LOGINS).bind(text(key)), |cells| {
                Ok(ArchiveRow::Login(session(cells)?))
            })
        }
        ArchiveKind::Devices => {
            let key = as_row!(after, Device).map(|device| device.token.as_str());
            (start(DEVICES).bind(text(key)), |cells| {
                Ok(ArchiveRow::Device(Device {
                    token: cells.text()?,
                    user_id: cells.user()?,
                    platform: cells.name()?,
                    provider: cells.name()?,
                    refreshed_at: cells.time()?,
                    login: cells.opt_text()?,
                }))
            })
        }
        ArchiveKind::Attachments => {
            let key = as_row!(after, Attachment).map(|file| file.id.as_uuid());
            (start(ATTACHMENTS).bind(id(key)), |cells| {
                Ok(ArchiveRow::Attachment(rows::attachment(cells)?))
            })
        }
        ArchiveKind::Conversations => {
            let key = as_row!(after, Conversation).map(|conversation| conversation.id.as_uuid());
            (start(CONVERSATIONS).bind(id(key)), |cells| {
                Ok(ArchiveRow::Conversation(Box::new(rows::conversation(cells)?)))
            })
        }
        ArchiveKind::Members => {
            let key = as_row!(after, Member);
            let query = start(MEMBERS)
                .bind(id(key.map(|member| member.conversation_id.as_uuid())))
                .bind(text(key.map(|member| member.user_id.as_str())));
            (query, |cells| {
                Ok(ArchiveRow::Member(Box::new(rows::member(cells)?)))
            })
        }
        ArchiveKind::Messages => {
            let key = as_row!(after, Message);
            let query = start(MESSAGES)
                .bind(id(key.map(|message| message.conversation_id.as_uuid())))
                .bind(key.map_or(0, |message| int(message.seq)));
            (query, |cells| {
                Ok(ArchiveRow::Message(Box::new(rows::message(cells)?)))
            })
        }
        ArchiveKind::FormerTexts => {
            let key = as_row!(after, FormerText);
            let query = start(FORMER_TEXTS)
                .bind(id(key.map(|text| text.message_id.as_uuid())))
                .bind(key.map_or(0, |text| i64::from(text.version)));
            (query, |cells| {
                Ok(ArchiveRow::FormerText(FormerText {
                    conversation_id: cells.conversation()?,
                    message_id: cells.message()?,
                    version: cells.small()?,
                    text: cells.text()?,
                    edited_at: cells.time()?,
                }))
            })
        }
        ArchiveKind::Reactions => {
            let key = as_row!(after, Reaction);
            let query = start(REACTIONS)
                .bind(id(key.map(|reaction| reaction.message_id.as_uuid())))
                .bind(text(key.map(|reaction| reaction.user_id.as_str())))
                .bind(text(key.map(|reaction| reaction.emoji.as_str())));
            (query, |cells| {
                Ok(ArchiveRow::Reaction(Reaction {
                    conversation_id: cells.conversation()?,
                    message_id: cells.message()?,
                    user_id: cells.user()?,
                    emoji: cells.text()?,
                    at: cells.time()?,
                }))
            })
        }
        ArchiveKind::Advances => {
            let key = as_row!(after, Advance).map(|row| &row.advance);
            let query = start(ADVANCES)
                .bind(id(key.map(|advance| advance.conversation_id.as_uuid())))
                .bind(text(key.map(|advance| advance.user_id.as_str())))
                .bind(key.map_or(0, |advance| step(advance.read)))
                .bind(key.map_or(0, |advance| int(advance.to)));
            (query, |cells| {
                let advance = Advance {
                    conversation_id: cells.conversation()?,
                    user_id: cells.user()?,
                    read: read_of(cells.int()?)?,
                    from: cells.uint()?,
                    to: cells.uint()?,
                    at: cells.time()?,
                };
                let timeless = cells.flag()?;
                Ok(ArchiveRow::Advance(ArchivedAdvance { advance, timeless }))
            })
        }
        ArchiveKind::Hides => {
            let key = as_row!(after, Hide);
            let query = start(HIDES)
                .bind(text(key.map(|hide| hide.user_id.as_str())))
                .bind(id(key.map(|hide| hide.message_id.as_uuid())));
            (query, |cells| {
                Ok(ArchiveRow::Hide(Hide {
                    user_id: cells.user()?,
                    conversation_id: cells.conversation()?,
                    message_id: cells.message()?,
                    seq: cells.uint()?,
                    rev: cells.uint()?,
                }))
            })
        }
        ArchiveKind::Stars => {
            let key = as_row!(after, Star).map(|row| &row.star);
            let query = start(STARS)
                .bind(text(key.map(|star| star.user_id.as_str())))
                .bind(id(key.map(|star| star.message_id.as_uuid())));
            (query, |cells| {
                let star = Star {
                    user_id: cells.user()?,
                    conversation_id: cells.conversation()?,
                    message_id: cells.message()?,
                    seq: cells.uint()?,
                };
                Ok(ArchiveRow::Star(StarChange {
                    star,
                    starred: cells.flag()?,
                    user_rev: cells.uint()?,
                }))
            })
        }
        ArchiveKind::Blocks => {
            let key = as_row!(after, Block).map(|row| &row.block);
            let query = start(BLOCKS)
                .bind(text(key.map(|block| block.blocker.as_str())))
                .bind(text(key.map(|block| block.blocked.as_str())));
            (query, |cells| {
                let block = Block {
                    blocker: cells.user()?,
                    blocked: cells.user()?,
                    at: cells.time()?,
                };
                Ok(ArchiveRow::Block(ArchivedBlock {
                    block,
                    stands: cells.flag()?,
                    user_rev: cells.uint()?,
                }))
            })
        }
        ArchiveKind::Mutes => {
            let key = as_row!(after, Mute);
            let query = start(MUTES)
                .bind(text(key.map(|mute| mute.user.as_str())))
                .bind(text(key.map(|mute| mute.muted.as_str())));
            (query, |cells| {
                Ok(ArchiveRow::Mute(ArchivedMute {
                    user: cells.user()?,
                    muted: cells.user()?,
                    until: cells.opt_muted()?,
                    user_rev: cells.uint()?,
                }))
            })
        }
        ArchiveKind::Reports => {
            let key = as_row!(after, Report).map(|report| report.id.as_uuid());
            (start(REPORTS).bind(id(key)), |cells| {
                Ok(ArchiveRow::Report(Box::new(report(cells)?)))
            })
        }
        ArchiveKind::Audit => {
            let key = as_row!(after, Audit);
            let query = start(AUDIT)
                .bind(key.map_or(i64::MIN, |entry| entry.at.as_millis()))
                .bind(id(key.map(|entry| entry.id.as_uuid())));
            (query, |cells| Ok(ArchiveRow::Audit(Box::new(entry(cells)?))))
        }
        ArchiveKind::Scheduled => {
            let key = as_row!(after, Scheduled).map(|row| row.id.as_uuid());
            (start(SCHEDULED).bind(id(key)), |cells| {
                Ok(ArchiveRow::Scheduled(Box::new(scheduled::scheduled(cells)?)))
            })
        }
        ArchiveKind::Outbox => {
            let key = as_row!(after, Outbox).map(|row| row.entry.id);
            (start(OUTBOX).bind(id(key)), |cells| {
                let claimed = outbox::entry(cells)?;
                Ok(ArchiveRow::Outbox(ArchivedOutbox {
                    entry: claimed.entry,
                    attempts: claimed.attempts,
                }))
            })
        }
    }
}

type Read = fn(&mut Cells<'_>) -> Result<ArchiveRow, Error>;

#[async_trait]
impl ArchiveStore for PostgresStore {
    async fn archive_count(&self, kind: ArchiveKind) -> BackendResult<u64> {
        let found = self.database().find(statement(count(kind)), |cells| cells.uint());
        let count = found.await.map_err(|error| error.into_backend("archive_count"))?;
        Ok(count.unwrap_or(0))
    }

    async fn archive_rows(
        &self,
        kind: ArchiveKind,
        after: Option<&ArchiveRow>,
        limit: usize,
    ) -> BackendResult<Vec<ArchiveRow>> {
        let (query, read) = page(kind, after, limit);
        let found = self.database().list(query, read);
        found.await.map_err(|error| error.into_backend("archive_rows"))
    }

    async fn restore_rows(&self, rows: Vec<ArchiveRow>) -> BackendResult<()> {
        let batch = Batch::of(rows);
        let written = self.database().write(move |transaction| {
            let batch = batch.clone();
            Box::pin(async move { batch.write(transaction).await })
        });
        written.await.map_err(|error| error.into_backend("restore_rows"))
    }
}
