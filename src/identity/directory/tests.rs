//! Which users are written, when, and by which of several servers.

use chrono::{TimeZone, Utc};
use sea_orm::{DatabaseConnection, PaginatorTrait};

use super::*;
use crate::database::DatabaseRuntime;
use crate::identity::Identity;
use crate::testing::{BlockedRuntime, TestDatabase, execute, on_both_databases};

/// One server's directory.
struct Server {
    directory: Directory,
    database: Database,
    _runtime: DatabaseRuntime,
}

impl Server {
    async fn start(place: &TestDatabase, queue_capacity: usize) -> Self {
        let (database, runtime) = Database::connect(&place.settings, 1).await.expect("connected");
        let settings = DirectorySettings { user_cache_size: 100_000, queue_capacity };
        Self { directory: Directory::start(&database, &settings), database, _runtime: runtime }
    }

    fn record_seen(&self, id: &str, role: &str, name: &str, second: i64) {
        self.directory.record_seen(&person(id, role, name), at(second));
    }

    /// Waits until all users queued before are written.
    async fn wait_until_written(&self, hand: &DatabaseConnection) {
        let marker = format!("marker-{}", uuid::Uuid::now_v7());
        self.record_seen(&marker, "user", "Marker", 0);
        found(hand, &marker).await;
    }
}

fn at(second: i64) -> Timestamp {
    Utc.timestamp_opt(1_795_000_000 + second, 0).single().expect("a timestamp")
}

fn person(id: &str, role: &str, name: &str) -> Principal {
    Principal::from(Identity {
        id: UserId::parse(id).expect("an id"),
        role: role.to_owned(),
        is_agent: role == "admin",
        email: Some(format!("{id}@example.com")),
        first_name: None,
        last_name: None,
        name: Some(name.to_owned()),
        phone_number: None,
        smipay_tag: None,
        picture: None,
    })
}

async fn read(hand: &DatabaseConnection, id: &str) -> Option<users::Model> {
    users::Entity::find_by_id(id.to_owned()).one(hand).await.expect("read")
}

/// Waits until a user is written; only the test's own time limit ends it.
async fn found(hand: &DatabaseConnection, id: &str) -> users::Model {
    loop {
        if let Some(person) = read(hand, id).await {
            return person;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Name, role, whether an agent, and the second of the last write.
async fn known(hand: &DatabaseConnection, id: &str) -> (String, String, bool, i64) {
    let person = read(hand, id).await.expect("a known user");
    let second = (person.last_seen_at - at(0)).num_seconds();
    (person.name.unwrap_or_default(), person.role, person.is_agent, second)
}

fn is(name: &str, role: &str, is_agent: bool, second: i64) -> (String, String, bool, i64) {
    (name.to_owned(), role.to_owned(), is_agent, second)
}

async fn a_changed_profile_is_written_after_a_minute_and_not_before(place: TestDatabase) {
    let (server, hand) = (Server::start(&place, 4096).await, place.connection().await);
    for second in 0..60 {
        server.record_seen("jane", "user", if second == 0 { "Jane" } else { "Janet" }, second);
    }
    server.wait_until_written(&hand).await;
    assert_eq!(known(&hand, "jane").await, is("Jane", "user", false, 0));
    server.record_seen("jane", "user", "Janet", 60);
    server.wait_until_written(&hand).await;
    assert_eq!(known(&hand, "jane").await, is("Janet", "user", false, 60));
    assert_eq!(read(&hand, "jane").await.expect("Jane").created_at, at(0));
}

async fn several_servers_together_write_a_user_once_a_minute(place: TestDatabase) {
    let hand = place.connection().await;
    let (one, other) = (Server::start(&place, 4096).await, Server::start(&place, 4096).await);
    for (server, second, name, expected) in [
        (&one, 0, "Jane", is("Jane", "user", false, 0)),
        // New to this server, but written less than a minute ago by the other one.
        (&other, 30, "Janet", is("Jane", "user", false, 0)),
        (&one, 59, "Janet", is("Jane", "user", false, 0)),
        (&one, 61, "Janet", is("Janet", "user", false, 61)),
        (&other, 91, "Jane", is("Janet", "user", false, 61)),
        (&other, 152, "Jane", is("Jane", "user", false, 152)),
        // A server with a slow clock does not overwrite a newer row.
        (&one, 140, "Janet", is("Jane", "user", false, 152)),
    ] {
        server.record_seen("jane", "user", name, second);
        server.wait_until_written(&hand).await;
        assert_eq!(known(&hand, "jane").await, expected, "{second}");
    }
}

async fn an_agent_is_recorded_at_once_and_stays_one(place: TestDatabase) {
    let (server, hand) = (Server::start(&place, 4096).await, place.connection().await);
    server.record_seen("sarah", "user", "Sarah", 0);
    server.wait_until_written(&hand).await;
    server.record_seen("sarah", "admin", "Sarah", 1);
    server.wait_until_written(&hand).await;
    assert_eq!(known(&hand, "sarah").await, is("Sarah", "admin", true, 1));
    for (second, expected) in [(2, is("Sarah", "admin", true, 1)), (120, is("Sarah J.", "user", true, 120))] {
        server.record_seen("sarah", "user", "Sarah J.", second);
        server.wait_until_written(&hand).await;
        assert_eq!(known(&hand, "sarah").await, expected, "{second}");
    }
}

async fn users_that_did_not_fit_into_the_queue_are_written_at_their_next_request(place: TestDatabase) {
    let hand = place.connection().await;
    let server = Server::start(&place, 10).await;
    let halt = BlockedRuntime::start(&server.database).await;
    for n in 0..1000 {
        // Several requests of one user at once.
        for _ in 0..3 {
            server.record_seen(&format!("person-{n}"), "user", "Person", 0);
        }
    }
    drop(halt);
    found(&hand, "person-0").await;
    assert!(read(&hand, "person-999").await.is_none(), "the queue holds 10");
    for n in 0..1000 {
        while read(&hand, &format!("person-{n}")).await.is_none() {
            server.record_seen(&format!("person-{n}"), "user", "Person", 1);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(users::Entity::find().count(&hand).await.expect("counted"), 1000);
}

async fn users_seen_during_a_database_failure_are_written_at_their_next_request(place: TestDatabase) {
    let (server, hand) = (Server::start(&place, 4096).await, place.connection().await);
    execute(&hand, "ALTER TABLE users RENAME TO users_elsewhere").await;
    let key = (UserId::parse("jane").expect("an id"), false);
    server.record_seen("jane", "user", "Jane", 0);
    while server.directory.recent.contains_key(&key) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    execute(&hand, "ALTER TABLE users_elsewhere RENAME TO users").await;
    server.record_seen("jane", "user", "Jane", 1);
    assert_eq!(found(&hand, "jane").await.last_seen_at, at(1));
}

on_both_databases!(
    a_changed_profile_is_written_after_a_minute_and_not_before,
    several_servers_together_write_a_user_once_a_minute,
    an_agent_is_recorded_at_once_and_stays_one,
    users_that_did_not_fit_into_the_queue_are_written_at_their_next_request,
    users_seen_during_a_database_failure_are_written_at_their_next_request,
);
