use crate::config::Policies;
use crate::live::Attention;
use crate::model::{
    ManualStatus, Member, Message, MessageKind, NotificationLevel, OwnPresence, PushLevel, UserSettings,
};
use crate::time::Timestamp;

/// Everything the push decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct PushFacts<'a> {
    /// The message.
    pub message: &'a Message,
    /// The recipient's membership.
    pub member: &'a Member,
    /// Whether it is a direct in which one of the two has blocked the other.
    pub blocked: bool,
    /// Whether he sees the message, and not folded up: the judgement of [`visible`](super::visible).
    pub visible: bool,
    /// His settings.
    pub settings: &'a UserSettings,
    /// How he wants to be seen: `dnd` wants no push.
    pub presence: &'a OwnPresence,
    /// Whether he is suspended.
    pub suspended: bool,
    /// Whether he mutes the sender now.
    pub sender_muted: bool,
    /// Whether he has a device.
    pub has_device: bool,
    /// What he looks at.
    pub attention: Attention,
    /// The policies in force.
    pub policies: &'a Policies,
    /// The time mutes are judged by.
    pub now: Timestamp,
}

/// Whether a recipient's devices hear of a message, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushDecision {
    /// Show it.
    Alert,
    /// Update badges without a sound.
    Silent,
    /// Nothing, for this reason.
    None(NoPush),
}

/// Why there is no push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPush {
    /// It is his own.
    Author,
    /// He is no member, or was none when it was sent.
    NotMember,
    /// One of a direct's two has blocked the other.
    Blocked,
    /// He does not see it, or only folded up.
    NotVisible,
    /// A line of the engine.
    System,
    /// Sent silently.
    SentSilently,
    /// He has read it already.
    AlreadyRead,
    /// He does not want to be disturbed now.
    DoNotDisturb,
    /// He is suspended.
    Suspended,
    /// He has no device.
    NoDevice,
    /// His level says no.
    Level,
    /// He has muted the conversation.
    Muted,
    /// He has muted its sender.
    SenderMuted,
    /// He has it on screen.
    OnScreen,
    /// He looks at another session.
    Online,
}

impl NoPush {
    /// Its stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::NotMember => "not_a_member",
            Self::Blocked => "blocked",
            Self::NotVisible => "not_visible",
            Self::System => "system",
            Self::SentSilently => "sent_silently",
            Self::AlreadyRead => "already_read",
            Self::DoNotDisturb => "do_not_disturb",
            Self::Suspended => "suspended",
            Self::NoDevice => "no_device",
            Self::Level => "level",
            Self::Muted => "muted",
            Self::SenderMuted => "sender_muted",
            Self::OnScreen => "on_screen",
            Self::Online => "online",
        }
    }

    /// The same for people.
    #[must_use]
    pub const fn because(self) -> &'static str {
        match self {
            Self::Author => "it is his own message",
            Self::NotMember => "he is no member, or was none when it was sent",
            Self::Blocked => "one of the two has blocked the other",
            Self::NotVisible => {
                "he does not see it: deleted, hidden, expired, cleared, or folded up after a block"
            }
            Self::System => "it is a line of the engine",
            Self::SentSilently => "it was sent silently",
            Self::AlreadyRead => "he has read it",
            Self::DoNotDisturb => "he does not want to be disturbed now",
            Self::Suspended => "he is suspended",
            Self::NoDevice => "he has no device",
            Self::Level => "his notification level does not let it through",
            Self::Muted => "he has muted the conversation",
            Self::SenderMuted => "he has muted its sender",
            Self::OnScreen => "he has the conversation on screen",
            Self::Online => "he looks at another session",
        }
    }
}

/// Whether a message alerts one recipient; the first matching line wins.
#[must_use]
pub fn push_decision(facts: &PushFacts<'_>) -> PushDecision {
    match refusal(facts) {
        Some(reason) => PushDecision::None(reason),
        None if facts.attention.foreground => PushDecision::Silent,
        None => PushDecision::Alert,
    }
}

