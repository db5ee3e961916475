//! What a push says.

use super::scene::PushScene;
use crate::config::Policies;
use crate::engine::ChatEngine;
use crate::engine::content::kind_word;
use crate::model::{Conversation, Message, PushContent, User};
use crate::port::{Push, PushKind};
use crate::text;

/// How much of a text a push shows, in characters.
const BODY_CHARS: usize = 100;

impl ChatEngine {
    /// The push that a scene calls for.
    pub(super) fn compose_push(
        &self,
        kind: PushKind,
        conversation: &Conversation,
        scene: &PushScene,
        badge: u64,
    ) -> Push {
        let message = &scene.message;
        let (title, body) = match kind {
            PushKind::Alert => words(conversation, scene, &self.config().policies),
            _ => Default::default(),
        };
        Push {
            user_id: scene.user.id.clone(),
            kind,
            conversation_id: conversation.id,
            message_id: Some(message.id),
            seq: message.seq,
            title,
            body,
            badge,
            life: self.push_life(conversation),
        }
    }
}

/// How much a push shows: what the recipient's setting says, but by default no words that are to disappear, because
/// nobody takes them off his screen again.
fn content_level(message: &Message, to: &User, policies: &Policies) -> PushContent {
    match to.settings.push_content {
        PushContent::Full if message.expires_at.is_some() && !policies.push_disappearing_content => {
            PushContent::SenderOnly
        }
        content => content,
    }
}

/// Title and text of an alert.
fn words(conversation: &Conversation, scene: &PushScene, policies: &Policies) -> (String, String) {
    let message = &scene.message;
    let sender = scene.sender.as_ref();
    let from = sender.map_or_else(|| message.sender_id.to_string(), |user| user.name.clone());
    let text = if text::is_blank(&message.text) {
        kind_word(message.kind).to_owned()
    } else {
        text::excerpt(&message.text, BODY_CHARS)
    };
    match (content_level(message, &scene.user, policies), &conversation.name) {
        (PushContent::Full, None) => (from, text),
        (PushContent::Full, Some(name)) => (name.clone(), format!("{from}: {text}")),
        (PushContent::SenderOnly, _) => (from, kind_word(message.kind).to_owned()),
        (PushContent::Generic, _) => ("New message".to_owned(), String::new()),
        (PushContent::IdOnly, _) => (String::new(), String::new()),
    }
}
