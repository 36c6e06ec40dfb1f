//! Every list and lookup uses an index: checked in the plans that PostgreSQL reports (`auto_explain`) for the statements of
//! a running server, over 200 000 conversations.
//!
//! Each filter of the test matches few rows: for one that matches nearly all, reading the table is the right plan. Each
//! request is repeated until PostgreSQL has decided whether to use a generic plan, which is checked too.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Mutex, Once};

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::{
    ApiServer, Backend, MY_CONVERSATIONS, MY_TICKETS, QUEUE, SEND, ScratchDatabase, TICKET, TICKETS, TestUser,
};

/// PostgreSQL considers a generic plan after five executions.
const TIMES: usize = 7;

/// Tables that grow.
const LARGE: [&str; 8] = [
    "conversations",
    "messages",
    "conversation_events",
    "conversation_origins",
    "searchable_texts",
    "users",
    "tickets",
    "handovers",
];

/// A search for a pair of characters.
const SHORT: &str = "?search=zz";

/// The notices that PostgreSQL has sent and `plans` has not taken yet.
static NOTICES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Collects PostgreSQL's notices from the driver's log.
struct NoticeLayer;

impl<S: tracing::Subscriber> Layer<S> for NoticeLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl Visit for Message {
            fn record_str(&mut self, field: &Field, value: &str) {
                if field.name() == "message" {
                    self.0.push_str(value);
                }
            }

            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    write!(self.0, "{value:?}").unwrap();
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        if message.0.contains("plan:") {
            NOTICES.lock().unwrap().push(message.0);
        }
    }
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let notices = tracing_subscriber::filter::Targets::new()
            .with_target("sqlx::postgres::notice", tracing::level_filters::LevelFilter::INFO);
        let subscriber = tracing_subscriber::registry().with(NoticeLayer.with_filter(notices));
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// 200 000 conversations of 50 000 customers with two messages and two events each, 1 % open; a hundred agents; tickets
/// of 10 %, and 90 000 of their own, 4 % open; and one long conversation.
const DATA: [&str; 28] = [
    "DROP INDEX searchable_texts_trigrams",
    "DROP INDEX searchable_texts_grams",
    "ALTER TABLE conversations DISABLE TRIGGER conversations_unsearchable",
    "ALTER TABLE tickets DISABLE TRIGGER tickets_unsearchable",
    "ALTER TABLE users DISABLE TRIGGER users_unsearchable",
    "DROP TRIGGER messages_unsearchable ON messages",
    "INSERT INTO users (id, is_agent, role, email, first_name, last_name, created_at, last_seen_at)
     SELECT 'user-' || g, g < 100, 'user', 'user-' || g || '@example.com', 'First' || g, 'Last' || g, now(), now()
     FROM generate_series(0, 49999) g",
    "INSERT INTO conversations (id, channel, user_id, email, status, assigned_to, assigned_name, assigned_at, version,
         last_seq, message_count, last_message, last_message_is_from_user, last_message_at, ticket_id, created_at,
         updated_at, last_event_at)
     SELECT md5(g::text)::uuid, CASE WHEN g % 200 = 7 THEN 'help_center' ELSE 'support' END,
         CASE WHEN g % 200 = 7 THEN 'visitor-' || g ELSE 'user-' || g % 50000 END,
         'user-' || g % 50000 || '@mail.test',
         CASE WHEN g % 300 = 1 THEN 'active' WHEN g % 300 = 2 THEN 'waiting_support' WHEN g % 300 = 3 THEN 'waiting_user'
             ELSE 'closed' END,
         CASE WHEN g % 300 <> 1 THEN 'user-' || g % 97 END, 'Agent', now(), 3, 2, 2, 'Hello', true,
         now() - g * interval '1 minute', CASE WHEN g % 10 = 5 THEN md5('ticket' || g)::uuid END,
         now() - g * interval '61 seconds', now() - g * interval '59 seconds', now() - g * interval '1 minute'
     FROM generate_series(1, 200000) g",
    "INSERT INTO messages (conversation_id, position, id, seq, body, is_internal, is_from_user, sender, sender_id,
         sender_email, client_message_id, created_at)
     SELECT md5((1 + g % 200000)::text)::uuid, 2 + g / 200000, gen_random_uuid(), 1 + g / 200000,
         'transfer ' || md5(g::text), false, true, 'account:user-' || g % 50000, 'user-' || g % 50000, 'x@mail.test',
         CASE WHEN g % 2 = 0 THEN 'send-' || g END, now()
     FROM generate_series(0, 399999) g",
    "INSERT INTO conversation_events (conversation_id, position, id, type, data, created_at)
     SELECT md5((1 + g)::text)::uuid, 1, gen_random_uuid(), 'created', '{}', now()
     FROM generate_series(0, 199999) g",
    "INSERT INTO messages (conversation_id, position, id, seq, body, is_internal, is_from_user, sender, sender_id,
         sender_email, created_at)
     SELECT md5('77')::uuid, g, gen_random_uuid(), g - 1, 'again and again', false, true, 'account:user-77', 'user-77',
         'x@mail.test', now()
     FROM generate_series(4, 5000) g",
    "UPDATE conversations SET status = 'waiting_user', version = 5000, last_seq = 4999, message_count = 4999 WHERE id = md5('77')::uuid",
    "INSERT INTO tickets (id, ticket_number, conversation_id, is_of_conversation, subject, description, support_type,
         status, priority, priority_rank, created_at, updated_at)
     SELECT ticket_id, 'SMI-2026-' || row_number() OVER (), id, true, 'Subject', 'Description', 'OTHER', 'pending',
         'low', 1, now(), now()
     FROM conversations WHERE ticket_id IS NOT NULL",
    "DROP INDEX tickets_search",
    "INSERT INTO tickets (id, ticket_number, conversation_id, is_of_conversation, user_id, email, subject, description,
         support_type, status, priority, priority_rank, assigned_to, created_at, updated_at)
     SELECT md5('own' || g)::uuid, 'SMI-2025-' || g, md5(g::text)::uuid, true, 'user-' || g % 50000,
         'user-' || g % 50000 || '@mail.test', 'Transfer ' || md5(g::text), 'It keeps failing',
         CASE WHEN g % 100 < 90 THEN 'OTHER' ELSE 'CARD_ISSUE' END,
         CASE WHEN g % 100 < 96 THEN 'closed' ELSE (ARRAY['pending', 'in_progress', 'escalated'])[1 + g % 3] END,
         CASE WHEN g % 100 < 98 THEN 'low' ELSE 'urgent' END, CASE WHEN g % 100 < 98 THEN 1 ELSE 4 END,
         'user-' || g % 97, now() - g * interval '1 minute', now() - g * interval '59 seconds'
     FROM generate_series(1, 100000) g WHERE g % 10 <> 5",
    "CREATE INDEX tickets_search ON tickets USING gin (ticket_number gin_trgm_ops, subject gin_trgm_ops,
         email gin_trgm_ops, phone_number gin_trgm_ops, description gin_trgm_ops)",
    "INSERT INTO handovers (id, conversation_id, from_id, from_name, to_id, to_name, status, created_at)
     SELECT gen_random_uuid(), id, 'user-1', 'One', 'user-2', 'Two', 'rejected', now() FROM conversations LIMIT 20000",
    "INSERT INTO tallies (share, closed) SELECT 1000, count(*) FROM conversations WHERE status = 'closed'",
    "INSERT INTO searchable_texts (conversation_id, kind, text)
     SELECT conversation_id, 0, lower(string_agg(body, U&'\\001F')) FROM messages GROUP BY conversation_id, position / 100",
    "INSERT INTO searchable_texts (conversation_id, kind, text) SELECT id, 1, lower(email) FROM conversations",
    "INSERT INTO searchable_texts (conversation_id, kind, text)
     SELECT conversation_id, 3, lower(ticket_number || U&'\\001F' || subject) FROM tickets",
    "INSERT INTO searchable_texts (conversation_id, kind, text) SELECT conversation_id, 4, lower(description) FROM tickets",
    "INSERT INTO searchable_texts (user_id, kind, text) SELECT id, 1, lower(first_name || ' ' || last_name) FROM users",
    "DELETE FROM unsearchable_rows",
    "CREATE TRIGGER messages_unsearchable AFTER INSERT ON messages REFERENCING NEW TABLE AS made
     FOR EACH STATEMENT EXECUTE FUNCTION list_unsearchable_messages()",
    "CREATE INDEX searchable_texts_trigrams ON searchable_texts USING gin (text gin_trgm_ops)
     WITH (fastupdate = on, gin_pending_list_limit = 65536)",
    "CREATE INDEX searchable_texts_grams ON searchable_texts USING gin (search_grams(text))
     WITH (fastupdate = on, gin_pending_list_limit = 65536) WHERE kind >= 0",
    "VACUUM ANALYZE",
];

