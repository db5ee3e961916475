use std::collections::BTreeSet;
use std::fmt;

use crate::id::UserId;
use crate::model::CustomContent;

/// The host's judgement of `custom` content. Asked for every message of the kind `custom` before it is stored, by
/// whichever command; an edit does not change it.
///
/// Pure and quick: it runs on the command's own task. What needs a look elsewhere belongs into
/// [`Hook::before_send`](crate::port::Hook::before_send). One that panics refuses with `unavailable`.
pub trait CustomContentValidator: Send + Sync + fmt::Debug {
    /// Whether the content is one that this host takes.
    ///
    /// # Errors
    /// What is wrong with it, for people: the message is refused with `invalid_argument`, field `custom`.
    fn validate(&self, sender: &UserId, custom: &CustomContent) -> Result<(), String>;
}

/// Takes `custom` content of known types only.
///
/// ```
/// use chat_core::port::CustomTypes;
///
/// let known = CustomTypes::new(["poll", "order"]);
/// assert!(known.knows("poll") && !known.knows("poll2"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomTypes(BTreeSet<String>);

impl CustomTypes {
    /// Exactly these types.
    pub fn new(types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(types.into_iter().map(Into::into).collect())
    }

    /// Whether a type is among them.
    #[must_use]
    pub fn knows(&self, kind: &str) -> bool {
        self.0.contains(kind)
    }
}

impl CustomContentValidator for CustomTypes {
    fn validate(&self, _sender: &UserId, custom: &CustomContent) -> Result<(), String> {
        if self.knows(&custom.kind) {
            Ok(())
        } else {
            Err("no such type here".to_owned())
        }
    }
}
