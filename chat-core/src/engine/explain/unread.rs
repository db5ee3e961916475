use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use super::Explain;
use crate::access::{Sight, Visibility, counts_as_unread, is_collapsed, visible};
use crate::config::BlockedInGroup;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{ConversationKind, Member, Message, MessageKind, Seq};
use crate::store::{Anchor, HistoryQuery, InboxEntry, Viewer};
use crate::time::Timestamp;

/// How many of the newest messages are looked at.
const SPAN: u64 = 1_000;
/// How often it is asked again when something changed in between.
const TRIES: usize = 3;

/// Why a user has so many unread messages in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnreadExplanation {
    /// Whose count.
    pub user_id: UserId,
    /// Where.
    pub conversation_id: ConversationId,
    /// What the store counts, which is what the user is shown.
    pub store_count: u64,
    /// What the rules count among `messages`.
    pub counted: u64,
    /// Whether the two are equal; `None` when more than 1,000 messages lie above his marks, so that `messages` is only
    /// the newest part. `false` is a fault of the store and is logged as an error.
    pub agrees: Option<bool>,
    /// Messages above this may count.
    pub unread_after: Seq,
    /// The last message of the conversation.
    pub last_seq: Seq,
    /// The newest 1,000 messages at most, oldest first, each with its reason.
    pub messages: Vec<SeqExplanation>,
}

/// Whether one message counts, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SeqExplanation {
    /// Which.
    pub seq: Seq,
    /// Why.
    pub reason: UnreadReason,
}

/// Why a message counts as unread or not; where several reasons apply, the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnreadReason {
    /// It counts.
    Counted,
    /// The store has no such message any more.
    NotStored,
    /// His own.
    Own,
    /// It came before he joined, or while he was no member.
    OutsideMembership,
    /// He has cleared it.
    Cleared,
    /// He deleted it for himself.
    Hidden,
    /// Its time is over.
    Expired,
    /// He has blocked its sender, and blocked users' messages do not count in groups.
    Blocked,
    /// It was deleted for everyone.
    Deleted,
    /// A line of the engine, or sent silently.
    NotCountable,
    /// He has read it.
    Read,
    /// He joined after it.
    BelowFloor,
    /// "Mark as unread" begins later.
    BelowUnreadMarker,
    /// The rule says that it does not count, and none of the reasons above is known to apply.
    Other,
}

impl UnreadReason {
    /// Its stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::NotStored => "not_stored",
            Self::Own => "own",
            Self::OutsideMembership => "outside_membership",
            Self::Cleared => "cleared",
            Self::Hidden => "hidden",
            Self::Expired => "expired",
            Self::Blocked => "blocked",
            Self::Deleted => "deleted",
            Self::NotCountable => "not_countable",
            Self::Read => "read",
            Self::BelowFloor => "below_floor",
            Self::BelowUnreadMarker => "below_unread_marker",
            Self::Other => "other",
        }
    }
}

impl Explain {
    /// Why a user has so many unread messages in a conversation: the store's count, and the rules' judgement of each of
    /// the newest 1,000 messages.
    ///
    /// # Errors
    /// `conversation_not_found`: there is none, or he is no member of it; `unavailable`.
    pub async fn unread(&self, user: &UserId, id: ConversationId) -> ChatResult<UnreadExplanation> {
        let mut tries = 1;
        loop {
            let entry = self.inbox_entry(user, id).await?;
            let explanation = self.judge_unread(user, &entry).await?;
            if explanation.agrees != Some(false) {
                return Ok(explanation);
            }
            // Something may have been sent, read or deleted between the two questions.
            let unchanged = self.inbox_entry(user, id).await? == entry;
            if unchanged || tries == TRIES {
                if unchanged {
                    tracing::error!(
                        conversation = %id,
                        store = explanation.store_count,
                        rules = explanation.counted,
                        "the store counts unread messages otherwise than the rules"
                    );
                    return Ok(explanation);
                }
                return Ok(UnreadExplanation {
                    agrees: None,
                    ..explanation
                });
            }
            tries += 1;
        }
    }

    async fn inbox_entry(&self, user: &UserId, id: ConversationId) -> ChatResult<InboxEntry> {
        let query = self.engine.as_user(user).inbox_query(vec![id]);
        let found = self.engine.inner().store.inbox(&query).await?.pop();
        found.ok_or_else(|| {
            ChatError::new(
                ErrorCode::ConversationNotFound,
                "he is no member of such a conversation",
            )
        })
    }

