//! Rows of the larger tables as values. Each list of columns stands beside the function that reads it.

use std::time::Duration;

use chat_core::model::{
    Attachment, Conversation, Deletion, DirectPair, Horizon, Kept, LastCountable, Member, Message, Muted,
    Pin, ReplyTarget, Restrictions, Retention,
};

use crate::error::Error;
use crate::statement::Cells;

/// Columns of a conversation `c`, as [`conversation`](super::rows::conversation) reads them.
macro_rules! conversation_columns {
    () => {
        "c.id, c.kind, c.pair_low, c.pair_high, c.name, c.description, c.avatar, c.created_by, c.created_at, \
         c.last_activity_at, c.changed_at, c.rev, c.last_seq, c.last_countable_seq, c.last_countable_sender, \
         c.last_countable_other_seq, c.last_countable_other_at, c.members_rev, c.member_count, c.permissions, c.frozen, \
         c.message_ttl_ms, c.slow_mode_ms, c.sends_until, c.custom, c.dissolved_at, c.first_seq, c.min_rev, c.oldest_at, \
         c.retention"
    };
}
pub(super) use conversation_columns;

pub(super) fn conversation(cells: &mut Cells<'_>) -> Result<Conversation, Error> {
    Ok(Conversation {
        id: cells.conversation()?,
        kind: cells.name()?,
        pair: match (cells.opt_user()?, cells.opt_user()?) {
            (Some(low), Some(high)) => {
                Some(DirectPair::new(&low, &high).ok_or(Error::Decode("a pair of one"))?)
            }
            _ => None,
        },
        name: cells.opt_text()?,
        description: cells.opt_text()?,
        avatar: cells.opt_attachment()?,
        created_by: cells.user()?,
        created_at: cells.time()?,
        last_activity_at: cells.time()?,
        changed_at: cells.time()?,
        rev: cells.uint()?,
        last_seq: cells.uint()?,
        last_countable: {
            let seq = cells.uint()?;
            LastCountable {
                seq,
                sender: cells.opt_user()?,
                other_seq: cells.uint()?,
                other_at: cells.time()?,
            }
        },
        members_rev: cells.uint()?,
        member_count: cells.small()?,
        permissions: cells.json()?,
        frozen: cells.flag()?,
        message_ttl_ms: cells.opt_uint()?,
        slow_mode: cells.opt_uint()?.map(Duration::from_millis),
        sends_until: cells.time()?,
        custom: cells.json()?,
        dissolved_at: cells.opt_time()?,
        horizon: Horizon {
            first_seq: cells.uint()?,
            min_rev: cells.uint()?,
            oldest_at: cells.opt_time()?,
            retention: cells.take::<Option<i64>>()?.map(|millis| {
                u64::try_from(millis).map_or(Retention::Forever, |millis| {
                    Retention::For(Duration::from_millis(millis))
                })
            }),
        },
    })
}

/// Columns of a member `mb`, as [`member`](super::rows::member) reads them.
macro_rules! member_columns {
    () => {
        "mb.conversation_id, mb.user_id, mb.role, mb.state, mb.joined_at, mb.intervals, mb.delivered_seq, \
         mb.read_seq, mb.contacts_read_seq, mb.public_read_seq, mb.unread_floor, mb.visible_from, mb.unread_from, \
         mb.pinned_at, mb.muted_until, mb.archived_seq, mb.hidden_seq, mb.notification_level, mb.silenced_until, \
         mb.last_sent_at, mb.rev, mb.user_rev, mb.reset_user_rev"
    };
}
pub(super) use member_columns;

pub(super) fn member(cells: &mut Cells<'_>) -> Result<Member, Error> {
    Ok(Member {
        conversation_id: cells.conversation()?,
        user_id: cells.user()?,
        role: cells.name()?,
        state: cells.name()?,
        joined_at: cells.time()?,
        intervals: cells.json()?,
        delivered_seq: cells.uint()?,
        read_seq: cells.uint()?,
        contacts_read_seq: cells.uint()?,
        public_read_seq: cells.uint()?,
        unread_floor: cells.uint()?,
        visible_from: cells.uint()?,
        unread_from: cells.opt_uint()?,
        pinned_at: cells.opt_time()?,
        muted: cells.opt_muted()?,
        archived_seq: cells.opt_uint()?,
        hidden_seq: cells.opt_uint()?,
        notification_level: cells.name()?,
        silenced: cells.opt_muted()?,
        last_sent_at: cells.opt_time()?,
        rev: cells.uint()?,
        user_rev: cells.uint()?,
        reset_user_rev: cells.uint()?,
    })
}

