//! Conversations as one member sees them: counts, preview, filters, order.

use std::cmp::Reverse;

use super::state::{Room, State, View};
use crate::access::{Visibility, counts_as_unread, is_previewable};
use crate::config::BlockedInGroup;
use crate::id::{ConversationId, UserId};
use crate::model::Member;
use crate::store::{Badge, InboxCounts, InboxEntry, InboxFilter, InboxList, InboxQuery};
use crate::text::fold;
use crate::time::Timestamp;

type Place = (bool, Timestamp, ConversationId);

fn place(entry: &InboxEntry) -> Place {
    (
        entry.member.pinned_at.is_some(),
        entry.conversation.last_activity_at,
        entry.conversation.id,
    )
}

fn is_muted(member: &Member, now: Timestamp) -> bool {
    member.muted.is_some_and(|muted| muted.is_active(now))
}

fn is_unread(entry: &InboxEntry) -> bool {
    entry.unread_count > 0 || entry.member.unread_from.is_some()
}

impl State {
    pub(super) fn inbox(&self, query: &InboxQuery) -> Vec<InboxEntry> {
        let mut entries: Vec<InboxEntry> = self
            .active_rooms(&query.user)
            .filter(|(room, _)| match &query.list {
                Some(list) => self.selects(list, room, &query.user),
                None => query.ids.contains(&room.conversation.id),
            })
            .map(|(room, member)| self.entry(room, member, query.now, query.blocked_in_group))
            .collect();
        entries.sort_by_key(|entry| Reverse(place(entry)));
        if let Some(list) = &query.list {
            let after = list
                .after
                .as_ref()
                .map(|key| (key.pinned, key.last_activity_at, key.id));
            entries.retain(|entry| {
                passes(list.filter, entry, query.now) && after.is_none_or(|after| place(entry) < after)
            });
            entries.drain(..list.skip.min(entries.len()));
            entries.truncate(list.limit);
        }
        entries
    }

    pub(super) fn inbox_counts(&self, query: &InboxQuery) -> InboxCounts {
        let mut counts = InboxCounts::default();
        let rooms = self.active_rooms(&query.user);
        let list = query.list.as_ref();
        for (room, member) in
            rooms.filter(|(room, _)| list.is_none_or(|l| self.selects(l, room, &query.user)))
        {
            let entry = self.entry(room, member, query.now, query.blocked_in_group);
            let shows = |filter| u64::from(passes(filter, &entry, query.now));
            counts.listed += shows(InboxFilter::Default);
            counts.all += shows(InboxFilter::All);
            counts.unread += shows(InboxFilter::Unread);
            counts.pinned += shows(InboxFilter::Pinned);
            counts.archived += shows(InboxFilter::Archived);
            counts.muted += shows(InboxFilter::Muted);
            counts.direct += shows(InboxFilter::Direct);
            counts.group += shows(InboxFilter::Group);
        }
        counts
    }

    pub(super) fn badge(&self, user: &UserId, now: Timestamp, blocked: BlockedInGroup) -> Badge {
        let mut badge = Badge::default();
        for (room, member) in self.active_rooms(user) {
            let entry = self.entry(room, member, now, blocked);
            if entry.archived || entry.hidden || is_muted(member, now) {
                continue;
            }
            badge.unread_messages += entry.unread_count;
            badge.unread_conversations += u64::from(is_unread(&entry));
            badge.mentions += entry.mention_count;
        }
        badge
    }

    fn entry(&self, room: &Room, member: &Member, now: Timestamp, blocked: BlockedInGroup) -> InboxEntry {
        let user = &member.user_id;
        let view = View {
            member,
            now,
            blocked_in_group: blocked,
            group: room.is_group(),
        };
        let (mut unread_count, mut mention_count, mut first_unread_seq) = (0, 0, None);
        for (seq, row) in room.messages.range(member.unread_after()..) {
            if counts_as_unread(&self.sight(&view, &row.message), &row.message) {
                unread_count += 1;
                mention_count += u64::from(row.message.mentions_user(user));
                first_unread_seq = first_unread_seq.or(Some(*seq));
            }
        }
        let last_message = room.messages.values().rev().map(|row| &row.message).find(|m| {
            // The cheap question first: visibility looks into hides and blocks.
            is_previewable(m) && self.visible(&view, m) == Visibility::Visible
        });
        let countable = &room.conversation.last_countable;
        InboxEntry {
            conversation: room.conversation.clone(),
            member: member.clone(),
            archived: member.is_archived(&room.conversation),
            hidden: member.hidden_seq.is_some_and(|seq| countable.seq <= seq),
            unread_count,
            mention_count,
            first_unread_seq,
            last_message: last_message.cloned(),
        }
    }

    /// Whether the list selects a conversation by its name and by who else is in it.
    fn selects(&self, list: &InboxList, room: &Room, user: &UserId) -> bool {
        let with = list.with.as_ref().is_none_or(|with| {
            let row = room.members.get(with);
            row.is_some_and(|row| row.member.is_active())
        });
        with && self.has_name(room, user, list)
    }

    /// Whether the list's name filter finds the group's name or the direct peer's name.
    fn has_name(&self, room: &Room, user: &UserId, list: &InboxList) -> bool {
        let Some(wanted) = &list.name else {
            return true;
        };
        let name = match &room.conversation.pair {
            Some(pair) => pair
                .other(user)
                .and_then(|peer| self.users.get(peer))
                .map(|peer| &peer.name),
            None => room.conversation.name.as_ref(),
        };
        name.is_some_and(|name| fold(name).contains(wanted))
    }
}

fn passes(filter: InboxFilter, entry: &InboxEntry, now: Timestamp) -> bool {
    let listed = !entry.hidden && !entry.archived;
    match filter {
        InboxFilter::Default => listed,
        InboxFilter::All => !entry.hidden,
        InboxFilter::Unread => listed && is_unread(entry),
        InboxFilter::Pinned => listed && entry.member.pinned_at.is_some(),
        InboxFilter::Archived => !entry.hidden && entry.archived,
        InboxFilter::Muted => listed && is_muted(&entry.member, now),
        InboxFilter::Direct => listed && entry.conversation.pair.is_some(),
        InboxFilter::Group => listed && entry.conversation.pair.is_none(),
    }
}
