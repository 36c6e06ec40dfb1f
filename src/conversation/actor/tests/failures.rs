//! A failure affects the commands in flight and nothing else; an event is published only if it is stored.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use tokio::sync::oneshot;

use super::server::{Outcome, Server, assert_seq_has_no_gap, open_with, posted, written};
use crate::conversation::{Backlog, CommandError};
use crate::database::Backend;
use crate::domain::{ConversationId, Refusal};
use crate::testing::{
    BlockedRuntime, TestDatabase, claim, customer, execute, on_both_databases, open, run, send, send_as,
};

async fn a_panic_fails_only_the_command_that_caused_it(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    server.clock.panics.store(true, Ordering::SeqCst);
    assert_eq!(server.ask(id, send(customer("ada"), "x")).await, Err(CommandError::Fault));
    assert_eq!(posted(server.ask(id, send(customer("ada"), "y")).await).message.seq, Some(2));
    assert_eq!(server.publisher.wait_for_published(3).await.len(), 3);
}

async fn a_first_message_that_panics_leaves_no_trace(database: TestDatabase) {
    let server = Server::start(&database).await;
    server.clock.panics.store(true, Ordering::SeqCst);
    let opening = open(customer("ada"), "Hello", "name");
    assert_eq!(open_with(&server.registry, opening.clone()).await, Err(CommandError::Fault));
    let (id, _) = open_with(&server.registry, opening).await.unwrap();
    assert_eq!(written(&database, id).await.len(), 1);
    assert_eq!(server.publisher.wait_for_published(2).await.len(), 2);
}

async fn a_publisher_panic_affects_no_answer_and_no_later_event(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    server.publisher.panics.store(true, Ordering::SeqCst);
    posted(server.ask(id, send(customer("ada"), "unpublished")).await);
    assert_eq!(posted(server.ask(id, send(customer("ada"), "published")).await).message.seq, Some(3));
    let published = server.publisher.wait_for_published(3).await;
    assert_eq!(published.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 4]);
}

async fn a_failed_commit_fails_every_command_in_flight_and_publishes_nothing(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let connection = database.connection().await;
    execute(&connection, "ALTER TABLE messages RENAME TO elsewhere").await;
    let blocked = BlockedRuntime::start(&server.database).await;
    let failing: Vec<_> =
        (0..10).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    let first = server.registry.clone();
    let first = actix::spawn(async move { open_with(&first, open(customer("bob"), "Hello", "name")).await });
    drop(blocked);
    for answer in failing {
        assert_eq!(answer.await.unwrap(), Err(CommandError::Unavailable));
    }
    assert_eq!(first.await.unwrap(), Err(CommandError::Unavailable));
    assert_eq!(server.publisher.published().len(), 2, "only the opening");

    execute(&connection, "ALTER TABLE elsewhere RENAME TO messages").await;
    assert_eq!(posted(server.ask(id, send(customer("ada"), "again")).await).message.seq, Some(2));
    assert_eq!(server.registry.live(), 2, "the same actors answer");
    let (bobs, _) = open_with(&server.registry, open(customer("bob"), "Hello", "name")).await.unwrap();
    assert_eq!(written(&database, bobs).await.len(), 1);
    let written = written(&database, id).await;
    assert_seq_has_no_gap(&written);
    assert_eq!(written.len(), 2);
    let published = server.publisher.wait_for_published(5).await;
    assert_eq!(published.len(), 5, "two openings and one message");
}

/// A server on which the commit of the message `slow` has timed out. The database completes the commit when the
/// returned transaction, which holds a lock, ends. Only the opening precedes the message.
async fn with_a_slow_commit(database: &mut TestDatabase) -> (Server, ConversationId, DatabaseTransaction) {
    // Long enough for a machine whose disk stalls: only the statement that waits for the lock may time out.
    database.settings.timeout_ms = 2_000;
    let server = Server::start(database).await;
    let id = server.opened().await;
    let connection = database.connection().await;
    // The trigger ignores cancellation, as a commit that is already on its way does: it waits until the test unlocks.
    let wait_for_lock = "CREATE FUNCTION wait_for_lock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOOP
            BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; EXCEPTION WHEN query_canceled THEN NULL; END;
        END LOOP; END $$;
        CREATE TRIGGER wait_for_lock BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.body = 'slow')
            EXECUTE FUNCTION wait_for_lock()";
    execute(&connection, wait_for_lock).await;
    let lock = connection.begin().await.unwrap();
    lock.execute_unprepared("SELECT pg_advisory_xact_lock(7)").await.unwrap();
    let slow = send_as(customer("ada"), "slow", "name");
    assert_eq!(server.ask(id, slow).await, Err(CommandError::Unavailable));
    (server, id, lock)
}

