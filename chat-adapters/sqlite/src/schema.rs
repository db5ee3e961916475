//! The schema and its versions.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};

use crate::error::OpenError;

/// Our own table of applied migrations, so that a host's stay untouched.
const TABLE: &str = "chat_migrations";

fn migrator() -> Migrator {
    let init = Migration::new(
        1,
        "init".into(),
        MigrationType::Simple,
        include_str!("../migrations/0001_init.sql").into_sql_str(),
        false,
    );
    let mut migrator = Migrator::with_migrations(vec![init]);
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

fn known(migrator: &Migrator) -> i64 {
    migrator
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// Brings the schema up to date, in one transaction under the write lock: of several processes that start at once
/// one migrates and the others find it done.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let migrator = migrator();
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|error| refusal(error, known(&migrator)))?;
    transaction.commit().await?;
    Ok(())
}

/// Refuses a schema that is not the one this version was written for.
pub(crate) async fn check(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let migrator = migrator();
    let known = known(&migrator);
    let table = sqlx::query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'chat_migrations'")
        .fetch_optional(&mut *connection)
        .await?;
    if table.is_none() {
        return Err(OpenError::SchemaOlder { found: 0, known });
    }
    let applied = connection
        .list_applied_migrations(TABLE)
        .await
        .map_err(|error| refusal(error, known))?;
    let found = applied
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    if found > known {
        return Err(OpenError::SchemaNewer { found, known });
    }
    for migration in migrator.iter() {
        match applied
            .iter()
            .find(|applied| applied.version == migration.version)
        {
            None => return Err(OpenError::SchemaOlder { found, known }),
            Some(applied) if applied.checksum != migration.checksum => {
                return Err(OpenError::SchemaForeign {
                    version: migration.version,
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn refusal(error: MigrateError, known: i64) -> OpenError {
    match error {
        MigrateError::VersionMissing(found) if found > known => OpenError::SchemaNewer { found, known },
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
            OpenError::SchemaForeign { version }
        }
        MigrateError::Execute(error) => OpenError::Database(error),
        other => OpenError::Migration(other),
    }
}
