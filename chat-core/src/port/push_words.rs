use std::fmt;

use crate::model::{ConversationKind, MessageKind, PushContent, User};

/// What an alert is about, as far as the recipient's `push_content` lets it show.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PushAbout<'a> {
    /// Who is told, with the host's own data of him in `custom`.
    pub recipient: &'a User,
    /// His language: the text `locale` of his `custom`, where there is one.
    pub locale: Option<&'a str>,
    /// How much it may show; never [`PushContent::IdOnly`], which shows nothing.
    pub content: PushContent,
    /// A direct conversation or a group.
    pub conversation: ConversationKind,
    /// The group's name, with full content.
    pub conversation_name: Option<&'a str>,
    /// The sender's name, with full content or the sender only.
    pub sender_name: Option<&'a str>,
    /// What the message is.
    pub kind: MessageKind,
    /// The beginning of its text, with full content; absent when it has none.
    pub text: Option<&'a str>,
    /// Whether it mentions the recipient or everyone.
    pub mentioned: bool,
}

/// What an alert says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushText {
    /// Its title, cut after 120 characters.
    pub title: String,
    /// Its text, cut after 240 characters.
    pub body: String,
}

/// The host's own words for alerts, in the recipients' languages. Asked right before the provider is called, so it has
/// to be quick. A panic is as good as `None`.
pub trait PushWords: Send + Sync + fmt::Debug {
    /// The words; `None` for those of the engine.
    fn words(&self, about: &PushAbout<'_>) -> Option<PushText>;
}
