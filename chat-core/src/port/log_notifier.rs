use async_trait::async_trait;

use super::{Notified, Notifier, Push};
use crate::model::Device;

/// A [`Notifier`] for development: it logs what would be pushed, without contents and tokens, and says that it was sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, device: &Device, push: &Push) -> Notified {
        tracing::info!(
            kind = push.kind.as_str(),
            user = %push.user_id,
            platform = ?device.platform,
            conversation = %push.conversation_id,
            seq = push.seq,
            badge = push.badge,
            letters = push.title.chars().count() + push.body.chars().count(),
            "a push would go out"
        );
        Notified::Sent
    }
}