/// Queries of the agents' list of conversations, and the index that each must use.
const QUEUE_QUERIES: [(&str, &str); 25] = [
    ("", "conversations_listed_last_message_at"),
    ("?page=500", "conversations_listed_last_message_at"),
    ("?sort_order=asc", "conversations_listed_last_message_at"),
    ("?sort_by=createdAt", "conversation_origins_created_at"),
    ("?sort_by=createdAt&sort_order=asc", "conversation_origins_created_at"),
    ("?sort_by=updatedAt", "conversations_listed_updated_at"),
    ("?sort_by=status", "conversations_listed_status"),
    ("?sort_by=status&sort_order=asc", "conversations_listed_status"),
    ("?status=waiting_support", "conversations_listed_status"),
    // Nearly all rows match, and either of two indexes serves; the one of the counts is checked.
    ("?status=closed", "conversations_listed_open"),
    ("?assigned_to=user-5", "conversations_listed_open"),
    ("?assigned_to=user-5&status=waiting_user", "conversations_listed_open"),
    ("?assigned_to=unassigned", "conversations_listed_open"),
    ("?user_id=user-77", "conversations_user_id_updated_at"),
    ("?has_ticket=true", "conversations_listed_ticket"),
    ("?channel=help_center", "conversations_listed_help_center"),
    ("?date_from=2100-01-01", "conversation_origins_created_at"),
    ("?search=ab12cd", "searchable_texts_trigrams"),
    ("?search=user-777%40mail", "searchable_texts_trigrams"),
    ("?search=Last4567", "searchable_texts_trigrams"),
    ("?search=0801234567", "searchable_texts_trigrams"),
    ("?search=%E8%BD%AC%E8%B4%A6", "searchable_texts_grams"),
    ("?search=%E8%BD%AC%E8%B4%A6%E5%A4%B1", "searchable_texts_grams"),
    ("?search=ab12cd&status=closed&sort_by=createdAt", "searchable_texts_trigrams"),
    (SHORT, "searchable_texts_grams"),
];

