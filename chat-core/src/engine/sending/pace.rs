//! How fast messages may come to one conversation: slow mode for each member, and the room of all together.

use std::time::Duration;

use crate::config::Rate;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::model::{Conversation, Member};
use crate::time::Timestamp;

/// Slow mode: a pause after the member's last message.
pub(super) fn check_pause(conversation: &Conversation, member: &Member, now: Timestamp) -> ChatResult<()> {
    match conversation.next_send_at(member) {
        // The clock may have been set back; nobody waits longer than one pause.
        Some(next) if next > now => Err(ChatError::new(ErrorCode::SlowMode, "this group is in slow mode")
            .with_retry_after(next.since(now).min(conversation.slow_mode.unwrap_or_default()))),
        _ => Ok(()),
    }
}

/// The room of all senders together (GCRA): until when it is spoken for after this message.
pub(super) fn take_room(conversation: &Conversation, rate: Rate, now: Timestamp) -> ChatResult<Timestamp> {
    let each = Duration::from_millis(60_000_u64.div_ceil(u64::from(rate.per_minute.max(1))));
    let ahead = each.saturating_mul(rate.burst.max(1) - 1);
    // Never further ahead than the burst, whatever the clock did.
    let until = conversation.sends_until.clamp(now, now.after(ahead).after(each));
    let wait = until.since(now.after(ahead));
    if wait.is_zero() {
        return Ok(until.after(each));
    }
    Err(ChatError::new(ErrorCode::RateLimited, "too many messages come here at once").with_retry_after(wait))
}
