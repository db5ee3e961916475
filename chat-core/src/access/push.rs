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

/// Whether a message alerts one recipient; the first matching line of `semantics.md` §12 wins.
#[must_use]
pub fn push_decision(facts: &PushFacts<'_>) -> PushDecision {
    match refusal(facts) {
        Some(reason) => PushDecision::None(reason),
        None if facts.attention.foreground => PushDecision::Silent,
        None => PushDecision::Alert,
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
    use crate::model::{Content, Muted, TextFormat};

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
        push_decision(&PushFacts {
            message: &case.message,
            member: &case.member,
            blocked: case.blocked,
            visible: case.visible,
            settings: &case.settings,
            presence: &case.presence,
            suspended: case.suspended,
            sender_muted: case.sender_muted,
            has_device: case.has_device,
            attention: case.attention,
            policies: &case.policies,
            now: NOW,
        })
    }

    fn mention(case: &mut Case) {
        case.message.mentions = vec![case.member.user_id.clone()];
    }

    #[test]
    fn every_branch_has_its_reason() {
        use NoPush as N;
        use PushDecision as D;
        let foreground = Attention {
            connected: true,
            foreground: true,
            on_screen: false,
        };
        let at = |millis| Timestamp::from_millis(millis);
        assert_eq!(decide(|_| {}), D::Alert);
        assert_eq!(
            decide(|c| c.message.sender_id = c.member.user_id.clone()),
            D::None(N::Author)
        );
        assert_eq!(decide(|c| c.blocked = true), D::None(N::Blocked));
        assert_eq!(decide(|c| c.visible = false), D::None(N::NotVisible));
        assert_eq!(
            decide(|c| c.message.kind = MessageKind::System),
            D::None(N::System)
        );
        assert_eq!(decide(|c| c.message.silent = true), D::None(N::SentSilently));
        assert_eq!(decide(|c| c.member.read_seq = 5), D::None(N::AlreadyRead));
        assert_eq!(decide(|c| c.member.read_seq = 4), D::Alert);
        assert_eq!(
            decide(|c| c.settings.dnd_until = Some(at(1_001))),
            D::None(N::DoNotDisturb)
        );
        assert_eq!(decide(|c| c.settings.dnd_until = Some(at(1_000))), D::Alert);
        for (status, until, decision) in [
            (ManualStatus::Dnd, None, D::None(N::DoNotDisturb)),
            (ManualStatus::Dnd, Some(at(1_001)), D::None(N::DoNotDisturb)),
            (ManualStatus::Dnd, Some(at(1_000)), D::Alert),
            (ManualStatus::Invisible, None, D::Alert),
        ] {
            let wanted = OwnPresence {
                status,
                until,
                ..OwnPresence::default()
            };
            assert_eq!(decide(|c| c.presence = wanted), decision, "{status:?} {until:?}");
        }
        assert_eq!(decide(|c| c.suspended = true), D::None(N::Suspended));
        assert_eq!(decide(|c| c.sender_muted = true), D::None(N::SenderMuted));
        assert_eq!(decide(|c| c.has_device = false), D::None(N::NoDevice));
        assert_eq!(decide(|c| c.settings.push = PushLevel::None), D::None(N::Level));
        assert_eq!(
            decide(|c| c.settings.push = PushLevel::Mentions),
            D::None(N::Level)
        );
        assert_eq!(
            decide(|c| c.member.notification_level = NotificationLevel::None),
            D::None(N::Level)
        );
        assert_eq!(
            decide(|c| c.member.muted = Some(Muted::Forever)),
            D::None(N::Muted)
        );
        assert_eq!(
            decide(|c| c.member.muted = Some(Muted::Until(at(1_000)))),
            D::Alert
        );
        assert_eq!(
            decide(|c| c.attention = Attention {
                on_screen: true,
                ..foreground
            }),
            D::None(N::OnScreen)
        );
        assert_eq!(decide(|c| c.attention = foreground), D::None(N::Online));
        assert_eq!(
            decide(|c| c.attention = Attention {
                foreground: false,
                ..foreground
            }),
            D::Alert
        );
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