/// Queries of the agents' list of tickets, and the index that each must use.
const TICKET_QUERIES: [(&str, &str); 14] = [
    ("", "tickets_created_at"),
    ("?page=900", "tickets_created_at"),
    ("?sort_order=asc", "tickets_created_at"),
    ("?sort_by=updatedAt", "tickets_updated_at"),
    ("?sort_by=priority", "tickets_priority_rank"),
    ("?sort_by=status&sort_order=asc", "tickets_status"),
    ("?sort_by=support_type", "tickets_support_type"),
    ("?status=escalated", "tickets_status"),
    ("?assigned_to=user-5", "tickets_assigned_to"),
    ("?user_id=user-77", "tickets_user_id"),
    ("?date_from=2100-01-01", "tickets_created_at"),
    ("?search=ab12cd", "searchable_texts_trigrams"),
    ("?search=SMI-2025-777", "searchable_texts_trigrams"),
    ("?search=zz", "searchable_texts_grams"),
];

/// Makes PostgreSQL report the plans of every new connection.
async fn report(database: &ScratchDatabase) {
    let connection = database.connection().await;
    let name = url::Url::parse(&database.url).unwrap().path().trim_start_matches('/').to_owned();
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_level = 'notice'",
        "auto_explain.log_format = 'json'",
        "auto_explain.log_nested_statements = on",
    ] {
        connection.execute_unprepared(&format!("ALTER DATABASE {name} SET {setting}")).await.unwrap();
    }
}

/// The reported plans, each with its statement.
fn plans() -> Vec<(String, Value)> {
    let notices = std::mem::take(&mut *NOTICES.lock().unwrap());
    let plans = notices.iter().map(|notice| {
        let plan: Value = serde_json::from_str(&notice[notice.find('{').unwrap()..]).unwrap();
        (plan["Query Text"].as_str().unwrap_or_default().to_owned(), plan["Plan"].clone())
    });
    plans.collect()
}

/// All nodes of a plan, from the root.
fn nodes<'a>(plan: &'a Value, found: &mut Vec<&'a Value>) {
    found.push(plan);
    for child in plan["Plans"].as_array().into_iter().flatten() {
        nodes(child, found);
    }
}

