use crate::access::{Action, Standing, allowed};
use crate::command::PageRequest;
use crate::config::EditHistory;
use crate::engine::Actor;
use crate::engine::render::Sightline;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::MessageId;
use crate::model::Restrictions;
use crate::view::{FormerTextView, Page};

impl Actor {
    /// What a message said before it was edited, the newest version first. A deleted message has nothing left of it.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `forbidden`: not by the policy [`edit_history`](crate::config::Policies::edit_history).
    /// - `invalid_argument` (`limit`), `invalid_cursor`.
    pub async fn former_texts(&self, id: MessageId, page: PageRequest) -> ChatResult<Page<FormerTextView>> {
        let limit = self.limit(page.limit)?;
        let (sight, _) = self.visible_message(id).await?;
        self.allow_edit_history(&sight)?;
        let purpose = format!("edits {id}");
        let before = self.cursor::<u32>(&purpose, &page)?;
        let mut texts = self
            .inner()
            .store
            .former_texts(id, before, limit.saturating_add(1))
            .await?;
        let more = texts.len() > limit;
        texts.truncate(limit);
        let last = texts.last().map(|text| text.version);
        Ok(Page {
            items: texts
                .into_iter()
                .map(|text| FormerTextView {
                    version: text.version,
                    text: text.text,
                    edited_at: text.edited_at,
                })
                .collect(),
            next_cursor: self.next_cursor(&purpose, more, last.as_ref()),
        })
    }

    fn allow_edit_history(&self, sight: &Sightline) -> ChatResult<()> {
        let policies = &self.engine().config().policies;
        let standing = Standing {
            conversation: Some(&sight.conversation),
            member: Some(&sight.member),
            has_blocked: false,
            is_blocked: false,
            restrictions: Restrictions::default(),
            now: sight.now,
            policies,
        };
        let granted = match policies.edit_history {
            EditHistory::Off => false,
            EditHistory::Moderators => self.is_host() || allowed(&standing, Action::Moderate).is_ok(),
            EditHistory::Members => true,
        };
        if granted {
            Ok(())
        } else {
            Err(ChatError::new(
                ErrorCode::Forbidden,
                "former texts are not for you to read",
            ))
        }
    }
}