/// The server times out waiting for a commit that the database completes later.
#[test]
fn an_in_doubt_event_that_is_stored_after_all_is_published_once() {
    run(Backend::Postgres, async |mut database: TestDatabase| {
        let (server, id, lock) = with_a_slow_commit(&mut database).await;
        // While it is in doubt, later commands fail and it is not published.
        assert_eq!(server.ask(id, send(customer("ada"), "later")).await, Err(CommandError::Unavailable));
        assert_eq!((server.publisher.published().len(), server.stored(id).await.unwrap().version), (2, 2));

        lock.rollback().await.unwrap();
        let published = server.publisher.wait_for_published(3).await;
        let stored = written(&database, id).await;
        assert_eq!((published[2].id.0, published[2].position), (stored[1].id, 3));

        // A repeat with its client_message_id gets the stored message, and it is not published again.
        assert_eq!(posted(server.ask(id, send_as(customer("ada"), "slow", "name")).await).id, published[2].id);
        assert_eq!(posted(server.ask(id, send(customer("ada"), "next")).await).message.seq, Some(3));
        let published = server.publisher.wait_for_published(4).await;
        assert_eq!(published.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_seq_has_no_gap(&written(&database, id).await);
    });
}

/// As above, but the command that triggers the reload panics.
#[test]
fn an_in_doubt_event_is_published_even_if_the_next_command_panics() {
    run(Backend::Postgres, async |mut database: TestDatabase| {
        let (server, id, lock) = with_a_slow_commit(&mut database).await;
        lock.rollback().await.unwrap();
        while server.stored(id).await.unwrap().version < 3 {}
        server.clock.panics.store(true, Ordering::SeqCst);
        assert_eq!(server.ask(id, send(customer("ada"), "x")).await, Err(CommandError::Fault));
        let published = server.publisher.wait_for_published(3).await;
        assert_eq!(published.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3]);
    });
}

/// As above, while a subscriber joins that read its backlog before the event was stored.
#[test]
fn a_subscriber_that_joins_meanwhile_does_not_miss_an_in_doubt_event() {
    run(Backend::Postgres, async |mut database: TestDatabase| {
        let (server, id, lock) = with_a_slow_commit(&mut database).await;
        let (end, read) = oneshot::channel();
        let empty_backlog = async { Ok(read.await.unwrap()) };
        let (registry, publisher) = (Arc::clone(&server.registry), Arc::clone(&server.publisher));
        let attach = move |backlog: Backlog| (backlog.messages, publisher.published().len());
        let subscribe = async move { registry.subscribe_with_backlog(id, 2, empty_backlog, attach).await };
        let subscription = actix::spawn(subscribe);
        tokio::task::yield_now().await;
        lock.rollback().await.unwrap();
        while server.stored(id).await.unwrap().version < 3 {}
        // Decided on a loaded state that contains the in-doubt message.
        let next = server.asking(id, send(customer("ada"), "next"));
        while server.stored(id).await.unwrap().version < 4 {}
        end.send(Vec::new()).unwrap();

        let (backlog, published_before) = subscription.await.unwrap().unwrap();
        posted(next.await.unwrap());
        let published = server.publisher.wait_for_published(4).await;
        let received =
            backlog.iter().map(|posted| posted.id).chain(published[published_before..].iter().map(|event| event.id));
        assert_eq!(received.collect::<Vec<_>>(), published[2..].iter().map(|event| event.id).collect::<Vec<_>>());
        assert_eq!(published.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
    });
}

/// The cached state may be outdated by another server, so without the database a read-only answer fails.
async fn a_read_only_answer_that_cannot_be_confirmed_is_an_error(mut database: TestDatabase) {
    database.settings.timeout_ms = 2_000;
    let server = Server::start(&database).await;
    let id = server.opened().await;
    server.ask(id, claim("grace")).await.unwrap();
    let connection = database.connection().await;
    execute(&connection, "ALTER TABLE conversations RENAME TO elsewhere").await;
    for who in ["grace", "edsger"] {
        assert_eq!(server.ask(id, claim(who)).await.map(drop), Err(CommandError::Fault), "{who}");
    }
    execute(&connection, "ALTER TABLE elsewhere RENAME TO conversations").await;
    assert!(matches!(server.ask(id, claim("grace")).await, Ok(Outcome::Claimed(_))));
    let refused = Err(CommandError::Refused(Refusal::ClaimedByAnother));
    assert_eq!(server.ask(id, claim("edsger")).await, refused);
}

/// Claims that change nothing alternate with sends; each gets the correct answer.
async fn read_only_commands_are_answered_correctly_during_concurrent_writes(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    server.ask(id, claim("grace")).await.unwrap();
    let blocked = BlockedRuntime::start(&server.database).await;
    let mut asked = Vec::new();
    for number in 0..200 {
        let (who, is_theirs) = if number % 2 == 0 { ("grace", true) } else { ("edsger", false) };
        asked.push((is_theirs, server.asking(id, claim(who))));
        if number % 10 == 5 {
            asked.push((true, server.asking(id, send(customer("ada"), &format!("{number}")))));
        }
    }
    drop(blocked);
    for (is_theirs, answer) in asked {
        match answer.await.unwrap() {
            Ok(_) => assert!(is_theirs),
            Err(refused) => assert_eq!((is_theirs, refused), (false, Refusal::ClaimedByAnother.into())),
        }
    }
    assert_eq!(server.stored(id).await.unwrap().version, 2 + 1 + 20);
}

on_both_databases!(
    a_read_only_answer_that_cannot_be_confirmed_is_an_error,
    read_only_commands_are_answered_correctly_during_concurrent_writes,
    a_panic_fails_only_the_command_that_caused_it,
    a_first_message_that_panics_leaves_no_trace,
    a_publisher_panic_affects_no_answer_and_no_later_event,
    a_failed_commit_fails_every_command_in_flight_and_publishes_nothing,
);
