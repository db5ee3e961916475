//! Where the tables lie, and statements that name them there.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::error::OpenError;

/// Every table. Statements name them bare; [`qualify`] puts the schema before them, because a host's connections have
/// a search path of their own.
pub(crate) const TABLES: &[&str] = &[
    "chat_account_sessions",
    "chat_accounts",
    "chat_advances",
    "chat_attachments",
    "chat_audit",
    "chat_blocks",
    "chat_conversations",
    "chat_devices",
    "chat_former_texts",
    "chat_hides",
    "chat_members",
    "chat_mentions",
    "chat_message_files",
    "chat_messages",
    "chat_migrations",
    "chat_mutes",
    "chat_outbox",
    "chat_reactions",
    "chat_report_files",
    "chat_reports",
    "chat_running",
    "chat_scheduled",
    "chat_stars",
    "chat_state",
    "chat_users",
];

/// Name of a database schema: lower-case letters, digits and underscores, at most 63, not starting with a digit or
/// with `pg_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemaName(String);

impl SchemaName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`OpenError::SchemaName`].
    pub fn new(name: impl Into<String>) -> Result<Self, OpenError> {
        let name = name.into();
        let fits = name.len() <= 63
            && !name.starts_with("pg_")
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if fits {
            Ok(Self(name))
        } else {
            Err(OpenError::SchemaName)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for SchemaName {
    /// `chat`.
    fn default() -> Self {
        Self("chat".to_owned())
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Puts the schema before every bare name of a table of ours.
pub(crate) fn qualify(text: &str, schema: &SchemaName) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut qualified = String::with_capacity(text.len() + 128);
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        qualified.push_str(before);
        if TABLES.contains(&word) && !qualified.ends_with('.') {
            qualified.push('"');
            qualified.push_str(schema.as_str());
            qualified.push_str("\".");
        }
        qualified.push_str(word);
        rest = after;
    }
    qualified.push_str(rest);
    qualified
}

/// Statements by their bare text, each qualified once.
pub(crate) struct Texts {
    schema: SchemaName,
    known: RwLock<HashMap<&'static str, SqlStr>>,
}

impl Texts {
    pub(crate) fn new(schema: SchemaName) -> Self {
        Self {
            schema,
            known: RwLock::default(),
        }
    }

    pub(crate) const fn schema(&self) -> &SchemaName {
        &self.schema
    }

    pub(crate) fn get(&self, text: &'static str) -> SqlStr {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(qualified) = known.get(text) {
            return qualified.clone();
        }
        drop(known);
        let qualified: std::sync::Arc<str> = qualify(text, &self.schema).into();
        // The text is a constant of ours, and the name was checked.
        let qualified = AssertSqlSafe(qualified).into_sql_str();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(text, qualified.clone());
        qualified
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Texts").field(&self.schema).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_qualified_and_nothing_else() {
        let schema = SchemaName::new("app").unwrap();
        let text =
            "CREATE INDEX chat_users_email ON chat_users (email); SELECT chat_users.id FROM x.chat_users";
        assert_eq!(
            qualify(text, &schema),
            "CREATE INDEX chat_users_email ON \"app\".chat_users (email); \
             SELECT \"app\".chat_users.id FROM x.chat_users"
        );
        assert_eq!(qualify("", &schema), "");
    }

    #[test]
    fn every_table_of_the_migrations_is_known() {
        for line in include_str!("../migrations/0001_init.sql").lines() {
            let table = line
                .strip_prefix("CREATE TABLE ")
                .or_else(|| line.strip_prefix("CREATE UNLOGGED TABLE "));
            if let Some(rest) = table {
                let name = rest.split(' ').next().unwrap();
                assert!(TABLES.contains(&name), "{name}");
            }
        }
    }

    #[test]
    fn bad_names_are_refused() {
        for name in [
            "",
            "Chat",
            "1chat",
            "pg_chat",
            "a b",
            "a\"b",
            "ä",
            &"x".repeat(64),
        ] {
            assert!(SchemaName::new(name).is_err(), "{name}");
        }
        assert_eq!(SchemaName::new("tenant_1").unwrap().as_str(), "tenant_1");
    }
}
