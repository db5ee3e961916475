//! The end of old messages in the model.

use super::reference::Model;

impl Model {
    /// Purges what is older than its chat keeps: a beginning of its lines.
    pub(super) fn purge(&mut self) {
        for chat in &mut self.chats {
            let Some(time) = chat.retention else {
                continue;
            };
            for line in &mut chat.lines {
                line.purged |= line.at < self.now - time;
            }
        }
        let chats = &self.chats;
        self.stars
            .retain(|(_, c, seq)| chats[*c].line(*seq).is_some_and(|line| !line.purged));
    }
}
