//! What a verification came to.

use std::fmt;

use crate::id::{ConversationId, UserId};

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In which conversation.
    pub conversation: Option<ConversationId>,
    /// For whom.
    pub user: Option<UserId>,
    /// Of what.
    pub what: &'static str,
    /// What follows from the rows.
    pub expected: String,
    /// What the store says.
    pub found: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(conversation) = self.conversation {
            write!(f, "conversation {conversation}, ")?;
        }
        if let Some(user) = &self.user {
            write!(f, "user {user}, ")?;
        }
        write!(
            f,
            "{}: expected {}, found {}",
            self.what, self.expected, self.found
        )
    }
}

/// What a verification came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Rows looked at.
    pub rows: u64,
    /// Counts that were made anew.
    pub recounts: u64,
    /// Disagreements in all.
    pub total: u64,
    /// The first of them.
    pub kept: Vec<Finding>,
}

impl Findings {
    /// Counts a finding, and keeps it while fewer than `keep` are kept.
    pub(super) fn add(&mut self, keep: usize, finding: impl FnOnce() -> Finding) {
        self.total += 1;
        if self.kept.len() < keep {
            self.kept.push(finding());
        }
    }
}