/// All failures of the test.
#[derive(Default)]
struct Failures(String);

impl Failures {
    /// Checks the plans of the last requests: they read no large table sequentially, and use these indexes.
    fn check_plans(&mut self, question: &str, expected: &[&str]) {
        let plans = plans();
        let mut used = BTreeSet::new();
        for (statement, plan) in &plans {
            let mut all = Vec::new();
            nodes(plan, &mut all);
            for node in all {
                let kind = node["Node Type"].as_str().unwrap();
                let table = node["Relation Name"].as_str().unwrap_or_default();
                if kind == "Seq Scan" && LARGE.contains(&table) {
                    writeln!(self.0, "{question} reads all of {table}:\n{statement}\n{plan:#}").unwrap();
                }
                used.extend(node["Index Name"].as_str());
            }
        }
        for index in expected.iter().filter(|index| !used.contains(*index)) {
            writeln!(self.0, "{question} does not use {index}, but {used:?}").unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_and_lookup_uses_an_index() {
    listen();
    let database = ScratchDatabase::create(Backend::Postgres).await;
    drop(ApiServer::start(&database).await);
    let connection = database.connection().await;
    for statement in DATA {
        connection.execute_unprepared(statement).await.unwrap();
    }
    report(&database).await;
    let server = ApiServer::start(&database).await;
    let mut failures = Failures::default();
    let (customer, agent) = (TestUser::customer("user-77"), TestUser::agent("user-5"));
    for (query, index) in QUEUE_QUERIES {
        for _ in 0..TIMES {
            let answer = server.get(&agent, &format!("{QUEUE}{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        }
        // The counts use the index of open conversations.
        failures.check_plans(query, &[index, "conversations_listed_open"]);
    }
    let (id, ticket) = (md5(&connection, "77").await, md5(&connection, "own77").await);
    let own = TICKET_QUERIES.map(|(path, index)| (&agent, format!("{TICKETS}{path}"), index));
    let others = [
        (&customer, MY_CONVERSATIONS.to_owned(), "conversations_user_id_updated_at"),
        (&customer, format!("{MY_CONVERSATIONS}/{id}"), "messages_pkey"),
        (&customer, format!("{MY_CONVERSATIONS}/{id}?after_seq=4000&limit=20"), "messages_pkey"),
        (&customer, format!("{MY_CONVERSATIONS}/{id}?before_seq=4000&limit=20"), "messages_pkey"),
        (&agent, format!("{QUEUE}/{id}"), "handovers_conversation_id_created_at"),
        (&agent, format!("{QUEUE}/{id}?after_position=4000&limit=20"), "messages_pkey"),
        (&agent, format!("{QUEUE}/{id}?before_seq=4000&limit=20"), "messages_pkey"),
        (&agent, format!("{QUEUE}/{id}/timeline"), "conversation_events_pkey"),
        (&agent, format!("{QUEUE}/{id}/timeline?after_position=4000"), "messages_pkey"),
        (&agent, "/api/v1/unified-admin/support/agents".to_owned(), "users_agents"),
        (&agent, format!("{TICKETS}/{ticket}"), "tickets_pkey"),
        (&customer, MY_TICKETS.to_owned(), "tickets_user_id"),
        (&customer, format!("{TICKET}?ticket_number=SMI-2025-77"), "tickets_ticket_number"),
    ];
    for (who, path, index) in others.into_iter().chain(own) {
        for _ in 0..TIMES {
            assert_eq!(server.get(who, &path).await.status, 200, "{path}");
        }
        failures.check_plans(&path, &[index]);
    }
    // A repeated send to an actor that is not running: the state and the idempotency key are looked up.
    let body = json!({ "message": "once", "conversation_id": id, "client_message_id": "the-one-send" });
    for _ in 0..2 {
        let server = ApiServer::start(&database).await;
        assert_eq!(server.post(&customer, SEND, body.clone()).await.status, 201);
        failures.check_plans("a send", &["conversations_pkey", "messages_sender_client_message_id"]);
    }
    assert!(failures.0.is_empty(), "{}", failures.0);
}

/// The id of a row above.
async fn md5(connection: &sea_orm::DatabaseConnection, of: &str) -> uuid::Uuid {
    let statement =
        sea_orm::Statement::from_string(connection.get_database_backend(), format!("SELECT md5('{of}')::uuid AS id"));
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "id").unwrap()
}
