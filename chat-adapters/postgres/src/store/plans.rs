//! The plans PostgreSQL makes for hot statements, as tests: a rewrite that loses its index fails here, not in
//! production.
//!
//! Tables of a test are small, and a small table is rightly read whole. So the tests ask for the plan that PostgreSQL
//! makes where reading whole tables is the last resort and rows are joined one by one, for whatever parameters: a table that
//! is read whole then has no index that helps. What is chosen where tables are large is in `docs/adapters.md`.

use std::sync::Arc;

use chat_conformance::fixtures::{self, AnyStore, Room, append};
use chat_conformance::opened;
use chat_core::store::{Change, ConversationStore, MembersNeeded, Needs, Target, Writes};
use chat_core::time::SystemClock;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use uuid::Uuid;

use super::{
    PostgresStore, attachment, block, conversation, edit, facts, history, inbox, mention, message,
    moderation, outbox, personal, purge, reaction, receipt, retention, scheduled, search, star, sync, user,
};
use crate::schema_name::{SchemaName, qualify};
use crate::{PostgresConfig, schema};

/// Every statement that runs often, by name.
const HOT: &[(&str, &str)] = &[
    ("facts of conversations", facts::CONVERSATIONS),
    ("facts of directs", facts::CONVERSATIONS_AND_PAIRS),
    ("facts of members", facts::MEMBERS),
    ("facts of all members", facts::ALL_MEMBERS),
    ("facts of a send", facts::REPLAYS),
    ("facts of messages", facts::MESSAGES),
    ("facts of hides", facts::HIDDEN),
    ("facts of reactions", facts::REACTIONS),
    ("facts of blocks", facts::BLOCKS),
    ("facts of files in use", facts::FILE_USES),
    ("facts of pins", facts::PINS),
    ("facts of restrictions", facts::RESTRICTIONS),
    ("facts of open reports", moderation::OPEN_AMONG),
    ("inbox", inbox::LIST),
    ("inbox by id", inbox::BY_ID),
    ("badge", inbox::TOTALS),
    ("counts of the list", inbox::COUNTS),
    ("mentions", mention::LIST),
    ("history", history::ANY),
    ("history of texts", history::TEXT),
    ("history of a kind", history::OTHER),
    ("search", search::PROPOSED),
    ("search of a short text", search::SCANNED),
    ("changed conversations", sync::CHANGED),
    ("changed conversations of several", sync::CHANGED_FOR),
    ("rev at a position", sync::REV_BELOW),
    ("changed messages", sync::MESSAGES),
    ("changed and expired messages", sync::EXPIRED),
    ("changed hides", sync::HIDES),
    ("marks", receipt::FIRST_STEPS),
    ("marks before blocks", receipt::BEFORE_BLOCKS),
    ("reactions", reaction::SUMMARIES),
    ("purge, 0", purge::STEPS[0]),
    ("purge, 1", purge::STEPS[1]),
    ("purge, 2", purge::STEPS[2]),
    ("purge, 3", purge::STEPS[3]),
    ("purge, 4", purge::STEPS[4]),
    ("purge, 5", purge::STEPS[5]),
    ("purge, 6", purge::STEPS[6]),
    ("due by policy", retention::DUE_BY_POLICY),
    ("due by themselves", retention::DUE_BY_THEMSELVES),
    ("oldest messages", retention::OLDEST),
    ("superseded steps", retention::SUPERSEDED),
    ("memberships", personal::MEMBERSHIPS),
    ("sent messages", personal::SENT),
    ("reactions of a user", personal::REACTIONS),
    ("hides of a user", personal::HIDES),
    ("steps of a user", personal::STEPS),
    ("blocks of a user", personal::BLOCKS),
    ("uploads of a user", personal::UPLOADS),
    ("reports of a user", personal::REPORTS),
    ("erased rows, 0", personal::ERASE[0]),
    ("erased rows, 1", personal::ERASE[1]),
    ("erased rows, 2", personal::ERASE[2]),
    ("erased rows, 3", personal::ERASE[3]),
    ("erased rows, 4", personal::ERASE[4]),
    ("erased rows, 5", personal::ERASE[5]),
    ("erased rows, 6", personal::ERASE[6]),
    ("erased rows, 7", personal::ERASE[7]),
    ("due entries", outbox::DUE),
    ("claims of entries", outbox::CLAIM),
    ("entries of a lease", outbox::RELEASE),
    ("keys with entries", outbox::KEYS),
    ("backlog", outbox::BACKLOG),
    ("pending scheduled messages", scheduled::PENDING),
    ("scheduled messages", scheduled::LIST),
    ("changed scheduled messages", scheduled::CHANGED),
    ("whether one is due", scheduled::IS_DUE),
    ("claims of scheduled messages", scheduled::CLAIM),
    ("old scheduled messages", scheduled::FORGET),
    ("messages", message::GET),
    ("hidden among", message::HIDDEN),
    ("personal facts", message::PERSONAL),
    ("pinned messages", message::PINNED),
    ("expired messages", message::EXPIRED),
    ("former texts", edit::LIST),
    ("starred messages", star::STARRED),
    ("starred among", star::AMONG),
    ("changed stars", star::CHANGES),
    ("count of stars", star::COUNT),
    ("messages that show a file", attachment::SHOWN_BY),
    ("files to sweep", attachment::STALE),
    ("evidence", moderation::EVIDENCE),
    ("log of a target", moderation::LOG_OF_TARGET),
    ("log of an actor", moderation::LOG_OF_ACTOR),
    ("log of an action", moderation::LOG_OF_ACTION),
    ("blocks among", block::AMONG),
    ("conversations", conversation::GET),
    ("a direct", conversation::DIRECT),
    ("members", conversation::MEMBERS),
    ("members of several", conversation::MEMBERS_OF),
    ("member ids", conversation::MEMBER_IDS),
    ("contacts", conversation::CONTACTS),
    ("search of people", user::PROPOSED),
];

