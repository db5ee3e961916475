use crate::config::RollUp;
use crate::id::UserId;
use crate::model::{Member, Seq, Visibility};
use crate::view::{ReceiptCounts, Status};

/// The read mark of another member, as far as a viewer may know it.
///
/// `viewer_is_contact`: the two share a direct conversation. `viewer_receipts`: the viewer's own setting, because who
/// tells nobody learns nothing. The viewer's own mark is [`Member::read_seq`] and needs no leave.
#[must_use]
pub fn known_read(member: &Member, viewer_is_contact: bool, viewer_receipts: Visibility) -> Seq {
    known_mark(
        member.contacts_read_seq,
        member.public_read_seq,
        viewer_is_contact,
        viewer_receipts,
    )
}

/// The same for the parts of a read mark on their own: what contacts and what everyone may know of it.
#[must_use]
pub fn known_mark(
    for_contacts: Seq,
    for_everyone: Seq,
    viewer_is_contact: bool,
    viewer_receipts: Visibility,
) -> Seq {
    if viewer_receipts == Visibility::Nobody {
        0
    } else if viewer_is_contact {
        for_contacts.max(for_everyone)
    } else {
        for_everyone
    }
}

/// Whether a member is a recipient of a message: a member now, a member when it was sent, and not its author.
/// Clearing one's history does not undo it, so a status never goes back.
#[must_use]
pub fn is_recipient(member: &Member, author: &UserId, seq: Seq) -> bool {
    member.user_id != *author && member.is_active() && member.intervals.iter().any(|i| i.contains(seq))
}

/// How far a message got, for its author: the status by policy, and how many recipients it reached.
///
/// `known_read` gives the read mark of a member as far as the author may know it ([`known_read`]). Without
/// recipients the status stays `Sent`.
#[must_use]
pub fn roll_up(
    author: &UserId,
    seq: Seq,
    members: &[Member],
    known_read: &dyn Fn(&Member) -> Seq,
    policy: RollUp,
) -> (Status, ReceiptCounts) {
    let mut counts = ReceiptCounts {
        recipients: 0,
        delivered: 0,
        read: 0,
    };
    for member in members.iter().filter(|member| is_recipient(member, author, seq)) {
        counts.recipients += 1;
        counts.delivered += u64::from(member.delivered_seq >= seq);
        counts.read += u64::from(known_read(member) >= seq);
    }
    let enough = |reached: u64| match policy {
        RollUp::All => reached > 0 && reached == counts.recipients,
        RollUp::Any => reached > 0,
    };
    let status = if enough(counts.read) {
        Status::Read
    } else if enough(counts.delivered) {
        Status::Delivered
    } else {
        Status::Sent
    };
    (status, counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ConversationId;
    use crate::model::{Interval, MemberState, NotificationLevel, Role};
    use crate::time::Timestamp;

    fn user(id: &str) -> UserId {
        UserId::new(id).unwrap()
    }

    fn member(id: &str, from: Seq, delivered: Seq, read: Seq) -> Member {
        Member {
            conversation_id: ConversationId::from_uuid(uuid::Uuid::nil()),
            user_id: user(id),
            role: Role::Member,
            state: MemberState::Active,
            joined_at: Timestamp::default(),
            intervals: vec![Interval { from, to: None }],
            delivered_seq: delivered,
            read_seq: read,
            contacts_read_seq: read,
            public_read_seq: read,
            unread_floor: 0,
            visible_from: 1,
            unread_from: None,
            pinned_at: None,
            muted: None,
            archived_seq: None,
            hidden_seq: None,
            notification_level: NotificationLevel::All,
            silenced: None,
            last_sent_at: None,
            rev: 1,
            user_rev: 0,
            reset_user_rev: 0,
        }
    }

    fn status(members: &[Member], policy: RollUp) -> (Status, u64, u64, u64) {
        let (status, counts) = roll_up(&user("a"), 5, members, &|m| m.public_read_seq, policy);
        (status, counts.recipients, counts.delivered, counts.read)
    }

    #[test]
    fn everybody_must_have_it_unless_the_policy_says_any() {
        let members = [
            member("a", 1, 5, 5),
            member("b", 1, 5, 5),
            member("c", 1, 5, 4),
            member("d", 1, 4, 0),
        ];
        assert_eq!(status(&members, RollUp::All), (Status::Sent, 3, 2, 1));
        assert_eq!(status(&members, RollUp::Any), (Status::Read, 3, 2, 1));
    }

    #[test]
    fn newcomers_and_leavers_are_no_recipients_and_clearing_changes_nothing() {
        let mut left = member("c", 1, 0, 0);
        left.state = MemberState::Left;
        let mut cleared = member("b", 1, 5, 5);
        cleared.visible_from = 9;
        let members = [cleared, left, member("d", 6, 0, 0)];
        assert_eq!(status(&members, RollUp::All), (Status::Read, 1, 1, 1));
    }

    #[test]
    fn nobody_to_receive_stays_sent() {
        assert_eq!(
            status(&[member("a", 1, 5, 5)], RollUp::All),
            (Status::Sent, 0, 0, 0)
        );
        assert_eq!(status(&[], RollUp::Any), (Status::Sent, 0, 0, 0));
    }

    #[test]
    fn a_read_mark_is_known_as_far_as_both_settings_let() {
        let mut m = member("b", 1, 9, 9);
        m.contacts_read_seq = 7;
        m.public_read_seq = 3;
        assert_eq!(known_read(&m, true, Visibility::Everyone), 7);
        assert_eq!(known_read(&m, false, Visibility::Contacts), 3);
        assert_eq!(known_read(&m, true, Visibility::Nobody), 0);
    }
}
