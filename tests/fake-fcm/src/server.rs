use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::assertion::{EMAIL, KEY, KEY_ID, fault_of};
use crate::schema::faults_of;
use crate::script::{Act, invalid, play, unauthenticated};

const PROJECT: &str = "test-project";
/// How long tests wait for what has to come.
const LONG: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Inner {
    token_url: String,
    scripts: Mutex<HashMap<String, VecDeque<Act>>>,
    token_script: Mutex<VecDeque<Act>>,
    granted: Mutex<Vec<String>>,
    life: AtomicU64,
    called: Mutex<Vec<Value>>,
    taken: Mutex<Vec<Value>>,
    faults: Mutex<Vec<String>>,
    connections: AtomicUsize,
}

/// A running server; it ends with the runtime of its test.
#[derive(Clone)]
pub struct FakeFcm {
    /// `http://127.0.0.1:port`.
    pub url: String,
    inner: Arc<Inner>,
}

impl fmt::Debug for FakeFcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeFcm")
    }
}

#[derive(Deserialize)]
struct Ask {
    grant_type: String,
    assertion: String,
}

impl FakeFcm {
    /// Listens on a free port of loopback.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            token_url: format!("{url}/token"),
            life: AtomicU64::new(3_600),
            ..Inner::default()
        });
        let path = format!("/v1/projects/{PROJECT}/messages:send");
        let router = Router::new()
            .route("/token", post(grant))
            .route(&path, post(take))
            .with_state(Arc::clone(&inner));
        let counted = Arc::clone(&inner);
        let listener = listener.tap_io(move |_| {
            counted.connections.fetch_add(1, Ordering::SeqCst);
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// The file of a service account that this server knows.
    #[must_use]
    pub fn credentials(&self) -> String {
        let file = json!({
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": KEY_ID,
            "private_key": KEY,
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": self.inner.token_url,
        });
        file.to_string()
    }

    /// What becomes of the next messages to a device; those after them are taken.
    pub fn play(&self, token: &str, acts: &[Act]) {
        let mut scripts = self.inner.scripts.lock().unwrap();
        scripts
            .entry(token.to_owned())
            .or_default()
            .extend(acts.iter().cloned());
    }

    /// What becomes of the next questions for an access token.
    pub fn play_grants(&self, acts: &[Act]) {
        self.inner
            .token_script
            .lock()
            .unwrap()
            .extend(acts.iter().cloned());
    }

    /// How long access tokens are good from now on, in seconds.
    pub fn set_life(&self, seconds: u64) {
        self.inner.life.store(seconds, Ordering::SeqCst);
    }

    /// Refuses all access tokens given so far.
    pub fn withdraw(&self) {
        self.inner.granted.lock().unwrap().clear();
    }

    /// How many access tokens were given and are not withdrawn.
    #[must_use]
    pub fn grants(&self) -> usize {
        self.inner.granted.lock().unwrap().len()
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// What was wrong with requests.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.inner.faults.lock().unwrap().clone()
    }

    /// Messages that were taken, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        self.inner.taken.lock().unwrap().clone()
    }

    /// How many well-formed messages came for a device, whatever became of them.
    #[must_use]
    pub fn calls(&self, token: &str) -> usize {
        self.inner
            .called
            .lock()
            .unwrap()
            .iter()
            .filter(|m| m["token"] == token)
            .count()
    }

    /// Waits until so many messages were taken, and hands them out.
    pub async fn wait_for(&self, count: usize) -> Vec<Value> {
        self.wait(|| self.taken().len() >= count).await;
        self.taken()
    }

    /// Waits until so many messages came for a device.
    pub async fn wait_for_calls(&self, token: &str, count: usize) {
        self.wait(|| self.calls(token) >= count).await;
    }

    async fn wait(&self, until: impl Fn() -> bool) {
        let waited = tokio::time::timeout(LONG, async {
            while !until() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        if waited.await.is_err() {
            panic!(
                "nothing came: taken {:?}, faults {:?}",
                self.taken(),
                self.faults()
            );
        }
    }
}

async fn grant(State(inner): State<Arc<Inner>>, Form(ask): Form<Ask>) -> Response {
    let act = inner.token_script.lock().unwrap().pop_front();
    if let Some(act) = act {
        return play(act).await;
    }
    let fault = if ask.grant_type == "urn:ietf:params:oauth:grant-type:jwt-bearer" {
        fault_of(&ask.assertion, &inner.token_url)
    } else {
        Some(format!("grant_type {}", ask.grant_type))
    };
    if let Some(fault) = fault {
        inner.faults.lock().unwrap().push(fault);
        return unauthenticated();
    }
    let mut granted = inner.granted.lock().unwrap();
    let token = format!(
        "access-{}-{}",
        granted.len(),
        inner.connections.load(Ordering::SeqCst)
    );
    granted.push(token.clone());
    let life = inner.life.load(Ordering::SeqCst);
    Json(json!({ "access_token": token, "expires_in": life, "token_type": "Bearer" })).into_response()
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    if !inner.granted.lock().unwrap().iter().any(|token| token == bearer) {
        return unauthenticated();
    }
    let faults = faults_of(&body);
    if let Some(first) = faults.first() {
        let response = invalid(first);
        inner.faults.lock().unwrap().extend(faults);
        return response;
    }
    let message = body["message"].clone();
    inner.called.lock().unwrap().push(message.clone());
    let token = message["token"].as_str().unwrap_or_default();
    let act = inner
        .scripts
        .lock()
        .unwrap()
        .get_mut(token)
        .and_then(VecDeque::pop_front);
    if let Some(act) = act {
        return play(act).await;
    }
    inner.taken.lock().unwrap().push(message);
    Json(json!({ "name": format!("projects/{PROJECT}/messages/1") })).into_response()
}
