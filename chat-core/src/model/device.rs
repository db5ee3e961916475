use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::time::Timestamp;

/// What a device runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Android.
    Android,
    /// iOS.
    Ios,
    /// A browser.
    Web,
}

/// Who carries pushes to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Firebase Cloud Messaging.
    Fcm,
}

/// A place pushes go to. A token has one owner: the user who registered it last.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// The provider's address of the device; secret.
    pub token: String,
    /// Whose device.
    pub user_id: UserId,
    /// What it runs.
    pub platform: Platform,
    /// Who carries.
    pub provider: Provider,
    /// When it was last registered.
    pub refreshed_at: Timestamp,
    /// The login that registered it; it goes with that. Absent where the host has no logins.
    pub login: Option<String>,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("token", &"…")
            .field("user_id", &self.user_id)
            .field("platform", &self.platform)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}
