use crate::model::{ManualStatus, UserSettings, Visibility};
use crate::view::PresenceStatus;

/// What one user may know of another's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPresence {
    /// Whether he is online or away. Otherwise he looks like somebody who is offline.
    pub status: bool,
    /// When he was last online.
    pub last_seen: bool,
}

impl KnownPresence {
    /// What a user knows of himself.
    pub const ALL: Self = Self {
        status: true,
        last_seen: true,
    };
    /// Nothing.
    pub const NONE: Self = Self {
        status: false,
        last_seen: false,
    };
}

/// What `viewer` may know of `subject`'s presence; the only home of this rule, asked for answers and events alike.
///
/// Each of the two halves is known as far as both settings let: who shows himself to contacts sees contacts only, and
/// who shows himself to nobody sees nobody. `contact`: the two share a direct conversation. `blocked`: one of them has
/// blocked the other, which hides everything both ways.
#[must_use]
pub fn known_presence(
    viewer: &UserSettings,
    subject: &UserSettings,
    contact: bool,
    blocked: bool,
) -> KnownPresence {
    if blocked {
        return KnownPresence::NONE;
    }
    let lets = |setting: Visibility| match setting {
        Visibility::Everyone => true,
        Visibility::Contacts => contact,
        Visibility::Nobody => false,
    };
    KnownPresence {
        status: lets(viewer.show_online) && lets(subject.show_online),
        last_seen: lets(viewer.show_last_seen) && lets(subject.show_last_seen),
    }
}

/// What others, as far as they may know, see of a user whose sessions make him `automatic` and who wants to be seen as
/// `wanted`; the only home of this rule. Nobody looks more present than his sessions are.
#[must_use]
pub fn shown_status(wanted: ManualStatus, automatic: PresenceStatus) -> PresenceStatus {
    match wanted {
        ManualStatus::Auto | ManualStatus::Dnd => automatic,
        ManualStatus::Away => automatic.min(PresenceStatus::Away),
        ManualStatus::Invisible => PresenceStatus::Offline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_ones_own_beats_the_automatic_one() {
        use ManualStatus as M;
        use PresenceStatus::{Away, Offline, Online};
        for (wanted, shown) in [
            (M::Auto, [Online, Away, Offline]),
            (M::Dnd, [Online, Away, Offline]),
            (M::Away, [Away, Away, Offline]),
            (M::Invisible, [Offline, Offline, Offline]),
        ] {
            let seen = [Online, Away, Offline].map(|automatic| shown_status(wanted, automatic));
            assert_eq!(seen, shown, "{wanted:?}");
        }
    }

    fn shows(online: Visibility) -> UserSettings {
        UserSettings {
            show_online: online,
            ..UserSettings::default()
        }
    }

    #[test]
    fn the_table_is_reciprocal() {
        use Visibility::{Contacts, Everyone, Nobody};
        for (a, b, contact, known) in [
            (Everyone, Everyone, false, true),
            (Everyone, Contacts, false, false),
            (Everyone, Contacts, true, true),
            (Contacts, Contacts, true, true),
            (Everyone, Nobody, true, false),
            (Nobody, Nobody, true, false),
        ] {
            for (viewer, subject) in [(a, b), (b, a)] {
                let sees = known_presence(&shows(viewer), &shows(subject), contact, false);
                assert_eq!(sees.status, known, "{viewer:?} {subject:?} {contact}");
                assert!(sees.last_seen);
            }
        }
    }

    #[test]
    fn a_block_hides_everything() {
        let open = UserSettings::default();
        assert_eq!(known_presence(&open, &open, true, true), KnownPresence::NONE);
        assert_eq!(known_presence(&open, &open, false, false), KnownPresence::ALL);
    }
}
