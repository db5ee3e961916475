//! The schema and its versions.

use std::fmt::Write as _;

use sqlx::migrate::{Migration, MigrationType};
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{AssertSqlSafe, PgPool, Row, SqlSafeStr};

use crate::error::OpenError;
use crate::schema_name::{SchemaName, qualify};

/// The oldest server with all that is used: multiranges came with it.
const NEEDED_SERVER: i64 = 14;
/// Our own table of applied migrations, so that a host's stay untouched.
const TABLE: &str = "CREATE TABLE chat_migrations (version int8 PRIMARY KEY, description text NOT NULL, \
    checksum bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());\n";
const SEARCH: &str = include_str!("../migrations/search.sql");

fn migrations() -> Vec<Migration> {
    vec![Migration::new(
        1,
        "init".into(),
        MigrationType::Simple,
        include_str!("../migrations/0001_init.sql").into_sql_str(),
        false,
    )]
}

fn known(migrations: &[Migration]) -> i64 {
    migrations
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// What makes the present schema in an empty database, as one script: for hosts whose own tool migrates. It can be run
/// by a role that may do more than the one the store uses.
#[must_use]
pub fn schema_sql(schema: &SchemaName) -> String {
    let mut script = format!("BEGIN;\nCREATE SCHEMA IF NOT EXISTS \"{schema}\";\n");
    script.push_str(&qualify(TABLE, schema));
    for migration in migrations() {
        script.push_str(&step(&migration, schema));
        script.push('\n');
    }
    script.push_str(&qualify(SEARCH, schema));
    script.push_str("COMMIT;\n");
    script
}

/// A migration, and the row that says that it was applied.
fn step(migration: &Migration, schema: &SchemaName) -> String {
    let mut checksum = String::with_capacity(migration.checksum.len() * 2);
    for byte in migration.checksum.iter() {
        // Writing to a string does not fail.
        let _written = write!(checksum, "{byte:02x}");
    }
    let (version, description) = (migration.version, &migration.description);
    let row = format!(
        ";\nINSERT INTO chat_migrations (version, description, checksum) \
         VALUES ({version}, '{description}', '\\x{checksum}');\n"
    );
    qualify(migration.sql.as_str().trim_end().trim_end_matches(';'), schema) + &qualify(&row, schema)
}

/// A statement that leaves nothing prepared on the connection.
pub(crate) fn once<'q>(text: impl SqlSafeStr) -> sqlx::query::Query<'q, sqlx::Postgres, PgArguments> {
    sqlx::query(text).persistent(false)
}

async fn run(connection: &mut PgConnection, text: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await?;
    Ok(())
}

/// Brings the schema up to date, in one transaction under a lock: of several nodes that start at once one migrates
/// and the others find it done.
pub(crate) async fn migrate(pool: &PgPool, schema: &SchemaName) -> Result<(), OpenError> {
    let mut transaction = pool.begin().await?;
    check_server(&mut transaction).await?;
    run(
        &mut transaction,
        format!(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
             SELECT pg_advisory_xact_lock(hashtextextended('chat schema {schema}', 0))"
        ),
    )
    .await?;
    let migrations = migrations();
    let made = once("SELECT to_regnamespace($1) IS NOT NULL")
        .bind(format!("\"{schema}\""))
        .fetch_one(&mut *transaction)
        .await?;
    if !made.try_get::<bool, _>(0)? {
        run(&mut transaction, format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    if !has_migrations(&mut transaction, schema).await? {
        run(&mut transaction, qualify(TABLE, schema)).await?;
    }
    let applied = applied(&mut transaction, schema).await?;
    compare(&migrations, &applied, true)?;
    for migration in &migrations {
        if !applied.iter().any(|(version, _)| *version == migration.version) {
            run(&mut transaction, step(migration, schema)).await?;
        }
    }
    install_trigrams(&mut transaction).await?;
    run(&mut transaction, qualify(SEARCH, schema)).await?;
    transaction.commit().await?;
    Ok(())
}

/// Installs `pg_trgm` where this role may, and goes on without where it may not.
async fn install_trigrams(connection: &mut PgConnection) -> Result<(), OpenError> {
    let missing = once(
        "SELECT NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'), \
         pg_advisory_xact_lock(hashtextextended('chat pg_trgm', 0)) IS NULL",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !missing.try_get::<bool, _>(0)? {
        return Ok(());
    }
    run(connection, "SAVEPOINT trigrams".to_owned()).await?;
    match run(connection, "CREATE EXTENSION IF NOT EXISTS pg_trgm".to_owned()).await {
        Ok(()) => {}
        Err(sqlx::Error::Database(refusal)) => {
            run(connection, "ROLLBACK TO SAVEPOINT trigrams".to_owned()).await?;
            tracing::warn!(
                reason = refusal.message(),
                "the extension pg_trgm cannot be installed: searches go through all a user may see"
            );
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Refuses a server and a schema that are not what this version was written for.
pub(crate) async fn check(connection: &mut PgConnection, schema: &SchemaName) -> Result<(), OpenError> {
    check_server(connection).await?;
    let migrations = migrations();
    let applied = if has_migrations(connection, schema).await? {
        applied(connection, schema).await?
    } else {
        Vec::new()
    };
    compare(&migrations, &applied, false)
}

async fn check_server(connection: &mut PgConnection) -> Result<(), OpenError> {
    let row = once(
        "SELECT current_setting('server_version_num')::int8 / 10000, current_setting('server_encoding'), \
         current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')",
    )
    .fetch_one(connection)
    .await?;
    let (found, encoding): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
    if found < NEEDED_SERVER {
        return Err(OpenError::ServerOlder {
            found,
            needed: NEEDED_SERVER,
        });
    }
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { found: encoding });
    }
    for (setting, index) in [("fsync", 2), ("full_page_writes", 3)] {
        if row.try_get::<&str, _>(index)? == "off" {
            tracing::warn!(
                setting,
                "the server has it off: an answered message may be lost when the machine stops"
            );
        }
    }
    if row.try_get::<&str, _>(4)? == "off" {
        tracing::warn!(
            "synchronous_commit is off for this role; transactions of the chat turn it on for themselves"
        );
    }
    Ok(())
}

async fn has_migrations(connection: &mut PgConnection, schema: &SchemaName) -> Result<bool, sqlx::Error> {
    let row = once("SELECT to_regclass($1) IS NOT NULL")
        .bind(format!("\"{schema}\".chat_migrations"))
        .fetch_one(connection)
        .await?;
    row.try_get(0)
}

async fn applied(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    let text = qualify("SELECT version, checksum FROM chat_migrations", schema);
    let rows = once(AssertSqlSafe(text)).fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// Whether what was applied is what is known; `older` says whether fewer are fine.
fn compare(known_ones: &[Migration], applied: &[(i64, Vec<u8>)], older: bool) -> Result<(), OpenError> {
    let known = known(known_ones);
    let found = applied.iter().map(|(version, _)| *version).max().unwrap_or(0);
    if found > known {
        return Err(OpenError::SchemaNewer { found, known });
    }
    for migration in known_ones {
        match applied.iter().find(|(version, _)| *version == migration.version) {
            Some((_, checksum)) if *checksum == *migration.checksum => {}
            Some((version, _)) => return Err(OpenError::SchemaForeign { version: *version }),
            None if older => {}
            None => return Err(OpenError::SchemaOlder { found, known }),
        }
    }
    Ok(())
}
