//! The collections of the store.

/// One collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Collection {
    State,
    Users,
    Conversations,
    Members,
    Messages,
    Reactions,
    Hides,
    Advances,
    FormerTexts,
    Blocks,
    Mutes,
    Stars,
    Reports,
    Audit,
    Attachments,
    Outbox,
    Scheduled,
    Devices,
    Accounts,
    Sessions,
}

impl Collection {
    pub(crate) const ALL: [Self; 20] = [
        Self::State,
        Self::Users,
        Self::Conversations,
        Self::Members,
        Self::Messages,
        Self::Reactions,
        Self::Hides,
        Self::Advances,
        Self::FormerTexts,
        Self::Blocks,
        Self::Mutes,
        Self::Stars,
        Self::Reports,
        Self::Audit,
        Self::Attachments,
        Self::Outbox,
        Self::Scheduled,
        Self::Devices,
        Self::Accounts,
        Self::Sessions,
    ];

    /// Its name, after the prefix. Part of the schema.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Users => "users",
            Self::Conversations => "conversations",
            Self::Members => "members",
            Self::Messages => "messages",
            Self::Reactions => "reactions",
            Self::Hides => "hides",
            Self::Advances => "advances",
            Self::FormerTexts => "former_texts",
            Self::Blocks => "blocks",
            Self::Mutes => "mutes",
            Self::Stars => "stars",
            Self::Reports => "reports",
            Self::Audit => "audit",
            Self::Attachments => "attachments",
            Self::Outbox => "outbox",
            Self::Scheduled => "scheduled",
            Self::Devices => "devices",
            Self::Accounts => "accounts",
            Self::Sessions => "account_sessions",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }

    /// Whether commits bury documents in it.
    pub(crate) const fn has_graves(self) -> bool {
        !matches!(
            self,
            Self::State | Self::Devices | Self::Accounts | Self::Sessions
        )
    }
}
