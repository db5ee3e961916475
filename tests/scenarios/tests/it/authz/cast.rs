//! The people, conversations and things that the rows are about, in a world of their own.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_axum::{Accounts, ChatApi, JwtAuthenticator, JwtKey};
use chat_core::command::{MeetingDraft, PageRequest, ScheduleMessage, SendMessage, SetRole, SyncRequest};
use chat_core::config::Rate;
use chat_core::engine::NewUpload;
use chat_core::id::{AttachmentId, ConversationId};
use chat_core::memory::MemoryStore;
use chat_core::model::{AttachmentKind, Location, MessageKind, Muted, Role};
use chat_core::store::{AccountStore, Store};
use chat_core::time::{Clock, ManualClock};
use chat_core::view::MessageView;
use chat_core::{Actor, ChatEngine};
use chat_media_fs::FsMediaStore;
use chat_sqlite::SqliteStore;
use futures::StreamExt;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Chats, Counted, admit, base_config, client_id, user_id};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes";
/// Who has a row of his own in the users' table.
const USERS: [&str; 12] = [
    "other",
    "outsider",
    "suspended",
    "stranger",
    "ex_member",
    "member",
    "muted",
    "admin",
    "owner",
    "peer",
    "blocked",
    "blocker",
];
/// What the group begins with beside its owner.
const GROUP: [&str; 6] = ["other", "admin", "member", "muted", "ex_member", "suspended"];
/// What every place has.
pub(super) const HERE: [&str; 8] = [
    "conversation",
    "message",
    "own_message",
    "meeting",
    "own_meeting",
    "live",
    "own_live",
    "attachment",
];
/// What nothing is called.
const NOTHING: &str = "00000000-0000-7000-8000-00000000dead";

/// Which conversation a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    Group,
    /// The direct of `other` and this user.
    DirectWith(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group => f.write_str("the group"),
            Self::DirectWith(user) => write!(f, "the direct with {user}"),
        }
    }
}

/// What everything is called: in a place, of everybody, of one user.
#[derive(Debug, Default)]
struct Names {
    places: HashMap<Place, HashMap<&'static str, String>>,
    own: HashMap<(Place, &'static str), HashMap<&'static str, String>>,
    uploads: HashMap<&'static str, String>,
    scheduled: HashMap<&'static str, String>,
}

/// Where worlds come from: always the same one.
pub(super) struct Stage {
    /// A database and a folder of files to begin with, and what is in them.
    template: Option<(TempDir, Arc<Names>)>,
}

/// A world with everybody in it.
pub(super) struct Cast {
    pub(super) engine: ChatEngine,
    accounts: Arc<Accounts>,
    app: OnceLock<Router>,
    pub(super) auth: Arc<JwtAuthenticator>,
    clock: Arc<ManualClock>,
    names: Arc<Names>,
    _folder: TempDir,
}

impl Stage {
    pub(super) fn memory() -> Self {
        Self { template: None }
    }

    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let store = open(folder.path(), &clock).await;
        let engine = engine(Arc::new(store.clone()), &clock, folder.path(), 0).await;
        let names = fill_up(&engine).await;
        drop(engine);
        store.close().await;
        Self {
            template: Some((folder, Arc::new(names))),
        }
    }

    pub(super) async fn cast(&self) -> Cast {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let Some((template, names)) = &self.template else {
            let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
            let engine = engine(store.clone(), &clock, folder.path(), 0).await;
            let names = Arc::new(fill_up(&engine).await);
            return Cast::new(engine, store, clock, names, folder);
        };
        copy(template.path(), folder.path());
        let store = Arc::new(open(folder.path(), &clock).await);
        // Far behind the ids that are taken.
        let engine = engine(store.clone(), &clock, folder.path(), 1 << 20).await;
        Cast::new(engine, store, clock, Arc::clone(names), folder)
    }
}

