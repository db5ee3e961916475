use serde::{Deserialize, Serialize};

use super::{Erasure, JsonObject, Muted};
use crate::id::{AttachmentId, UserId};
use crate::time::Timestamp;

/// What sort of account a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    /// A person.
    #[default]
    User,
    /// A program.
    Bot,
    /// Somebody without an account of his own.
    Guest,
}

/// Who may see something of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Every user.
    #[default]
    Everyone,
    /// Users who share a direct conversation with him.
    Contacts,
    /// Nobody; reciprocal, so he does not see it of others either.
    Nobody,
}

/// Which messages a user wants to be alerted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PushLevel {
    /// Every message.
    #[default]
    All,
    /// Messages that mention him.
    Mentions,
    /// None.
    None,
}

/// How much of a message a push shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PushContent {
    /// Sender and text.
    #[default]
    Full,
    /// Who wrote, not what.
    SenderOnly,
    /// That there is something.
    Generic,
    /// Ids for the client to fetch with.
    IdOnly,
}

/// A user's private settings (`GET /me/settings`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct UserSettings {
    /// Who sees that he has read.
    pub receipts: Visibility,
    /// Who sees that he is online.
    pub show_online: Visibility,
    /// Who sees when he was last online.
    pub show_last_seen: Visibility,
    /// Which messages push.
    pub push: PushLevel,
    /// What a push shows.
    pub push_content: PushContent,
    /// No push until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnd_until: Option<Timestamp>,
}

/// What changes of a user's settings; `None` leaves a field, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// Who sees that he has read.
    pub receipts: Option<Visibility>,
    /// Who sees that he is online.
    pub show_online: Option<Visibility>,
    /// Who sees when he was last online.
    pub show_last_seen: Option<Visibility>,
    /// Which messages push.
    pub push: Option<PushLevel>,
    /// What a push shows.
    pub push_content: Option<PushContent>,
    /// No push until then.
    pub dnd_until: Option<Option<Timestamp>>,
}

impl SettingsChange {
    /// Applies the change.
    pub fn apply(self, settings: &mut UserSettings) {
        *settings = UserSettings {
            receipts: self.receipts.unwrap_or(settings.receipts),
            show_online: self.show_online.unwrap_or(settings.show_online),
            show_last_seen: self.show_last_seen.unwrap_or(settings.show_last_seen),
            push: self.push.unwrap_or(settings.push),
            push_content: self.push_content.unwrap_or(settings.push_content),
            dnd_until: self.dnd_until.unwrap_or(settings.dnd_until),
        };
    }
}

impl From<UserSettings> for SettingsChange {
    /// The change that makes any settings these.
    fn from(settings: UserSettings) -> Self {
        Self {
            receipts: Some(settings.receipts),
            show_online: Some(settings.show_online),
            show_last_seen: Some(settings.show_last_seen),
            push: Some(settings.push),
            push_content: Some(settings.push_content),
            dnd_until: Some(settings.dnd_until),
        }
    }
}

/// How a user wants to be seen, whatever his sessions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ManualStatus {
    /// As his sessions say.
    #[default]
    Auto,
    /// Away, also while he looks at a session.
    Away,
    /// As his sessions say, with the wish not to be disturbed: no pushes.
    Dnd,
    /// As if he were not there.
    Invisible,
}

/// A user's own presence (`GET /me/presence`): kept with him, whatever his sessions do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct OwnPresence {
    /// How he wants to be seen.
    pub status: ManualStatus,
    /// A word about it, at most 100 characters. Seen while he is seen to be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// An emoji with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// All of it lapses then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl OwnPresence {
    /// What holds at `now`: nothing of his own once it has lapsed.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        if self.until.is_some_and(|until| until <= now) {
            Self::default()
        } else {
            self.clone()
        }
    }

    /// The status that holds at `now`.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> ManualStatus {
        if self.until.is_some_and(|until| until <= now) {
            ManualStatus::Auto
        } else {
            self.status
        }
    }

    /// Whether he wants to look as if he were not there.
    #[must_use]
    pub fn is_invisible(&self, now: Timestamp) -> bool {
        self.status_at(now) == ManualStatus::Invisible
    }
}

/// A user as the engine knows him.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The host's id.
    pub id: UserId,
    /// Display name, at most 120 characters.
    pub name: String,
    /// Where a picture of the host's own lives.
    pub avatar_url: Option<String>,
    /// A picture uploaded here; wins over `avatar_url`.
    pub avatar: Option<AttachmentId>,
    /// What sort of account.
    pub kind: UserKind,
    /// For search by e-mail; never shown.
    pub email: Option<String>,
    /// For search by phone; never shown.
    pub phone: Option<String>,
    /// The host's own data.
    pub custom: JsonObject,
    /// Private settings.
    pub settings: UserSettings,
    /// How he wants to be seen.
    pub presence: OwnPresence,
    /// A suspended user may not do anything: [`User::is_suspended`].
    pub suspended: bool,
    /// The suspension ends then by itself.
    pub suspended_until: Option<Timestamp>,
    /// A moderator has taken the right to write anywhere from him until then.
    pub muted: Option<Muted>,
    /// When the engine met him.
    pub created_at: Timestamp,
    /// End of his last session.
    pub last_seen_at: Option<Timestamp>,
    /// Count of changes of his private state.
    pub user_rev: u64,
    /// Set when he was erased: his id is left, and nothing else of this row.
    pub erased: Option<Erasure>,
}

impl User {
    /// What others read in place of the name of an erased user.
    pub const ERASED_NAME: &'static str = "Deleted user";