/// When an alert about what happened at `caused` goes out at the earliest: at once, but a user who is connected and
/// looks away has a moment to look, and what he reads then is not pushed.
#[must_use]
pub fn alert_at(facts: &PushFacts<'_>, caused: Timestamp) -> Timestamp {
    if facts.attention.connected {
        caused.after(facts.policies.push_delay)
    } else {
        caused
    }
}

fn refusal(facts: &PushFacts<'_>) -> Option<NoPush> {
    let PushFacts {
        message,
        member,
        settings,
        presence,
        policies,
        now,
        ..
    } = *facts;
    let mentioned = message.mentions_user(&member.user_id);
    let wanted = match (member.notification_level, settings.push) {
        (NotificationLevel::None, _) | (_, PushLevel::None) => false,
        (NotificationLevel::Mentions, _) | (_, PushLevel::Mentions) => mentioned,
        (NotificationLevel::All, PushLevel::All) => true,
    };
    let muted = member.muted.is_some_and(|muted| muted.is_active(now));
    let checks = [
        (message.sender_id == member.user_id, NoPush::Author),
        (
            !member.is_active() || !member.covers(message.seq),
            NoPush::NotMember,
        ),
        (facts.blocked, NoPush::Blocked),
        (!facts.visible || message.is_deleted(), NoPush::NotVisible),
        (message.kind == MessageKind::System, NoPush::System),
        (message.silent, NoPush::SentSilently),
        (member.read_seq >= message.seq, NoPush::AlreadyRead),
        (
            settings.dnd_until.is_some_and(|until| until > now)
                || presence.status_at(now) == ManualStatus::Dnd,
            NoPush::DoNotDisturb,
        ),
        (facts.suspended, NoPush::Suspended),
        (!facts.has_device, NoPush::NoDevice),
        (!wanted, NoPush::Level),
        (
            muted && !(mentioned && policies.mention_breaks_mute),
            NoPush::Muted,
        ),
        (facts.sender_muted, NoPush::SenderMuted),
        (facts.attention.on_screen, NoPush::OnScreen),
        (
            facts.attention.foreground && !policies.push_when_online,
            NoPush::Online,
        ),
    ];
    checks
        .into_iter()
        .find(|(applies, _)| *applies)
        .map(|(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ConversationId, MessageId, UserId};
    use std::time::Duration;

    use crate::model::{Content, Deletion, DeletionBy, MemberState, Muted, TextFormat};

    struct Case {
        message: Message,
        member: Member,
        blocked: bool,
        visible: bool,
        settings: UserSettings,
        presence: OwnPresence,
        suspended: bool,
        sender_muted: bool,
        has_device: bool,
        attention: Attention,
        policies: Policies,
    }

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    impl Case {
        fn facts(&self) -> PushFacts<'_> {
            PushFacts {
                message: &self.message,
                member: &self.member,
                blocked: self.blocked,
                visible: self.visible,
                settings: &self.settings,
                presence: &self.presence,
                suspended: self.suspended,
                sender_muted: self.sender_muted,
                has_device: self.has_device,
                attention: self.attention,
                policies: &self.policies,
                now: NOW,
            }
        }
    }

    fn case() -> Case {
        let id = ConversationId::from_uuid(uuid::Uuid::nil());
        Case {
            message: Message {
                id: MessageId::from_uuid(uuid::Uuid::nil()),
                conversation_id: id,
                seq: 5,
                rev: 5,
                sender_id: UserId::new("a").unwrap(),
                client_id: None,
                payload_hash: None,
                kind: MessageKind::Text,
                text: "x".into(),
                format: TextFormat::Plain,
                content: Content::default(),
                reply_to: None,
                mentions: Vec::new(),
                mentions_all: false,
                silent: false,
                countable: true,
                client_time: None,
                created_at: NOW,
                edited_at: None,
                version: 1,
                deleted: None,
                expires_at: None,
                kept: None,
                pinned: None,
            },
            member: Member::joined(id, UserId::new("b").unwrap(), NOW, 1),
            blocked: false,
            visible: true,
            settings: UserSettings::default(),
            presence: OwnPresence::default(),
            suspended: false,
            sender_muted: false,
            has_device: true,
            attention: Attention::default(),
            policies: Policies::default(),
        }
    }

    fn decide(change: impl FnOnce(&mut Case)) -> PushDecision {
        let mut case = case();
        change(&mut case);
        push_decision(&case.facts())
    }

    fn mention(case: &mut Case) {
        case.message.mentions = vec![case.member.user_id.clone()];
    }

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    const LOOKING: Attention = Attention {
        connected: true,
        foreground: true,
        on_screen: false,
    };

    type Twist = fn(&mut Case);

    /// One way to each reason, in the order in which they win.
    const REASONS: &[(NoPush, Twist)] = &[
        (NoPush::Author, |c| c.message.sender_id = c.member.user_id.clone()),
        (NoPush::NotMember, |c| c.member.state = MemberState::Left),
        (NoPush::Blocked, |c| c.blocked = true),
        (NoPush::NotVisible, |c| c.visible = false),
        (NoPush::System, |c| c.message.kind = MessageKind::System),
        (NoPush::SentSilently, |c| c.message.silent = true),
        (NoPush::AlreadyRead, |c| c.member.read_seq = 5),
        (NoPush::DoNotDisturb, |c| c.settings.dnd_until = Some(at(1_001))),
        (NoPush::Suspended, |c| c.suspended = true),
        (NoPush::NoDevice, |c| c.has_device = false),
        (NoPush::Level, |c| c.settings.push = PushLevel::None),
        (NoPush::Muted, |c| c.member.muted = Some(Muted::Forever)),
        (NoPush::SenderMuted, |c| c.sender_muted = true),
        (NoPush::OnScreen, |c| {
            c.attention = Attention {
                on_screen: true,
                ..LOOKING
            };
        }),
        (NoPush::Online, |c| c.attention.foreground = true),
    ];

    #[test]
    fn every_branch_has_its_reason() {
        assert_eq!(decide(|_| {}), PushDecision::Alert);
        for (place, (reason, twist)) in REASONS.iter().enumerate() {
            assert_eq!(decide(twist), PushDecision::None(*reason), "{reason:?} alone");
            let all_from_here = decide(|c| {
                for (_, twist) in &REASONS[place..] {
                    twist(c);
                }
            });
            assert_eq!(
                all_from_here,
                PushDecision::None(*reason),
                "{reason:?} before the rest"
            );
        }
        let mut codes: Vec<&str> = REASONS.iter().map(|(reason, _)| reason.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), REASONS.len());
        assert!(
            codes
                .iter()
                .all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && code.len() > 4)
        );
        let mut words: Vec<&str> = REASONS.iter().map(|(reason, _)| reason.because()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), REASONS.len());
        assert!(words.iter().all(|words| words.contains(' ')));
    }

    #[test]
    fn the_edges_of_each_branch() {
        use NoPush as N;
        use PushDecision as D;
        let table: &[(&str, Twist, PushDecision)] = &[
            (
                "sent before he came",
                |c| c.member.intervals[0].from = 6,
                D::None(N::NotMember),
            ),
            ("sent as he came", |c| c.member.intervals[0].from = 5, D::Alert),
            (
                "deleted",
                |c| {
                    c.message.deleted = Some(Deletion {
                        at: NOW,
                        by: DeletionBy::Author,
                    });
                },
                D::None(N::NotVisible),
            ),
            ("read beyond", |c| c.member.read_seq = 6, D::None(N::AlreadyRead)),
            ("read up to the one before", |c| c.member.read_seq = 4, D::Alert),
            (
                "do not disturb until now",
                |c| c.settings.dnd_until = Some(at(1_000)),
                D::Alert,
            ),
            (
                "shown as dnd",
                |c| c.presence.status = ManualStatus::Dnd,
                D::None(N::DoNotDisturb),
            ),
            (
                "shown as dnd for a while",
                |c| {
                    c.presence.status = ManualStatus::Dnd;
                    c.presence.until = Some(at(1_001));
                },
                D::None(N::DoNotDisturb),
            ),
            (
                "shown as dnd until now",
                |c| {
                    c.presence.status = ManualStatus::Dnd;
                    c.presence.until = Some(at(1_000));
                },
                D::Alert,
            ),
            (
                "invisible",
                |c| c.presence.status = ManualStatus::Invisible,
                D::Alert,
            ),
            (
                "muted until now",
                |c| c.member.muted = Some(Muted::Until(at(1_000))),
                D::Alert,
            ),
            (
                "muted for a while",
                |c| c.member.muted = Some(Muted::Until(at(1_001))),
                D::None(N::Muted),
            ),
            (
                "connected, looks away",
                |c| {
                    c.attention = Attention {
                        foreground: false,
                        ..LOOKING
                    };
                },
                D::Alert,
            ),
        ];
        for (name, twist, decision) in table {
            assert_eq!(decide(twist), *decision, "{name}");
        }
    }

    #[test]
    fn the_stricter_of_two_levels_counts() {
        let levels = [PushLevel::All, PushLevel::Mentions, PushLevel::None];
        let here = [
            NotificationLevel::All,
            NotificationLevel::Mentions,
            NotificationLevel::None,
        ];
        for (of_user, push) in levels.into_iter().enumerate() {
            for (of_conversation, level) in here.into_iter().enumerate() {
                for mentioned in [false, true] {
                    let decision = decide(|c| {
                        c.settings.push = push;
                        c.member.notification_level = level;
                        c.message.mentions_all = mentioned;
                    });
                    let alerts = match of_user.max(of_conversation) {
                        0 => true,
                        1 => mentioned,
                        _ => false,
                    };
                    let expected = if alerts {
                        PushDecision::Alert
                    } else {
                        PushDecision::None(NoPush::Level)
                    };
                    assert_eq!(decision, expected, "{push:?} {level:?} mentioned: {mentioned}");
                }
            }
        }
    }

    #[test]
    fn who_is_connected_and_looks_away_has_a_moment() {
        let due = |attention: Attention| {
            let mut case = case();
            case.attention = attention;
            case.policies.push_delay = Duration::from_millis(700);
            alert_at(&case.facts(), at(5_000))
        };
        assert_eq!(due(Attention::default()), at(5_000));
        let away = Attention {
            foreground: false,
            ..LOOKING
        };
        assert_eq!(due(away), at(5_700));
    }

    #[test]
    fn mentions_pass_levels_and_by_policy_mutes() {
        let muted_mention = |breaks: bool| {
            decide(|c| {
                mention(c);
                c.member.muted = Some(Muted::Forever);
                c.policies.mention_breaks_mute = breaks;
            })
        };
        assert_eq!(muted_mention(false), PushDecision::None(NoPush::Muted));
        assert_eq!(muted_mention(true), PushDecision::Alert);
        let of_muted_sender = decide(|c| {
            mention(c);
            c.sender_muted = true;
            c.policies.mention_breaks_mute = true;
        });
        assert_eq!(of_muted_sender, PushDecision::None(NoPush::SenderMuted));
        let level = |c: &mut Case| {
            mention(c);
            c.member.notification_level = NotificationLevel::Mentions;
        };
        assert_eq!(decide(level), PushDecision::Alert);
    }

    #[test]
    fn online_users_hear_silently_where_the_policy_says_so() {
        let decision = decide(|c| {
            c.attention = Attention {
                connected: true,
                foreground: true,
                on_screen: false,
            };
            c.policies.push_when_online = true;
        });
        assert_eq!(decision, PushDecision::Silent);
    }
}