async fn open(folder: &Path, clock: &Arc<ManualClock>) -> SqliteStore {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    SqliteStore::from_path(folder.join("chat.db"), clock)
        .await
        .unwrap()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn engine(store: Arc<dyn Store>, clock: &Arc<ManualClock>, folder: &Path, first_id: u64) -> ChatEngine {
    let mut config = base_config();
    let free = Rate::new(1_000_000, 60_000_000);
    config.limits.commands = free;
    config.limits.searches = free;
    config.limits.creates = free;
    config.limits.logins = free;
    config.limits.reports = free;
    let media = FsMediaStore::open(folder.join("files")).await.unwrap();
    ChatEngine::builder(store)
        .with_clock(Arc::clone(clock) as Arc<dyn Clock>)
        .with_config(config)
        .with_ids(Arc::new(Counted::from(first_id)))
        .with_secret(SECRET)
        .with_media(Arc::new(media))
        .build()
}

/// Everybody meets, and some part again.
async fn fill_up(engine: &ChatEngine) -> Names {
    let mut all = HashMap::new();
    for user in USERS {
        all.insert(user, admit(engine, user).await);
    }
    let mut names = Names::default();
    let members = GROUP.map(|user| &all[user]);
    let group = all["owner"].group_of("group", &members).await.id;
    let admin = SetRole { role: Role::Admin };
    all["owner"]
        .set_role(group, &user_id("admin"), admin)
        .await
        .unwrap();
    names
        .furnish(
            Place::Group,
            group,
            &["owner", "admin", "member", "muted", "ex_member", "suspended"],
            &all,
        )
        .await;
    for user in ["peer", "blocked", "blocker"] {
        let direct = all[user].direct_with(&all["other"]).await.id;
        names
            .furnish(Place::DirectWith(user), direct, &[user], &all)
            .await;
    }
    for user in USERS {
        names.uploads.insert(user, upload(&all[user]).await.to_string());
        names.scheduled.insert(user, scheduled(&all[user]).await);
    }
    all["owner"]
        .remove_member(group, &user_id("ex_member"))
        .await
        .unwrap();
    let muted = user_id("muted");
    all["owner"]
        .mute_member(group, &muted, Muted::Forever)
        .await
        .unwrap();
    for user in ["other", "outsider"] {
        all[user].block(&user_id("blocked")).await.unwrap();
        all["blocker"].block(&user_id(user)).await.unwrap();
    }
    engine.set_suspended(&user_id("suspended"), true).await.unwrap();
    names
}

impl Names {
    async fn furnish(
        &mut self,
        place: Place,
        id: ConversationId,
        people: &[&'static str],
        all: &HashMap<&'static str, Actor>,
    ) {
        let others = things(&all["other"], id).await;
        let [message, meeting, live] = others.map(|message| message.id.to_string());
        let attachment = upload(&all["other"]).await;
        let file = SendMessage {
            kind: MessageKind::Image,
            conversation_id: Some(id),
            attachment_ids: vec![attachment],
            ..SendMessage::default()
        };
        all["other"].send(file).await.unwrap();
        let here = [
            ("conversation", id.to_string()),
            ("message", message),
            ("meeting", meeting),
            ("live", live),
            ("attachment", attachment.to_string()),
        ];
        self.places.insert(place, here.into());
        for user in people {
            let [message, meeting, live] = things(&all[user], id).await.map(|message| message.id.to_string());
            let own = [
                ("own_message", message),
                ("own_meeting", meeting),
                ("own_live", live),
            ];
            self.own.insert((place, user), own.into());
        }
    }
}

/// A text with a client id, a proposal to meet and a live location of a user.
async fn things(actor: &Actor, id: ConversationId) -> [MessageView; 3] {
    let later = actor.engine().now().after(std::time::Duration::from_secs(3600));
    let text = SendMessage::text(id, "own").with_client_id(client_id("own"));
    let meeting = SendMessage {
        kind: MessageKind::Meeting,
        conversation_id: Some(id),
        meeting: Some(MeetingDraft {
            place: Some("the bridge".to_owned()),
            location: None,
            scheduled_at: later,
            note: None,
        }),
        ..SendMessage::default()
    };
    let live = SendMessage {
        kind: MessageKind::Location,
        conversation_id: Some(id),
        location: Some(Location {
            latitude: 0.0,
            longitude: 0.0,
            label: None,
            live_until: Some(later),
        }),
        ..SendMessage::default()
    };
    let mut sent = Vec::new();
    for send in [text, meeting, live] {
        sent.push(actor.send(send).await.unwrap().message);
    }
    sent.try_into().unwrap()
}

/// A message that is to be sent to somebody with whom nobody has a quarrel.
async fn scheduled(actor: &Actor) -> String {
    let to = if actor.user_id().as_str() == "owner" {
        "admin"
    } else {
        "owner"
    };
    let later = actor.engine().now().after(std::time::Duration::from_secs(3600));
    let message = SendMessage::text_to(user_id(to), "later");
    let answer = actor
        .schedule(ScheduleMessage::new(message, later))
        .await
        .unwrap();
    answer.scheduled.id.to_string()
}

async fn upload(actor: &Actor) -> AttachmentId {
    let upload = NewUpload {
        filename: "a.gif".to_owned(),
        mime_type: "image/gif".to_owned(),
        kind: AttachmentKind::Image,
        dimensions: Some((1, 1)),
    };
    let bytes = futures::stream::once(async { Ok(b"GIF89a".to_vec()) }).boxed();
    actor.upload(upload, bytes).await.unwrap().id
}

impl Cast {
    fn new(
        engine: ChatEngine,
        accounts: Arc<dyn AccountStore>,
        clock: Arc<ManualClock>,
        names: Arc<Names>,
        folder: TempDir,
    ) -> Self {
        let time = || Arc::clone(&clock) as Arc<dyn Clock>;
        let auth = Arc::new(JwtAuthenticator::new([JwtKey::hs256(SECRET).unwrap()]).with_clock(time()));
        let accounts = Accounts::new(accounts, SECRET).unwrap().with_clock(time());
        Self {
            accounts: Arc::new(accounts),
            app: OnceLock::new(),
            engine,
            auth,
            clock,
            names,
            _folder: folder,
        }
    }

    /// The REST API, made when it is first asked for: its document takes longer than everything else here.
    pub(super) fn app(&self) -> &Router {
        self.app.get_or_init(|| {
            let api = ChatApi::new(self.engine.clone(), self.auth.clone());
            Router::new().nest("/api", api.with_accounts(Arc::clone(&self.accounts)).router())
        })
    }

    /// With whom a role may share a world in which it changes something: those who are in none of its conversations.
    pub(super) fn company(role: &str) -> &'static str {
        match role {
            "admin" => "admin",
            "owner" => "owner",
            "muted" => "muted",
            _ => "others",
        }
    }

    /// Which conversations a role is asked about: a stranger is one to groups and directs alike.
    pub(super) fn places(role: &str) -> &'static [Place] {
        match role {
            "peer" => &[Place::DirectWith("peer")],
            "blocked" => &[Place::DirectWith("blocked")],
            "blocker" => &[Place::DirectWith("blocker")],
            "stranger" => &[Place::Group, Place::DirectWith("peer")],
            _ => &[Place::Group],
        }
    }

    /// Who asks: bad credentials are bad ones of a member.
    fn user(role: &str) -> &'static str {
        USERS.into_iter().find(|user| *user == role).unwrap_or("member")
    }

    pub(super) fn token(&self, role: &str) -> Option<String> {
        let key: &[u8] = if role == "bad_token" {
            b"a key of somebody else, of thirty-two bytes"
        } else {
            SECRET
        };
        let life = if role == "expired_token" { -3600 } else { 3600 };
        (role != "anonymous").then(|| self.signed(Self::user(role), key, life))
    }

    fn signed(&self, user: &str, key: &[u8], life: i64) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let exp = self.clock.now().as_millis() / 1000 + life;
        let body = format!(
            "{}.{}",
            part(json!({"alg": "HS256", "typ": "JWT"})),
            part(json!({"sub": user, "exp": exp}))
        );
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        let signature = ring::hmac::sign(&key, body.as_bytes());
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The text with what its names stand for.
    pub(super) fn fill(&self, text: &str, role: &str, place: Place, absent: &[&'static str]) -> String {
        let user = Self::user(role);
        let mut values: BTreeMap<&str, String> = ["other", "outsider", "owner"]
            .map(|name| (name, name.to_owned()))
            .into();
        values.insert("self", user.to_owned());
        values.insert("token", self.signed(user, SECRET, 7200));
        values.insert("other_token", self.signed("other", SECRET, 7200));
        values.insert("upload", self.names.uploads[user].clone());
        values.insert("own_scheduled", self.names.scheduled[user].clone());
        values.insert("scheduled", self.names.scheduled["other"].clone());
        values.insert("foreign_upload", self.names.uploads["other"].clone());
        let here = &self.names.places[&place];
        values.extend(here.iter().map(|(name, id)| (*name, id.clone())));
        for (own, others) in [
            ("own_message", "message"),
            ("own_meeting", "meeting"),
            ("own_live", "live"),
        ] {
            // Who never wrote there asks about another's.
            let mine = self.names.own.get(&(place, user)).map(|things| &things[own]);
            values.insert(own, mine.unwrap_or(&here[others]).clone());
        }
        values.insert("role", role.to_owned());
        values.extend(absent.iter().map(|thing| (*thing, NOTHING.to_owned())));
        values.into_iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &value)
        })
    }

    /// Everything everybody can see, but for who is there at the moment.
    pub(super) async fn digest(&self) -> BTreeMap<&'static str, Value> {
        let mut all = BTreeMap::new();
        for user in USERS {
            let actor = self.engine.as_user(&user_id(user));
            let mut sync = json!(actor.sync(SyncRequest::default()).await.unwrap());
            sync.as_object_mut().unwrap().remove("token");
            let mut seen = json!({
                "sync": sync,
                "me": actor.me().await.unwrap(),
                "settings": actor.settings().await.unwrap(),
                "devices": actor.devices(PageRequest::default()).await.unwrap(),
                "upload": actor.attachment(self.names.uploads[user].parse().unwrap()).await.unwrap().0,
            });
            forget_presence(&mut seen);
            all.insert(user, seen);
        }
        all
    }
}

fn forget_presence(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("presence");
            fields.values_mut().for_each(forget_presence);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_presence),
        _ => {}
    }
}

/// The first thing that differs between two digests.
pub(super) fn change(
    before: &BTreeMap<&'static str, Value>,
    after: &BTreeMap<&'static str, Value>,
) -> Option<String> {
    before.iter().find_map(|(user, seen)| {
        let differs = |now: &Value| crate::model::difference(user, seen, now);
        differs(&after[user]).or_else(|| crate::model::difference(user, &after[user], seen))
    })
}
