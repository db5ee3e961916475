//! Bad settings: one clear line, exit code 2.

use crate::process::refused;

#[tokio::test]
async fn a_bad_value_stops_the_start_with_one_line_that_names_it() {
    let cases = [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("HOST", "no such host"),
        ("CHAT_STORE", "oracle"),
        ("CHAT_MEDIA_URL", "s3://bucket"),
        ("CHAT_MEDIA_URL", "/plain/path"),
        ("CHAT_ACCOUNTS", "maybe"),
        ("CHAT_ALLOWED_ORIGINS", "example.com"),
        ("CHAT_FCM_CREDENTIALS", "/no/such/key.json"),
        ("CHAT_FCM_CREDENTIALS", "/etc/hostname"),
        ("CHAT_PUSHES", "loud"),
        ("CHAT_FCM_ENDPOINT", "http://127.0.0.1:1"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://host:port"),
        ("CHAT_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("CHAT_WEBHOOK_URL", "https://example.com/events"),
        ("RUST_LOG", "chat_core=loudly"),
        ("CHAT_DATA_DIR", "/dev/null/data"),
    ];
    for (variable, value) in cases {
        let output = refused(&[(variable, value)]).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}={value}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{variable}={value}: {stderr}");
        assert!(stderr.contains(variable), "{variable}={value}: {stderr}");
        assert!(output.stdout.is_empty(), "{variable}={value}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_used_stops_the_start_with_one_line() {
    let cases = [
        ("", ""),
        ("mysql://chat:secret@127.0.0.1/chat", ""),
        // Nobody listens on port 1.
        ("postgres://chat:secret@127.0.0.1:1/chat", ""),
        ("postgres://chat:secret@127.0.0.1:port/chat", ""),
        ("postgres://chat:secret@127.0.0.1:1/chat", "no schema"),
    ];
    for (url, schema) in cases {
        let settings = [
            ("CHAT_STORE", "postgres"),
            ("DATABASE_URL", url),
            ("CHAT_DATABASE_SCHEMA", schema),
        ];
        let output = refused(&settings).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{url}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{url}: {stderr}");
        let variable = if schema.is_empty() {
            "DATABASE_URL"
        } else {
            "CHAT_DATABASE_SCHEMA"
        };
        assert!(stderr.contains(variable), "{url}: {stderr}");
        assert!(!stderr.contains("secret"), "{url}: {stderr}");
    }
}

#[tokio::test]
async fn a_mongodb_that_cannot_be_used_stops_the_start_with_one_line() {
    let cases = [
        ("", "", "MONGODB_URL"),
        ("http://chat:secret@127.0.0.1/chat", "", "MONGODB_URL"),
        ("mongodb+srv://chat:secret@db.invalid/chat", "", "MONGODB_URL"),
        ("mongodb://chat:secret@127.0.0.1:1", "", "MONGODB_URL"),
        ("mongodb://chat:secret@127.0.0.1:port/chat", "", "MONGODB_URL"),
        // Nobody listens on port 1.
        ("mongodb://chat:secret@127.0.0.1:1/chat", "", "MONGODB_URL"),
        (
            "mongodb://chat:secret@127.0.0.1:1/chat",
            "no prefix",
            "CHAT_MONGODB_PREFIX",
        ),
    ];
    for (url, prefix, variable) in cases {
        let settings = [
            ("CHAT_STORE", "mongodb"),
            ("MONGODB_URL", url),
            ("CHAT_MONGODB_PREFIX", prefix),
        ];
        let output = refused(&settings).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{url}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{url}: {stderr}");
        assert!(stderr.contains(variable), "{url}: {stderr}");
        assert!(!stderr.contains("secret"), "{url}: {stderr}");
    }
}

#[tokio::test]
async fn a_database_that_is_none_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.db");
    std::fs::write(&file, "this is no database, but somebody may need it").unwrap();
    let output = refused(&[("CHAT_DATA_DIR", folder.path().to_str().unwrap())]).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("CHAT_DATA_DIR"), "{stderr}");
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .starts_with("this is no database")
    );
}
