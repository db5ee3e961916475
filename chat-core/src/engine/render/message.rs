use super::*;
use crate::error::ErrorCode;
use crate::view::MessageView;

impl Actor {
    /// Loads a conversation for reading.
    pub(crate) async fn look_into(&self, _id: ConversationId) -> ChatResult<Sightline> {
        Err(ErrorCode::Internal.into())
    }
    /// A message he may see (also a tombstone), with the view into its conversation. `message_not_found` otherwise.
    pub(crate) async fn visible_message(&self, _id: MessageId) -> ChatResult<(Sightline, Message)> {
        Err(ErrorCode::Internal.into())
    }
    /// Messages of one conversation as he sees them; the caller has judged their visibility.
    pub(crate) async fn render_messages(
        &self,
        _sight: &Sightline,
        _messages: Vec<Message>,
    ) -> ChatResult<Vec<MessageView>> {
        Err(ErrorCode::Internal.into())
    }
    /// One message as he sees it.
    pub(crate) async fn render_message(
        &self,
        _sight: &Sightline,
        _message: Message,
    ) -> ChatResult<MessageView> {
        Err(ErrorCode::Internal.into())
    }
}
impl Sightline {
    /// What a store needs to read through these eyes.
    pub(crate) fn viewer(&self, actor: &Actor) -> Viewer {
        Viewer {
            member: self.member.clone(),
            now: self.now,
            blocked_in_group: actor.engine().config().policies.blocked_in_group,
            group: self.conversation.kind == crate::model::ConversationKind::Group,
        }
    }
}
