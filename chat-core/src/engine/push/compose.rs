//! What a push says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::scene::PushScene;
use crate::config::Policies;
use crate::engine::ChatEngine;
use crate::engine::content::kind_word;
use crate::model::{Conversation, Message, PushContent, User};
use crate::port::{Push, PushAbout, PushKind, PushText, PushWords};
use crate::text;

/// How much of a text a push shows, in characters.
const BODY_CHARS: usize = 100;
/// How long a title and a text of the host's may be, in characters.
const TITLE_CHARS: usize = 120;
const HOSTS_BODY_CHARS: usize = 240;

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
        let hosts = self.inner().pushes.words.as_deref();
        let PushText { title, body } = match kind {
            PushKind::Alert => words(conversation, scene, &self.config().policies, hosts),
            _ => PushText {
                title: String::new(),
                body: String::new(),
            },
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

/// Title and text of an alert: the host's, or the engine's.
fn words(
    conversation: &Conversation,
    scene: &PushScene,
    policies: &Policies,
    hosts: Option<&dyn PushWords>,
) -> PushText {
    let (message, recipient) = (&scene.message, &scene.user);
    let content = content_level(message, recipient, policies);
    let (full, names_sender) = match content {
        PushContent::Full => (true, true),
        PushContent::SenderOnly => (false, true),
        PushContent::Generic => (false, false),
        PushContent::IdOnly => {
            return PushText {
                title: String::new(),
                body: String::new(),
            };
        }
    };
    let sender = scene.sender.as_ref();
    let sender = sender.map_or_else(|| message.sender_id.as_str(), |user| user.name.as_str());
    let excerpt = text::excerpt(&message.text, BODY_CHARS);
    let about = PushAbout {
        recipient,
        locale: recipient
            .custom
            .0
            .get("locale")
            .and_then(|locale| locale.as_str()),
        content,
        conversation: conversation.kind,
        conversation_name: conversation.name.as_deref().filter(|_| full),
        sender_name: names_sender.then_some(sender),
        kind: message.kind,
        text: (full && !text::is_blank(&message.text)).then_some(&excerpt),
        mentioned: message.mentions_user(&recipient.id),
    };
    let asked =
        hosts.and_then(|hosts| catch_unwind(AssertUnwindSafe(|| hosts.words(&about))).unwrap_or_default());
    match asked {
        Some(PushText { title, body }) => PushText {
            title: text::excerpt(&title, TITLE_CHARS),
            body: text::excerpt(&body, HOSTS_BODY_CHARS),
        },
        None => own_words(&about),
    }
}

fn own_words(about: &PushAbout<'_>) -> PushText {
    let text = about.text.unwrap_or_else(|| kind_word(about.kind));
    let (title, body) = match (about.sender_name, about.conversation_name) {
        (Some(sender), Some(group)) => (group, format!("{sender}: {text}")),
        (Some(sender), None) => (sender, text.to_owned()),
        (None, _) => ("New message", String::new()),
    };
    PushText {
        title: title.to_owned(),
        body,
    }
}
