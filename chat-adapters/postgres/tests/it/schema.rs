//! Schemas: made once, of one version, by script, side by side, and named.

use std::sync::Arc;

use crate::changes::{group, send};
use crate::space::{execute, on, pool, raw, space};
use chat_core::store::ConversationStore;
use chat_core::time::SystemClock;
use chat_postgres::{OpenError, PostgresConfig, PostgresStore, SchemaName, schema_sql};
use futures::future::join_all;
use sqlx::{AssertSqlSafe, Row};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_that_start_together_run_once() {
    let url = url_or_return!("migrations");
    let (_guard, config) = space(&url);
    let nodes = (0..6).map(|_| {
        let (url, config) = (url.clone(), config.clone());
        tokio::spawn(async move { on(&url, &config).await })
    });
    for node in join_all(nodes).await {
        node.unwrap();
    }
    let mut connection = raw(&url).await;
    let text = format!("SELECT count(*) FROM \"{}\".chat_migrations", config.schema);
    let rows = sqlx::query(AssertSqlSafe(text))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(rows.get::<i64, _>(0), 1);
    on(&url, &config.with_migrate(false)).await;
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() {
    let url = url_or_return!("versions");
    let (_guard, config) = space(&url);
    let pool = pool(&url, 2).await;
    let try_open = async |config: &PostgresConfig| {
        let opened = PostgresStore::open(pool.clone(), config.clone(), Arc::new(SystemClock));
        opened.await.unwrap_err()
    };
    let unmigrated = try_open(&config.clone().with_migrate(false)).await;
    assert!(matches!(
        unmigrated,
        OpenError::SchemaOlder { found: 0, known: 1 }
    ));
    PostgresStore::migrate(&pool, &config).await.unwrap();
    PostgresStore::migrate(&pool, &config).await.unwrap();
    let mut connection = raw(&url).await;
    let schema = &config.schema;
    execute(
        &mut connection,
        format!(
            "INSERT INTO \"{schema}\".chat_migrations (version, description, checksum) VALUES (9, 'future', '\\x00')"
        ),
    )
    .await;
    for migrate in [true, false] {
        let error = try_open(&config.clone().with_migrate(migrate)).await;
        assert!(
            matches!(error, OpenError::SchemaNewer { found: 9, known: 1 }),
            "{error:?}"
        );
        assert!(error.to_string().contains("version 9"));
    }
    execute(
        &mut connection,
        format!(
            "DELETE FROM \"{schema}\".chat_migrations WHERE version = 9; \
             UPDATE \"{schema}\".chat_migrations SET checksum = '\\x00'"
        ),
    )
    .await;
    for migrate in [true, false] {
        let error = try_open(&config.clone().with_migrate(migrate)).await;
        assert!(
            matches!(error, OpenError::SchemaForeign { version: 1 }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn the_script_makes_what_a_migration_makes() {
    let url = url_or_return!("script");
    let (_first, migrated) = space(&url);
    let (_second, scripted) = space(&url);
    on(&url, &migrated).await;
    let mut connection = raw(&url).await;
    execute(&mut connection, schema_sql(&scripted.schema)).await;
    let store = on(&url, &scripted.clone().with_migrate(false)).await;
    let (id, users) = group(&store, 2).await;
    assert!(store.commit(&[send(id, &users[0], "hi", "key")]).await.unwrap()[0].is_ok());
    let mut shapes = Vec::new();
    for schema in [&migrated.schema, &scripted.schema] {
        let rows = sqlx::query(
            "SELECT indexdef AS line FROM pg_indexes WHERE schemaname = $1 UNION ALL \
             SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable \
             FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1",
        )
        .bind(schema.as_str())
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| row.get::<String, _>(0).replace(schema.as_str(), "chat"))
            .collect();
        shapes.push(lines);
    }
    assert!(shapes[0].len() > 100);
    assert_eq!(shapes[0], shapes[1]);
}

#[tokio::test]
async fn two_schemas_know_nothing_of_each_other() {
    let url = url_or_return!("schemas");
    let (_first, one) = space(&url);
    let (_second, two) = space(&url);
    let (one, two) = (on(&url, &one).await, on(&url, &two).await);
    let (id, _) = group(&one, 2).await;
    assert!(two.conversations(&[id]).await.unwrap().is_empty());
    assert_ne!(one.sync_epoch().await.unwrap(), two.sync_epoch().await.unwrap());
}

#[tokio::test]
async fn a_schema_name_has_to_be_one() {
    assert!(matches!(
        SchemaName::new("chat\"; DROP SCHEMA public"),
        Err(OpenError::SchemaName)
    ));
    let bad = PostgresStore::connect(
        "mysql://localhost/chat",
        PostgresConfig::default(),
        Arc::new(SystemClock),
    )
    .await;
    assert!(matches!(bad.unwrap_err(), OpenError::Url(_)));
}