/// Read in the order of an index until a page is full, from one end of it or from a place.
const IN_ORDER: &[(&str, &str, &str)] = &[
    ("reports", moderation::NEWEST, "chat_reports_newest"),
    ("open reports", moderation::NEWEST_OPEN, "chat_reports_open"),
    ("closed reports", moderation::NEWEST_CLOSED, "chat_reports_closed"),
    ("log", moderation::LOG, "chat_audit_at"),
];

/// The index a statement is there for.
const MADE_FOR: &[(&str, &str)] = &[
    (history::ANY, "chat_messages_pkey"),
    (history::OTHER, "chat_messages_kind"),
    (inbox::LIST, "chat_messages_unread"),
    (inbox::TOTALS, "chat_messages_unread"),
    (inbox::LIST, "chat_members_user"),
    (facts::REPLAYS, "chat_messages_client_id"),
    (sync::MESSAGES, "chat_messages_rev"),
    (sync::EXPIRED, "chat_messages_rev"),
    (sync::HIDES, "chat_hides_rev"),
    (receipt::FIRST_STEPS, "chat_advances_pkey"),
    (star::STARRED, "chat_stars_active"),
    (star::CHANGES, "chat_stars_rev"),
    (message::PINNED, "chat_messages_pins"),
    (message::EXPIRED, "chat_messages_expiry"),
    (mention::LIST, "chat_mentions_time"),
    (mention::LIST, "chat_messages_all"),
    (retention::DUE_BY_POLICY, "chat_conversations_oldest"),
    (retention::DUE_BY_THEMSELVES, "chat_conversations_due"),
    (scheduled::LIST, "chat_scheduled_list"),
    (scheduled::CHANGED, "chat_scheduled_changed"),
    (scheduled::IS_DUE, "chat_scheduled_due"),
    (scheduled::CLAIM, "chat_scheduled_due"),
    (scheduled::FORGET, "chat_scheduled_over"),
    (outbox::DUE, "chat_outbox_due"),
    (moderation::LOG_OF_TARGET, "chat_audit_target"),
    (moderation::LOG_OF_ACTOR, "chat_audit_actor"),
    (moderation::LOG_OF_ACTION, "chat_audit_action"),
];

/// In an empty table every index is as good as any other.
const SOME_REPORTS: &str = "INSERT INTO chat_reports (id, reporter, target_kind, target_id, user_id, reason, created_at) \
    SELECT gen_random_uuid(), 'r' || n, 'user', 'u' || n, 'u' || n, 'spam', n FROM generate_series(1, 2000) n; \
    ANALYZE chat_reports";

/// One step of a plan.
#[derive(Debug)]
struct Step {
    sort: String,
    table: Option<String>,
    index: Option<String>,
    bounded: bool,
}

impl Step {
    /// Whether it goes through a whole table or a whole index.
    fn walks(&self) -> bool {
        match self.sort.as_str() {
            "Seq Scan" => true,
            "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => !self.bounded,
            _ => false,
        }
    }
}

fn steps(plan: &Value, found: &mut Vec<Step>) {
    let text = |name: &str| plan.get(name).and_then(Value::as_str).map(str::to_owned);
    found.push(Step {
        sort: text("Node Type").unwrap_or_default(),
        table: text("Relation Name"),
        index: text("Index Name"),
        bounded: plan.get("Index Cond").is_some(),
    });
    for inner in plan.get("Plans").and_then(Value::as_array).into_iter().flatten() {
        steps(inner, found);
    }
}

/// A schema with a session for questions about plans.
struct Bench {
    session: PgConnection,
    schema: SchemaName,
}

