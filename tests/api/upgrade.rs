//! A database of the previous release, migrated by this one, answers every read request as it did before.
//!
//! `tests/upgrade/README.md` describes the database and how it is made.

use std::collections::HashMap;
use std::path::Path;

use entity::conversation_events;
use reqwest::Method;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard::identity::{TokenClaims, sign};

use crate::support::{ApiServer, Backend, SECRET, ScratchDatabase, TestUser, on_both_databases};

/// Fields that do not depend on the database alone: the request's id, and counts of days before the present one.
/// What this release adds, or shows although the previous one only stored it, is compared elsewhere.
const VARIABLE_FIELDS: [&str; 8] = [
    "request_id",
    "new_today",
    "new_this_week",
    "new_this_month",
    "read_up_to",
    "unread_count",
    "client_message_id",
    "clientMessageId",
];

/// Fields that the previous release did not have; the clients of that release ignore them.
const ADDED_FIELDS: [&str; 3] = ["resolution", "pending_handover", "handovers_to_me"];

/// `answers.json`.
#[derive(Deserialize)]
struct Fixture {
    people: HashMap<String, Value>,
    answers: Vec<Answer>,
}

/// What the previous release answered.
#[derive(Deserialize)]
struct Answer {
    person: Option<String>,
    path: String,
    status: u16,
    body: Value,
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade").join(name);
    std::fs::read_to_string(&path).unwrap()
}

impl Fixture {
    /// The answers on this engine, whose ids and times replace the placeholders.
    fn load(engine: &str) -> Self {
        let text = file("answers.json");
        let values: Value = serde_json::from_str::<Value>(&text).unwrap()["values"][engine].take();
        let values: Vec<String> = serde_json::from_value(values).unwrap();
        // Every second part is a placeholder's number: no text of the fixture has a `#` of its own.
        let filled: String = text
            .split('#')
            .enumerate()
            .map(|(index, part)| if index % 2 == 0 { part } else { &values[part.parse::<usize>().unwrap()] })
            .collect();
        serde_json::from_str(&filled).unwrap()
    }

    fn person(&self, name: Option<&str>) -> TestUser {
        let Some(name) = name else { return TestUser::anonymous() };
        let mut claims = self.people[name].clone();
        claims["exp"] = (chrono::Utc::now().timestamp() + 3600).into();
        let claims: TokenClaims = serde_json::from_value(claims).unwrap();
        TestUser { token: sign(&claims, &SecretString::from(SECRET)).unwrap() }
    }
}

fn remove_variable_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields
                .retain(|name, _| !VARIABLE_FIELDS.contains(&name.as_str()) && !ADDED_FIELDS.contains(&name.as_str()));
            fields.values_mut().for_each(remove_variable_fields);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_variable_fields),
        _ => {}
    }
}

/// The previous release showed customers whose token contains a full name alone without a name.
fn split_full_names(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("user").is_some_and(|user| user["id"] == "ada" && user["first_name"].is_null()) {
                fields["user"]["first_name"] = json!("Ada");
                fields["user"]["last_name"] = json!("Lovelace");
            }
            fields.values_mut().for_each(split_full_names);
        }
        Value::Array(items) => items.iter_mut().for_each(split_full_names),
        _ => {}
    }
}

/// The dump of the previous release's database, loaded.
async fn load_dump(backend: Backend) -> ScratchDatabase {
    let database = ScratchDatabase::create(backend).await;
    let connection = database.connection().await;
    connection.execute_unprepared(&file(&format!("{}.sql", engine(backend)))).await.unwrap();
    // The dump of PostgreSQL leaves its connection without a search path.
    connection.close().await.unwrap();
    database
}

/// The engine's name in the fixture.
const fn engine(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "sqlite",
        Backend::Postgres => "postgres",
    }
}

on_both_databases! {
    async fn a_database_of_the_previous_release_answers_every_read_as_before(backend: Backend) {
        let database = load_dump(backend).await;
        let server = ApiServer::start(&database).await;
        let mut fixture = Fixture::load(engine(backend));
        assert!(fixture.answers.len() > 100);
        fixture.answers.iter_mut().for_each(|answer| split_full_names(&mut answer.body));
        // The previous release found a national number only as it was stored.
        fixture.answers.retain(|answer| !answer.path.contains("search=0801"));
        for expected in &fixture.answers {
            let person = fixture.person(expected.person.as_deref());
            let mut answer = server.request(Method::GET, &person, &expected.path).send(None).await;
            remove_variable_fields(&mut answer.body);
            assert_eq!(answer.status.as_u16(), expected.status, "{}", expected.path);
            assert_eq!(answer.body, expected.body, "{} as {:?}", expected.path, expected.person);
        }
    }

    async fn a_handover_that_ended_with_its_conversation_is_stored_as_such(backend: Backend) {
        let database = load_dump(backend).await;
        let _server = ApiServer::start(&database).await;
        let connection = database.connection().await;
        let rejected = conversation_events::Entity::find()
            .filter(conversation_events::Column::Kind.eq("handover_rejected"))
            .all(&connection)
            .await
            .unwrap();
        // Two were rejected by their targets, one of them directly before the conversation was closed.
        assert_eq!(rejected.len(), 3);
        let details: Vec<_> = rejected.into_iter().filter_map(|event| Some((event.actor_id, event.detail?))).collect();
        assert_eq!(details, [(Some("kim".to_owned()), json!({ "resolution": "closed" }))]);
    }
}
