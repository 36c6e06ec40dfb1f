//! The search indexer: it waits while the server is busy, shares its work with other servers, and retries failures.
//! Only PostgreSQL has one.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::search_indexer::{FAULT_PAUSE, INTERVAL, Indexer, MAX_DELAY, MAX_ROWS, copy};
use super::*;
use crate::database::Backend;
use crate::testing::{execute, note, run};

/// So many appends that the server is busy.
const A_RUSH: usize = 1_000_000_000;

/// The indexed texts and how often each is indexed.
async fn searchable(hand: &DatabaseConnection) -> HashMap<String, i64> {
    let question = "SELECT body, count(*) AS times \
                    FROM (SELECT unnest(string_to_array(text, U&'\\001F')) AS body FROM searchable_texts WHERE kind = 0) AS texts \
                    GROUP BY body";
    let rows = hand.query_all_raw(Statement::from_string(DbBackend::Postgres, question)).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "body").unwrap(), row.try_get("", "times").unwrap())).collect()
}

/// Rows of the list of messages that are not indexed yet.
async fn listed(hand: &DatabaseConnection) -> i64 {
    count(hand, "FROM unsearchable_messages").await
}

/// Statements that wait for a lock.
async fn waiting(hand: &DatabaseConnection) -> i64 {
    count(hand, "FROM pg_locks JOIN pg_database ON oid = database AND datname = current_database() WHERE NOT granted")
        .await
}

async fn count(hand: &DatabaseConnection, of: &str) -> i64 {
    let question = format!("SELECT count(*) AS number {of}");
    let row = hand.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await.unwrap().unwrap();
    row.try_get("", "number").unwrap()
}

async fn writes(server: &Server, conversation: &mut Speculating, text: &str) {
    let (append, outcome) = conversation.append(&note("grace", text));
    server.append(append);
    assert_committed(outcome.await);
}

fn once(texts: impl IntoIterator<Item = impl Into<String>>) -> HashMap<String, i64> {
    texts.into_iter().map(|text| (text.into(), 1)).collect()
}

#[test]
fn a_busy_server_postpones_indexing_up_to_a_limit() {
    run(Backend::Postgres, async |place| {
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        let counters = Arc::new(StatsCounter::default());
        let mut keeper = Indexer::new(server.database.clone(), Arc::clone(&counters));
        let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
        // An idle server does not postpone.
        assert_eq!(keeper.step().await, INTERVAL);
        assert_eq!(searchable(&hand).await, once(["hello"]));

        writes(&server, &mut conversation, "in a rush").await;
        for caught_up in [Duration::ZERO, MAX_DELAY / 2] {
            keeper.caught_up = Instant::now() - caught_up;
            counters.count(A_RUSH);
            assert_eq!((keeper.step().await, listed(&hand).await), (INTERVAL, 1));
        }
        keeper.caught_up = Instant::now() - MAX_DELAY;
        counters.count(A_RUSH);
        keeper.step().await;
        assert_eq!((searchable(&hand).await, listed(&hand).await), (once(["hello", "in a rush"]), 0));

        // After that it postpones again, until the load ends.
        writes(&server, &mut conversation, "later").await;
        counters.count(A_RUSH);
        assert_eq!((keeper.step().await, listed(&hand).await), (INTERVAL, 1));
        keeper.step().await;
        assert_eq!(searchable(&hand).await, once(["hello", "in a rush", "later"]));
    });
}

/// Two servers write, and each indexes whatever is listed, in chunks so small that they always compete.
#[test]
fn two_servers_that_index_at_once_index_each_text_once_and_miss_none() {
    const CONVERSATIONS: usize = 8;
    const NOTES: usize = 40;
    run(Backend::Postgres, async |place| {
        let servers = [Server::start(&place).await, Server::start(&place).await];
        let (writing, has_ended) = watch::channel(());
        let copying: Vec<_> = servers
            .iter()
            .flat_map(|server| [server, server])
            .map(|server| {
                let (database, has_ended) = (server.database.clone(), has_ended.clone());
                actix::spawn(async move {
                    let mut rows = 0;
                    loop {
                        // Read before the copy, so that texts written later are not missed.
                        let is_last = has_ended.has_changed().is_err();
                        let copied = copy(&database, 3).await.expect("copied");
                        rows += copied.rows;
                        if is_last && copied.left <= 0 && copied.rows == 0 {
                            return rows;
                        }
                    }
                })
            })
            .collect();
        let writers = servers.iter().enumerate().map(async |(number, server)| {
            let mut conversations = server.opened_by((0..CONVERSATIONS).map(|of| number * CONVERSATIONS + of)).await;
            for round in 0..NOTES {
                let outcomes = conversations.iter_mut().enumerate().map(|(of, conversation)| {
                    let (append, outcome) = conversation.append(&note("grace", &format!("{number} {of} {round}")));
                    server.append(append);
                    outcome
                });
                for outcome in futures_util::future::join_all(outcomes.collect::<Vec<_>>()).await {
                    assert_committed(outcome);
                }
            }
        });
        futures_util::future::join_all(writers).await;
        drop(writing);
        let copied = futures_util::future::join_all(copying).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert!(copied.iter().filter(|rows| **rows > 0).count() > 1, "they shared it: {copied:?}");

        let hand = place.connection().await;
        assert_eq!(listed(&hand).await, 0);
        let mut expected = HashMap::from([("hello".to_owned(), 2 * CONVERSATIONS as i64)]);
        for (number, of) in (0..2).flat_map(|number| (0..CONVERSATIONS).map(move |of| (number, of))) {
            expected.extend((0..NOTES).map(|round| (format!("{number} {of} {round}"), 1)));
        }
        assert_eq!(searchable(&hand).await, expected);
    });
}

#[test]
fn a_chunk_that_times_out_is_retried_with_fewer_rows() {
    run(Backend::Postgres, async |mut place| {
        // Long enough for statements that meet no lock.
        place.settings.timeout_ms = 2_000;
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        server.opened(&open(customer("ada"), "Hello", "")).await;
        let mut keeper = Indexer::new(server.database.clone(), Arc::default());
        let lock = hand.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE searchable_texts IN SHARE MODE").await.unwrap();
        for rows in [MAX_ROWS / 2, MAX_ROWS / 4] {
            assert_eq!((keeper.step().await, keeper.rows), (INTERVAL, rows));
        }
        keeper.rows = 1;
        assert_eq!((keeper.step().await, keeper.rows), (INTERVAL, 1), "no smaller than that");
        // PostgreSQL cancels the last one slightly later than we do.
        while waiting(&hand).await > 0 {}
        lock.rollback().await.unwrap();
        assert_eq!((listed(&hand).await, searchable(&hand).await), (1, HashMap::new()), "nothing half done");

        keeper.step().await;
        assert_eq!((listed(&hand).await, searchable(&hand).await), (0, once(["hello"])));
    });
}

#[test]
fn a_chunk_that_the_database_refuses_is_retried_much_later_with_as_many_rows() {
    run(Backend::Postgres, async |place| {
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        server.opened(&open(customer("ada"), "Hello", "")).await;
        let mut keeper = Indexer::new(server.database.clone(), Arc::default());
        execute(&hand, "ALTER TABLE searchable_texts RENAME TO elsewhere").await;
        assert_eq!((keeper.step().await, keeper.rows, listed(&hand).await), (FAULT_PAUSE, MAX_ROWS, 1));
        execute(&hand, "ALTER TABLE elsewhere RENAME TO searchable_texts").await;
        keeper.step().await;
        assert_eq!((listed(&hand).await, searchable(&hand).await), (0, once(["hello"])));
    });
}
