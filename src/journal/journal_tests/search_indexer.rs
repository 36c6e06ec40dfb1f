//! What was written is made searchable behind the sends: later where much is sent, by whichever server comes first, and
//! once more where it fails. PostgreSQL alone needs it.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::search_indexer::{AFTER_A_FAULT, EVERY, Indexer, LONGEST, MOST_ROWS, copy};
use super::*;
use crate::database::Backend;
use crate::testing::{execute, note, run};

/// More than any moment can bear.
const A_RUSH: usize = 1_000_000_000;

/// What the index has, text by text, each as often as it has it.
async fn searchable(hand: &DatabaseConnection) -> HashMap<String, i64> {
    let question = "SELECT body, count(*) AS times \
                    FROM (SELECT unnest(string_to_array(text, U&'\\001F')) AS body FROM searchable_texts) AS texts \
                    GROUP BY body";
    let rows = hand.query_all_raw(Statement::from_string(DbBackend::Postgres, question)).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "body").unwrap(), row.try_get("", "times").unwrap())).collect()
}

/// Rows of the list of what is not searchable yet.
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
    server.hand_in(append);
    assert_committed(outcome.await);
}

fn once(texts: impl IntoIterator<Item = impl Into<String>>) -> HashMap<String, i64> {
    texts.into_iter().map(|text| (text.into(), 1)).collect()
}

#[test]
fn in_a_busy_time_copying_waits_but_not_for_longer_than_it_says() {
    run(Backend::Postgres, async |place| {
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        let counters = Arc::new(Counters::default());
        let mut keeper = Indexer::new(server.database.clone(), Arc::clone(&counters));
        let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
        // With nothing else going on it does not wait.
        assert_eq!(keeper.step().await, EVERY);
        assert_eq!(searchable(&hand).await, once(["Hello"]));

        writes(&server, &mut conversation, "in a rush").await;
        for all_copied in [Duration::ZERO, LONGEST / 2] {
            keeper.all_copied = Instant::now() - all_copied;
            counters.committed(A_RUSH);
            assert_eq!((keeper.step().await, listed(&hand).await), (EVERY, 1));
        }
        keeper.all_copied = Instant::now() - LONGEST;
        counters.committed(A_RUSH);
        keeper.step().await;
        assert_eq!((searchable(&hand).await, listed(&hand).await), (once(["Hello", "in a rush"]), 0));

        // From then on it waits anew, until the rush is over.
        writes(&server, &mut conversation, "later").await;
        counters.committed(A_RUSH);
        assert_eq!((keeper.step().await, listed(&hand).await), (EVERY, 1));
        keeper.step().await;
        assert_eq!(searchable(&hand).await, once(["Hello", "in a rush", "later"]));
    });
}

/// Two servers write, and each copies what it finds, whoever wrote it, in pieces so small that they always meet.
#[test]
fn of_two_servers_that_copy_at_once_each_text_is_copied_once_and_none_is_missed() {
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
                        // Asked before: what is written later is not missed.
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
                    server.hand_in(append);
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
        let mut expected = HashMap::from([("Hello".to_owned(), 2 * CONVERSATIONS as i64)]);
        for (number, of) in (0..2).flat_map(|number| (0..CONVERSATIONS).map(move |of| (number, of))) {
            expected.extend((0..NOTES).map(|round| (format!("{number} {of} {round}"), 1)));
        }
        assert_eq!(searchable(&hand).await, expected);
    });
}

#[test]
fn a_piece_that_takes_too_long_is_tried_again_and_is_smaller_then() {
    run(Backend::Postgres, async |mut place| {
        // Long enough for what is not held up.
        place.settings.timeout_ms = 2_000;
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        server.opened(&open(customer("ada"), "Hello", "")).await;
        let mut keeper = Indexer::new(server.database.clone(), Arc::default());
        let lock = hand.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE searchable_texts IN SHARE MODE").await.unwrap();
        for rows in [MOST_ROWS / 2, MOST_ROWS / 4] {
            assert_eq!((keeper.step().await, keeper.rows), (EVERY, rows));
        }
        keeper.rows = 1;
        assert_eq!((keeper.step().await, keeper.rows), (EVERY, 1), "no smaller than that");
        // PostgreSQL gives the last one up a moment later than we do.
        while waiting(&hand).await > 0 {}
        lock.rollback().await.unwrap();
        assert_eq!((listed(&hand).await, searchable(&hand).await), (1, HashMap::new()), "nothing half done");

        keeper.step().await;
        assert_eq!((listed(&hand).await, searchable(&hand).await), (0, once(["Hello"])));
    });
}

#[test]
fn a_piece_that_the_database_refuses_is_tried_again_much_later_and_as_large() {
    run(Backend::Postgres, async |place| {
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        server.opened(&open(customer("ada"), "Hello", "")).await;
        let mut keeper = Indexer::new(server.database.clone(), Arc::default());
        execute(&hand, "ALTER TABLE searchable_texts RENAME TO elsewhere").await;
        assert_eq!((keeper.step().await, keeper.rows, listed(&hand).await), (AFTER_A_FAULT, MOST_ROWS, 1));
        execute(&hand, "ALTER TABLE elsewhere RENAME TO searchable_texts").await;
        keeper.step().await;
        assert_eq!((listed(&hand).await, searchable(&hand).await), (0, once(["Hello"])));
    });
}