/// What a user `u` is forbidden, as [`restrictions`](super::rows::restrictions) reads it.
macro_rules! restriction_columns {
    () => {
        "u.suspended, u.suspended_until, u.muted_until"
    };
}
pub(super) use restriction_columns;

/// How many columns that are.
pub(super) const RESTRICTION_COLUMNS: usize = 3;

pub(super) fn restrictions(cells: &mut Cells<'_>) -> Result<Restrictions, Error> {
    let suspended = cells.flag()?;
    let until = cells.opt_time()?;
    Ok(Restrictions {
        suspended: suspended.then(|| until.map_or(Muted::Forever, Muted::Until)),
        muted: cells.opt_muted()?,
    })
}

/// Columns of a message `m`, as [`message`](super::rows::message) reads them.
macro_rules! message_columns {
    () => {
        "m.id, m.conversation_id, m.seq, m.rev, m.sender_id, m.client_id, m.payload_hash, m.kind, m.text, m.format, \
         m.content, m.reply_to_id, m.reply_to_seq, m.mentions, m.mentions_all, m.silent, m.countable, \
         m.client_time, m.created_at, m.edited_at, m.version, m.deleted_at, m.deleted_by, m.expires_at, \
         m.kept_at, m.kept_by, m.kept_expires_at, m.pinned_at, m.pinned_by"
    };
}
pub(super) use message_columns;

pub(super) fn message(cells: &mut Cells<'_>) -> Result<Message, Error> {
    Ok(Message {
        id: cells.message()?,
        conversation_id: cells.conversation()?,
        seq: cells.uint()?,
        rev: cells.uint()?,
        sender_id: cells.user()?,
        client_id: cells.opt_client()?,
        payload_hash: cells.opt_text()?,
        kind: cells.name()?,
        text: cells.text()?,
        format: cells.name()?,
        content: cells.json()?,
        reply_to: match (cells.opt_message()?, cells.opt_uint()?) {
            (Some(message_id), Some(seq)) => Some(ReplyTarget { message_id, seq }),
            _ => None,
        },
        mentions: cells.json()?,
        mentions_all: cells.flag()?,
        silent: cells.flag()?,
        countable: cells.flag()?,
        client_time: cells.opt_time()?,
        created_at: cells.time()?,
        edited_at: cells.opt_time()?,
        version: cells.small()?,
        deleted: match (cells.opt_time()?, cells.opt_name()?) {
            (Some(at), Some(by)) => Some(Deletion { at, by }),
            _ => None,
        },
        expires_at: cells.opt_time()?,
        kept: match (cells.opt_time()?, cells.opt_user()?, cells.opt_time()?) {
            (Some(at), Some(by), Some(expires_at)) => Some(Kept { at, by, expires_at }),
            _ => None,
        },
        pinned: match (cells.opt_time()?, cells.opt_user()?) {
            (Some(at), Some(by)) => Some(Pin { at, by }),
            _ => None,
        },
    })
}

/// Columns of a file `a`, as [`attachment`](super::rows::attachment) reads them.
macro_rules! attachment_columns {
    () => {
        "a.id, a.uploader, a.kind, a.filename, a.mime_type, a.size, a.width, a.height, a.duration_ms, a.state, \
         a.created_at"
    };
}
pub(super) use attachment_columns;

pub(super) fn attachment(cells: &mut Cells<'_>) -> Result<Attachment, Error> {
    Ok(Attachment {
        id: cells.attachment()?,
        uploader: cells.user()?,
        kind: cells.name()?,
        filename: cells.text()?,
        mime_type: cells.text()?,
        size: cells.uint()?,
        width: cells.opt_small()?,
        height: cells.opt_small()?,
        duration_ms: cells.opt_uint()?,
        state: cells.name()?,
        created_at: cells.time()?,
    })
}
