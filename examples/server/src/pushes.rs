//! Where pushes go.

use std::fmt;
use std::sync::Arc;

use chat_adapters::fcm::{Fcm, ServiceAccount};
use chat_core::port::{LogNotifier, Notifier};

use crate::config::SettingError;

/// Who carries pushes to devices.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Pushing {
    /// Nobody.
    #[default]
    Off,
    /// Nobody; what would be pushed is logged.
    Log,
    /// Firebase Cloud Messaging.
    Fcm(Box<Fcm>),
}

impl fmt::Debug for Pushing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Log => "Log",
            Self::Fcm(_) => "Fcm(…)",
        })
    }
}

impl Pushing {
    pub(crate) fn notifier(&self) -> Option<Arc<dyn Notifier>> {
        match self {
            Self::Off => None,
            Self::Log => Some(Arc::new(LogNotifier)),
            Self::Fcm(fcm) => Some(Arc::new(Fcm::clone(fcm))),
        }
    }
}

/// What the variables of pushes come to.
pub(crate) fn read(
    pushes: Option<&str>,
    credentials: Option<&str>,
    endpoint: Option<&str>,
) -> Result<Pushing, SettingError> {
    const CREDENTIALS: &str = "CHAT_FCM_CREDENTIALS";
    const ENDPOINT: &str = "CHAT_FCM_ENDPOINT";
    const PUSHES: &str = "CHAT_PUSHES";
    if let Some(other) = pushes.filter(|pushes| *pushes != "log") {
        return Err(SettingError::new(PUSHES, format!("{other:?} is not log")));
    }
    let Some(file) = credentials else {
        return match (endpoint, pushes) {
            (Some(_), _) => Err(SettingError::new(ENDPOINT, "needs CHAT_FCM_CREDENTIALS as well")),
            (None, Some(_)) => Ok(Pushing::Log),
            (None, None) => Ok(Pushing::Off),
        };
    };
    if pushes.is_some() {
        return Err(SettingError::new(
            PUSHES,
            "not together with CHAT_FCM_CREDENTIALS",
        ));
    }
    // Neither the path nor what stands in the file is shown.
    let json = std::fs::read_to_string(file).map_err(|error| {
        SettingError::new(CREDENTIALS, format!("the file cannot be read: {}", error.kind()))
    })?;
    let account = ServiceAccount::from_json(&json)
        .map_err(|error| SettingError::new(CREDENTIALS, error.to_string()))?;
    let fcm = Fcm::new(account).map_err(|error| SettingError::new(CREDENTIALS, error.to_string()))?;
    let fcm = match endpoint {
        Some(url) => fcm
            .with_endpoint(url)
            .map_err(|error| SettingError::new(ENDPOINT, error.to_string()))?,
        None => fcm,
    };
    Ok(Pushing::Fcm(Box::new(fcm)))
}
