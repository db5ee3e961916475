use std::collections::HashMap;

use serde::Deserialize;

use crate::id::{ConversationId, UserId};
use crate::model::Rev;

/// `sync`: a token, or what the client knows of each conversation, or nothing for a first sync.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SyncRequest {
    /// Where the last answer ended.
    pub token: Option<String>,
    /// The newest rev the client has of each conversation.
    pub conversations: Option<HashMap<ConversationId, Rev>>,
}

/// `open_conversation`, `close_conversation`: the one on screen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OnScreen {
    /// Which one.
    pub conversation_id: ConversationId,
}

/// `set_foreground`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Foreground {
    /// Whether somebody looks at this session.
    pub foreground: bool,
}

/// `subscribe_presence`, `unsubscribe_presence`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PresenceOf {
    /// At most 500 users.
    pub user_ids: Vec<UserId>,
}

/// `get_online_users`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OnlineUsers {
    /// At most so many.
    pub limit: Option<usize>,
}

/// `refresh_token`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefreshToken {
    /// A newer token of the same user.
    pub token: String,
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}