    /// Wipes everything but his id, when he was met, and the count of changes.
    fn erase(&mut self, erasure: Erasure) {
        *self = Self {
            suspended: self.suspended,
            suspended_until: self.suspended_until,
            user_rev: self.user_rev,
            erased: Some(erasure),
            ..NewUser::new(self.id.clone())
                .with_name("")
                .into_user(self.created_at)
        };
    }
}

/// What moderators have forbidden a user everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restrictions {
    /// He may not do anything until then.
    pub suspended: Option<Muted>,
    /// He may not write until then.
    pub muted: Option<Muted>,
}

impl User {
    /// What moderators have forbidden him; what has lapsed may be among it.
    #[must_use]
    pub fn restrictions(&self) -> Restrictions {
        Restrictions {
            suspended: self
                .suspended
                .then(|| self.suspended_until.map_or(Muted::Forever, Muted::Until)),
            muted: self.muted,
        }
    }

    /// Whether he is suspended at `now`.
    #[must_use]
    pub fn is_suspended(&self, now: Timestamp) -> bool {
        self.restrictions()
            .suspended
            .is_some_and(|suspended| suspended.is_active(now))
    }
}

/// What is known of a user when he is first met: from a token, a sign-up or the host.
#[derive(Debug, Clone, PartialEq)]
pub struct NewUser {
    /// The host's id.
    pub id: UserId,
    /// Display name; the id stands in when there is none.
    pub name: Option<String>,
    /// Where a picture lives.
    pub avatar_url: Option<String>,
    /// What sort of account.
    pub kind: UserKind,
    /// For search by e-mail.
    pub email: Option<String>,
    /// For search by phone.
    pub phone: Option<String>,
    /// The host's own data.
    pub custom: JsonObject,
}

impl NewUser {
    /// A person of whom only the id is known.
    #[must_use]
    pub fn new(id: UserId) -> Self {
        Self {
            id,
            name: None,
            avatar_url: None,
            kind: UserKind::User,
            email: None,
            phone: None,
            custom: JsonObject::default(),
        }
    }

    /// With a display name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The user this makes at `now`.
    #[must_use]
    pub fn into_user(self, now: Timestamp) -> User {
        User {
            name: self.name.unwrap_or_else(|| self.id.to_string()),
            id: self.id,
            avatar_url: self.avatar_url,
            avatar: None,
            kind: self.kind,
            email: self.email,
            phone: self.phone,
            custom: self.custom,
            settings: UserSettings::default(),
            presence: OwnPresence::default(),
            suspended: false,
            suspended_until: None,
            muted: None,
            created_at: now,
            last_seen_at: None,
            user_rev: 0,
            erased: None,
        }
    }
}

/// What changes of a user; `None` leaves a field, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserPatch {
    /// New display name.
    pub name: Option<String>,
    /// New picture address.
    pub avatar_url: Option<Option<String>>,
    /// New uploaded picture.
    pub avatar: Option<Option<AttachmentId>>,
    /// New host data, whole.
    pub custom: Option<JsonObject>,
    /// New settings.
    pub settings: Option<SettingsChange>,
    /// New presence of his own, whole.
    pub presence: Option<OwnPresence>,
    /// Suspended or not.
    pub suspended: Option<bool>,
    /// New end of a suspension; cleared, it has none.
    pub suspended_until: Option<Option<Timestamp>>,
    /// New mute everywhere.
    pub muted: Option<Option<Muted>>,
    /// Later end of the last session; an earlier one is ignored.
    pub last_seen_at: Option<Timestamp>,
    /// Erases him, or says that it is done; nothing else of the patch counts then, but for the picture it retires.
    pub erased: Option<Erasure>,
}

impl UserPatch {
    /// The upload this patch takes as the user's picture: one he does not show already.
    #[must_use]
    pub fn claims(&self, user: &User) -> Option<AttachmentId> {
        self.avatar
            .flatten()
            .filter(|_| user.erased.is_none())
            .filter(|wanted| user.avatar != Some(*wanted))
    }

    /// The picture this patch leaves without anybody who shows it.
    #[must_use]
    pub fn retires(&self, user: &User) -> Option<AttachmentId> {
        user.avatar
            .filter(|old| self.avatar.is_some_and(|new| new != Some(*old)))
    }

    /// Applies the patch; every store calls this, so a field means the same in all of them. An erased user's row
    /// changes no more, whatever was still on its way.
    pub fn apply(self, user: &mut User) {
        if let Some(erasure) = self.erased {
            return user.erase(erasure);
        }
        if user.erased.is_some() {
            return;
        }
        if let Some(name) = self.name {
            user.name = name;
        }
        if let Some(url) = self.avatar_url {
            user.avatar_url = url;
        }
        if let Some(avatar) = self.avatar {
            user.avatar = avatar;
        }
        if let Some(custom) = self.custom {
            user.custom = custom;
        }
        if let Some(settings) = self.settings {
            settings.apply(&mut user.settings);
        }
        if let Some(presence) = self.presence {
            user.presence = presence;
        }
        if let Some(suspended) = self.suspended {
            user.suspended = suspended;
        }
        if let Some(until) = self.suspended_until {
            user.suspended_until = until;
        }
        if let Some(muted) = self.muted {
            user.muted = muted;
        }
        if let Some(at) = self.last_seen_at {
            user.last_seen_at = user.last_seen_at.max(Some(at));
        }
    }
}

/// A password account (optional accounts module).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose account.
    pub user_id: UserId,
    /// Lower-case e-mail address: the login name, unique.
    pub email: String,
    /// Phone number, unique where given.
    pub phone: Option<String>,
    /// PHC string of the password.
    pub password_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A login of an account; a token is good while its session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSession {
    /// The token's `jti`.
    pub id: String,
    /// Whose session.
    pub user_id: UserId,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}