    async fn judge_unread(&self, user: &UserId, entry: &InboxEntry) -> ChatResult<UnreadExplanation> {
        let InboxEntry {
            conversation, member, ..
        } = entry;
        let (store, now) = (&self.engine.inner().store, self.engine.now());
        let last = conversation.last_seq;
        let first = (last + 1).saturating_sub(SPAN).max(1);
        let found = self.as_stored(conversation.id, first, last).await?;
        let ids: Vec<MessageId> = found.values().map(|message| message.id).collect();
        let hidden: HashSet<MessageId> = store.hidden_among(user, &ids).await?.into_iter().collect();
        let mut senders: Vec<UserId> = found.values().map(|message| message.sender_id.clone()).collect();
        senders.sort_unstable();
        senders.dedup();
        let blocked: HashSet<UserId> = store
            .blocks_among(user, &senders)
            .await?
            .blocked
            .into_iter()
            .collect();
        let judge = |message: &Message| {
            let sight = Sight {
                member,
                now,
                hidden: hidden.contains(&message.id),
                sender_blocked: blocked.contains(&message.sender_id),
                group: conversation.kind == ConversationKind::Group,
                blocked_in_group: self.engine.config().policies.blocked_in_group,
            };
            reason(&sight, message)
        };
        let messages: Vec<SeqExplanation> = (first..=last)
            .map(|seq| SeqExplanation {
                seq,
                reason: found.get(&seq).map_or(UnreadReason::NotStored, judge),
            })
            .collect();
        let counted = messages
            .iter()
            .filter(|judged| judged.reason == UnreadReason::Counted)
            .count() as u64;
        let complete = first <= member.unread_after() + 1;
        Ok(UnreadExplanation {
            user_id: user.clone(),
            conversation_id: conversation.id,
            store_count: entry.unread_count,
            counted,
            agrees: complete.then_some(counted == entry.unread_count),
            unread_after: member.unread_after(),
            last_seq: last,
            messages,
        })
    }

    /// Messages of a stretch as they are stored, by seq: a page of history through the eyes of a member who was always
    /// there, has hidden and blocked nothing, and for whom no time is over.
    async fn as_stored(
        &self,
        id: ConversationId,
        first: Seq,
        last: Seq,
    ) -> ChatResult<HashMap<Seq, Message>> {
        let nobody = uuid::Uuid::new_v4().to_string();
        let nobody = UserId::new(nobody).map_err(|_| ChatError::from(ErrorCode::Internal))?;
        let query = HistoryQuery {
            viewer: Viewer {
                member: Member::joined(id, nobody, Timestamp::default(), 1),
                now: Timestamp::default(),
                blocked_in_group: BlockedInGroup::Show,
                group: true,
            },
            anchor: Anchor::After(first.saturating_sub(1)),
            limit: usize::try_from((last + 1).saturating_sub(first))
                .unwrap_or(0)
                .max(1),
            kind: None,
        };
        let page = self.engine.inner().store.history(&query).await?;
        Ok(page
            .messages
            .into_iter()
            .map(|message| (message.seq, message))
            .collect())
    }
}

/// Whether a message counts is the rule's word; why not is looked for here.
fn reason(sight: &Sight<'_>, message: &Message) -> UnreadReason {
    use UnreadReason as R;
    if counts_as_unread(sight, message) {
        return R::Counted;
    }
    let member = sight.member;
    let inside = member
        .intervals
        .iter()
        .any(|interval| interval.contains(message.seq));
    let gone = visible(sight, message) == Visibility::Gone;
    let hides_blocked = sight.group && sight.sender_blocked;
    let checks = [
        (message.sender_id == member.user_id, R::Own),
        (!member.is_active() || !inside, R::OutsideMembership),
        (message.seq < member.visible_from, R::Cleared),
        (sight.hidden, R::Hidden),
        (message.is_expired(sight.now), R::Expired),
        (hides_blocked && (gone || is_collapsed(sight)), R::Blocked),
        (message.is_deleted(), R::Deleted),
        (
            !message.countable || message.kind == MessageKind::System,
            R::NotCountable,
        ),
        (
            member.unread_from.is_some_and(|from| message.seq < from),
            R::BelowUnreadMarker,
        ),
        (message.seq <= member.read_seq, R::Read),
        (message.seq <= member.unread_floor, R::BelowFloor),
    ];
    checks
        .into_iter()
        .find(|(applies, _)| *applies)
        .map_or(R::Other, |(_, reason)| reason)
}

impl fmt::Display for UnreadExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has {} unread in {}",
            self.user_id, self.store_count, self.conversation_id
        )?;
        match self.agrees {
            Some(true) => {}
            Some(false) => write!(f, " — THE RULES COUNT {}, the store is wrong", self.counted)?,
            None => write!(f, " ({} of them among those below)", self.counted)?,
        }
        // Runs of the same reason in one go.
        let mut runs: Vec<(Seq, Seq, UnreadReason)> = Vec::new();
        for judged in &self.messages {
            match runs.last_mut() {
                Some((_, to, reason)) if *reason == judged.reason => *to = judged.seq,
                _ => runs.push((judged.seq, judged.seq, judged.reason)),
            }
        }
        for (index, (from, to, reason)) in runs.into_iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { ", " })?;
            if from == to {
                write!(f, "{from} {}", reason.as_str())?;
            } else {
                write!(f, "{from}-{to} {}", reason.as_str())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_store_is_told_loudly() {
        let told = UnreadExplanation {
            user_id: UserId::new("ada").unwrap(),
            conversation_id: ConversationId::from_uuid(uuid::Uuid::nil()),
            store_count: 3,
            counted: 2,
            agrees: Some(false),
            unread_after: 0,
            last_seq: 0,
            messages: Vec::new(),
        };
        assert!(
            told.to_string()
                .ends_with("THE RULES COUNT 2, the store is wrong")
        );
    }
}