fn url() -> Option<String> {
    std::env::var("CHAT_TEST_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
}

async fn session(url: &str) -> PgConnection {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    options.disable_statement_logging().connect().await.unwrap()
}

impl Bench {
    /// One of its own, to be [dropped](Self::drop).
    async fn new(case: &str) -> Option<Self> {
        let url = opened(url(), "postgres", case)?;
        let schema = SchemaName::new(format!("chat_{}", Uuid::now_v7().simple())).unwrap();
        let config = PostgresConfig::default()
            .with_schema(schema.clone())
            .with_connections(1)
            .with_migrate(true);
        let store = PostgresStore::connect(&url, config, Arc::new(SystemClock));
        store.await.unwrap().close().await;
        let mut bench = Self {
            session: session(&url).await,
            schema,
        };
        bench.run(SOME_REPORTS).await;
        bench
            .run(
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
                 SET enable_mergejoin = off",
            )
            .await;
        Some(bench)
    }

    async fn run(&mut self, text: &str) {
        let text = AssertSqlSafe(qualify(text, &self.schema));
        sqlx::raw_sql(text).execute(&mut self.session).await.unwrap();
    }

    async fn plan(&mut self, name: &str, text: &str) -> Vec<Step> {
        self.plan_for(name, text, &nothings(text)).await
    }

    async fn plan_for(&mut self, name: &str, text: &str, parameters: &str) -> Vec<Step> {
        self.run(&format!("PREPARE question AS {text}")).await;
        let ask = format!("EXPLAIN (FORMAT JSON) EXECUTE question{parameters}");
        let row = schema::once(AssertSqlSafe(ask))
            .fetch_one(&mut self.session)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        self.run("DEALLOCATE question").await;
        let answer: Value = row.get(0);
        let mut found = Vec::new();
        steps(answer.pointer("/0/Plan").unwrap(), &mut found);
        found
    }

    async fn drop(mut self) {
        let text = format!("DROP SCHEMA \"{}\" CASCADE", self.schema);
        self.run(&text).await;
    }
}

/// NULL for every parameter of a statement: a generic plan does not look at them.
fn nothings(text: &str) -> String {
    let highest = (1..=20)
        .rev()
        .find(|number| {
            let name = format!("${number}");
            text.match_indices(&name).any(|(place, _)| {
                let next = text[place + name.len()..].chars().next();
                !next.is_some_and(|c| c.is_ascii_digit())
            })
        })
        .unwrap_or(0);
    if highest == 0 {
        String::new()
    } else {
        format!("({})", vec!["NULL"; highest].join(", "))
    }
}

#[tokio::test]
async fn no_hot_statement_reads_a_table_or_an_index_whole() {
    let Some(mut bench) = Bench::new("whole").await else {
        return;
    };
    let mut walks = Vec::new();
    for (name, text) in HOT {
        let plan = bench.plan(name, text).await.into_iter();
        walks.extend(plan.filter(Step::walks).map(|step| (name, step)));
    }
    assert!(walks.is_empty(), "{walks:#?}");
    bench.drop().await;
}

#[tokio::test]
async fn pages_of_everything_are_read_in_the_order_of_their_index() {
    let Some(mut bench) = Bench::new("order").await else {
        return;
    };
    for (name, text, index) in IN_ORDER {
        let plan = bench.plan(name, text).await;
        assert!(
            plan.iter().any(|step| step.index.as_deref() == Some(index)),
            "{name}: {plan:?}"
        );
        assert!(
            plan.iter()
                .all(|step| !["Sort", "Incremental Sort", "Seq Scan"].contains(&&*step.sort)),
            "{name}: {plan:?}"
        );
    }
    bench.drop().await;
}

#[tokio::test]
async fn hot_statements_use_the_index_made_for_them() {
    let Some(mut bench) = Bench::new("index").await else {
        return;
    };
    for (text, index) in MADE_FOR {
        let plan = bench.plan(index, text).await;
        assert!(
            plan.iter().any(|step| step.index.as_deref() == Some(index)),
            "{index}: {plan:#?}"
        );
    }
    bench.drop().await;
}

/// How many rows of a table a plan that was run has read.
fn rows_read(plan: &Value, table: &str) -> f64 {
    let number = |name: &str| plan.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let is_of_table = plan.get("Relation Name").and_then(Value::as_str) == Some(table);
    let own = if is_of_table {
        (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops")
    } else {
        0.0
    };
    let inner = plan.get("Plans").and_then(Value::as_array).into_iter().flatten();
    own + inner.map(|step| rows_read(step, table)).sum::<f64>()
}

#[tokio::test]
async fn a_page_of_the_list_reads_the_end_of_a_long_conversation_only() {
    const MESSAGES: usize = 4_000;
    let Some(url) = opened(url(), "postgres", "long") else {
        return;
    };
    let schema = SchemaName::new(format!("chat_{}", Uuid::now_v7().simple())).unwrap();
    let config = PostgresConfig::default()
        .with_schema(schema.clone())
        .with_migrate(true);
    let store = PostgresStore::connect(&url, config, Arc::new(SystemClock))
        .await
        .unwrap();
    let any: AnyStore = Arc::new(store.clone());
    let [me, other] = ["me", "other"].map(fixtures::user);
    let room = Room::group(&any, &[&me, &other]).await;
    let sends: Vec<Change> = (0..MESSAGES)
        .map(|_| append(room.id, fixtures::text(&other, "hello")))
        .collect();
    for answer in store.commit(&sends).await.unwrap() {
        answer.unwrap();
    }
    let mut needs = Needs::new(Target::Conversation(room.id));
    needs.members = MembersNeeded::Of(vec![me.clone()]);
    room.decide(needs, move |facts| {
        let mut row = facts.members[&me].clone();
        row.read_seq = MESSAGES as u64 - 5;
        row.unread_floor = row.read_seq;
        Writes {
            members: vec![row],
            ..Writes::default()
        }
    })
    .await;
    store.close().await;
    let mut bench = Bench {
        session: session(&url).await,
        schema,
    };
    // Where many conversations are mixed on the pages of the table, this is what the server does by itself.
    bench
        .run(
            "ANALYZE chat_messages; ANALYZE chat_members; ANALYZE chat_conversations; \
             SET plan_cache_mode = force_generic_plan; SET enable_indexscan = off; SET enable_indexonlyscan = off",
        )
        .await;
    let page = "('me', 0, false, false, 'default', NULL, NULL, NULL, NULL, 50, NULL, 0)";
    bench.run(&format!("PREPARE question AS {}", inbox::LIST)).await;
    let ask = AssertSqlSafe(format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE question{page}"));
    let row = schema::once(ask).fetch_one(&mut bench.session).await.unwrap();
    let answer: Value = row.get(0);
    let read = rows_read(answer.pointer("/0/Plan").unwrap(), "chat_messages");
    assert!((1.0..100.0).contains(&read), "{read} rows");
    bench.drop().await;
}

/// Parameters of the statements that are planned for theirs.
const PARAMETERS: &[(&str, &str)] = &[
    (
        search::PROPOSED,
        "('me', 0, false, 'about 123 ', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 20, '%about 123 %')",
    ),
    (
        search::SCANNED,
        "('me', 0, false, '12', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 20)",
    ),
    (
        user::PROPOSED,
        "('user-00012', 'user-00012', NULL, 20, '%user-00012%')",
    ),
];

/// Prints what each hot statement reads by in the schema that the example `scale_postgres` has filled, for `docs/adapters.md`.
#[tokio::test]
#[ignore = "needs a filled schema: run the example `scale_postgres`, then name its schema in CHAT_PLANS_SCHEMA"]
#[allow(clippy::print_stdout, reason = "what is printed goes into the documents")]
async fn plans_of_a_filled_schema() {
    let schema = SchemaName::new(std::env::var("CHAT_PLANS_SCHEMA").unwrap()).unwrap();
    let mut bench = Bench {
        session: session(&url().unwrap()).await,
        schema,
    };
    // A table of a few rows is rightly read whole.
    let large = format!(
        "SELECT relname::text FROM pg_class WHERE relnamespace = '\"{}\"'::regnamespace AND reltuples >= 1000",
        bench.schema
    );
    let rows = schema::once(AssertSqlSafe(large))
        .fetch_all(&mut bench.session)
        .await
        .unwrap();
    let large: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut whole = Vec::new();
    for (name, text) in HOT {
        let parameters = PARAMETERS.iter().find(|(of, _)| of == text);
        let mode = if parameters.is_some() {
            "auto"
        } else {
            "force_generic_plan"
        };
        bench.run(&format!("SET plan_cache_mode = {mode}")).await;
        let parameters = parameters.map_or_else(|| nothings(text), |(_, given)| (*given).to_owned());
        let mut by = Vec::new();
        for step in bench.plan_for(name, text, &parameters).await {
            if step.sort == "Seq Scan" && step.table.as_ref().is_some_and(|table| large.contains(table)) {
                whole.push((name, step.table.clone()));
            }
            let read = match (step.sort.as_str(), step.index, step.table) {
                ("Seq Scan", _, Some(table)) => Some(format!("all of `{table}`")),
                (_, Some(index), _) => Some(format!("`{index}`")),
                _ => None,
            };
            by.extend(read.filter(|read| !by.contains(read)));
        }
        println!("| {name} | {} |", by.join(", "));
    }
    assert!(whole.is_empty(), "read whole: {whole:?}");
}
