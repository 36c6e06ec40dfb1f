use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;

use super::*;
use crate::testing::{TestDatabase, account, on_both_databases};

/// A clock that a test moves, in seconds.
#[derive(Clone, Default)]
struct Seconds(Arc<AtomicI64>);

impl Seconds {
    fn now(&self) -> Now {
        let seconds = Arc::clone(&self.0);
        Arc::new(move || at(seconds.load(Ordering::Relaxed)))
    }

    fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(1_767_225_600 + seconds, 0).expect("a timestamp")
}

async fn another_server_knows_when_an_agent_last_had_a_socket(database: TestDatabase) {
    let (clock, sarah) = (Seconds::default(), account("sarah"));
    let (connection, _runtime) = Database::connect(&database.settings, 1).await.expect("a database");
    let [one, other] = [0, 1].map(|_| AgentSockets::start(&connection, clock.now()));
    assert_eq!(other.last_socket(&sarah).await.expect("a read"), LastSocket::Never);
    one.set_connected(&sarah, true);
    assert!(one.is_connected_here(&sarah) && !other.is_connected_here(&sarah));
    one.flush().await;
    assert_eq!(other.last_socket(&sarah).await.expect("a read"), LastSocket::Present);
    clock.set(10);
    one.set_connected(&sarah, false);
    assert_eq!(one.last_socket(&sarah).await.expect("a read"), LastSocket::At(at(10)), "before it is written, too");
    one.flush().await;
    for server in [&one, &other] {
        assert_eq!(server.last_socket(&sarah).await.expect("a read"), LastSocket::At(at(10)));
    }
    // A connection to the other server counts, and the later one of two.
    other.set_connected(&sarah, true);
    other.flush().await;
    assert_eq!(one.last_socket(&sarah).await.expect("a read"), LastSocket::Present);
    clock.set(20);
    other.set_connected(&sarah, false);
    other.flush().await;
    assert_eq!(one.last_socket(&sarah).await.expect("a read"), LastSocket::At(at(20)));
}

async fn an_agent_of_a_server_that_was_killed_is_absent_when_the_lease_has_ended(database: TestDatabase) {
    let (clock, sarah) = (Seconds::default(), account("sarah"));
    let (connection, _runtime) = Database::connect(&database.settings, 1).await.expect("a database");
    let killed = AgentSockets::start(&connection, clock.now());
    killed.set_connected(&sarah, true);
    killed.flush().await;
    drop(killed);
    let next = AgentSockets::start(&connection, clock.now());
    clock.set(44);
    assert_eq!(next.last_socket(&sarah).await.expect("a read"), LastSocket::Present);
    clock.set(45);
    assert_eq!(next.last_socket(&sarah).await.expect("a read"), LastSocket::At(at(0)));
}

#[test]
fn absence_counts_from_the_last_socket() {
    assert!(!LastSocket::Present.is_absent_since(at(0)));
    assert!(LastSocket::Never.is_absent_since(at(0)));
    assert!(LastSocket::At(at(0)).is_absent_since(at(0)) && !LastSocket::At(at(1)).is_absent_since(at(0)));
}

on_both_databases![
    another_server_knows_when_an_agent_last_had_a_socket,
    an_agent_of_a_server_that_was_killed_is_absent_when_the_lease_has_ended,
];
