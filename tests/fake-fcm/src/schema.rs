//! The schema of `projects.messages.send` as published for FCM HTTP v1; what it does not name is refused.

use serde_json::{Map, Value};

/// What FCM takes of one message without its token, in bytes.
const BUDGET: usize = 4_096;

const MESSAGE: &[&str] = &[
    "name",
    "data",
    "notification",
    "android",
    "webpush",
    "apns",
    "fcm_options",
    "token",
    "topic",
    "condition",
];
const NOTIFICATION: &[&str] = &["title", "body", "image"];
const ANDROID: &[&str] = &[
    "collapse_key",
    "priority",
    "ttl",
    "restricted_package_name",
    "data",
    "notification",
    "fcm_options",
    "direct_boot_ok",
    "bandwidth_constrained_ok",
    "restricted_satellite_ok",
];
const ANDROID_NOTIFICATION: &[&str] = &[
    "title",
    "body",
    "icon",
    "color",
    "sound",
    "tag",
    "click_action",
    "body_loc_key",
    "body_loc_args",
    "title_loc_key",
    "title_loc_args",
    "channel_id",
    "ticker",
    "sticky",
    "event_time",
    "local_only",
    "notification_priority",
    "default_sound",
    "default_vibrate_timings",
    "default_light_settings",
    "vibrate_timings",
    "visibility",
    "notification_count",
    "light_settings",
    "image",
    "proxy",
];
const APNS: &[&str] = &["headers", "payload", "fcm_options", "live_activity_token"];
const APS: &[&str] = &[
    "alert",
    "badge",
    "sound",
    "thread-id",
    "category",
    "content-available",
    "mutable-content",
    "target-content-id",
    "interruption-level",
    "relevance-score",
];
const WEBPUSH: &[&str] = &["headers", "data", "notification", "fcm_options"];

#[derive(Default)]
struct Check {
    faults: Vec<String>,
}

impl Check {
    fn must(&mut self, good: bool, fault: impl Into<String>) {
        if !good {
            self.faults.push(fault.into());
        }
    }

    fn object<'v>(&mut self, value: &'v Value, path: &str, known: &[&str]) -> Option<&'v Map<String, Value>> {
        let Some(object) = value.as_object() else {
            self.faults.push(path.to_owned());
            return None;
        };
        for name in object.keys() {
            self.must(known.contains(&name.as_str()), format!("{path}.{name}"));
        }
        Some(object)
    }

    fn texts(&mut self, value: &Value, path: &str) {
        let object = value.as_object();
        let all = object.is_some_and(|object| object.values().all(Value::is_string));
        self.must(all, path);
    }

    fn android(&mut self, part: &Value) {
        if self.object(part, "message.android", ANDROID).is_none() {
            return;
        }
        if let Some(priority) = part.get("priority") {
            self.must(
                priority == "NORMAL" || priority == "HIGH",
                "message.android.priority",
            );
        }
        if let Some(ttl) = part.get("ttl") {
            let seconds = ttl
                .as_str()
                .and_then(|ttl| ttl.strip_suffix('s')?.parse::<u64>().ok());
            self.must(seconds.is_some_and(|s| s <= 28 * 86_400), "message.android.ttl");
        }
        if let Some(shown) = part.get("notification") {
            self.object(shown, "message.android.notification", ANDROID_NOTIFICATION);
            let count = &shown["notification_count"];
            self.must(
                count.is_null() || count.is_i64(),
                "message.android.notification.notification_count",
            );
        }
    }

    fn apns(&mut self, part: &Value) {
        if self.object(part, "message.apns", APNS).is_none() {
            return;
        }
        let headers = &part["headers"];
        self.texts(headers, "message.apns.headers");
        let aps = &part["payload"]["aps"];
        self.object(aps, "message.apns.payload.aps", APS);
        let background = headers["apns-push-type"] == "background";
        self.must(
            background || headers["apns-push-type"] == "alert",
            "apns-push-type",
        );
        // A background push has to be quiet, and must not be urgent.
        let quiet = aps.get("alert").is_none() && aps.get("sound").is_none() && aps["content-available"] == 1;
        self.must(
            !background || (quiet && headers["apns-priority"] == "5"),
            "apns background",
        );
        let key = headers["apns-collapse-id"].as_str().unwrap_or_default();
        self.must(key.len() <= 64, "apns-collapse-id");
    }

    fn webpush(&mut self, part: &Value) {
        if self.object(part, "message.webpush", WEBPUSH).is_none() {
            return;
        }
        let headers = &part["headers"];
        self.texts(headers, "message.webpush.headers");
        let ttl = headers["TTL"].as_str().and_then(|ttl| ttl.parse::<u64>().ok());
        self.must(ttl.is_some(), "TTL");
        let urgency = ["very-low", "low", "normal", "high"];
        self.must(urgency.iter().any(|one| headers["Urgency"] == **one), "Urgency");
        let topic = headers["Topic"].as_str().unwrap_or_default();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        self.must(topic.len() <= 32 && topic.bytes().all(plain), "Topic");
    }
}

/// What is wrong with the body of a request: fields that are unknown, of the wrong kind or out of bounds.
#[must_use]
pub fn faults_of(body: &Value) -> Vec<String> {
    let mut check = Check::default();
    check.object(body, "body", &["message", "validate_only"]);
    let message = &body["message"];
    if check.object(message, "message", MESSAGE).is_none() {
        return check.faults;
    }
    let targets = ["token", "topic", "condition"]
        .iter()
        .filter(|name| message.get(**name).is_some());
    check.must(targets.count() == 1, "message: one target");
    check.must(
        message["token"].as_str().is_some_and(|token| !token.is_empty()),
        "message.token",
    );
    if let Some(data) = message.get("data") {
        check.texts(data, "message.data");
        for name in data.as_object().into_iter().flat_map(Map::keys) {
            let reserved = name == "from"
                || name == "message_type"
                || name.starts_with("google.")
                || name.starts_with("gcm.");
            check.must(!reserved, format!("message.data.{name}"));
        }
    }
    if let Some(shown) = message.get("notification") {
        check.object(shown, "message.notification", NOTIFICATION);
        check.texts(shown, "message.notification");
    }
    for (name, part) in message.as_object().into_iter().flatten() {
        match name.as_str() {
            "android" => check.android(part),
            "apns" => check.apns(part),
            "webpush" => check.webpush(part),
            _ => {}
        }
    }
    let token = message["token"].as_str().unwrap_or_default().len();
    check.must(
        body.to_string().len() <= BUDGET + token,
        "message: over 4,096 bytes",
    );
    check.faults
}
