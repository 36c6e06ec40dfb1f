//! What fails costs what was under way, and nobody is told of what is not stored.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sea_orm::{ConnectionTrait, TransactionTrait};
use tokio::sync::oneshot;

use super::server::{Server, assert_seq_has_no_gap, posted, written};
use crate::conversation::CommandError;
use crate::database::Backend;
use crate::domain::ConversationId;
use crate::testing::{Halt, TestDatabase, customer, execute, on_both_databases, open, run, send, send_as};

async fn a_panic_costs_the_command_that_it_happened_to(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    server.clock.panics.store(true, Ordering::SeqCst);
    assert_eq!(server.ask(id, send(customer("ada"), "x")).await, Err(CommandError::Fault));
    assert_eq!(posted(server.ask(id, send(customer("ada"), "y")).await).message.seq, Some(2));
    assert_eq!(server.listener.heard_events(3).await.len(), 3);
    assert_eq!(server.registry.live(), 1, "the same actor answers");
}

async fn a_panic_over_a_first_message_leaves_nothing_behind(place: TestDatabase) {
    let server = Server::start(&place).await;
    server.clock.panics.store(true, Ordering::SeqCst);
    let opening = open(customer("ada"), "Hello", "name");
    assert_eq!(server.registry.open(opening.clone()).await, Err(CommandError::Fault));
    let (id, _) = server.registry.open(opening).await.unwrap();
    assert_eq!(written(&place, id).await.len(), 1);
    assert_eq!(server.listener.heard_events(2).await.len(), 2);
}

async fn a_listener_that_panics_costs_no_answer_and_nothing_that_follows(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    server.listener.panics.store(true, Ordering::SeqCst);
    posted(server.ask(id, send(customer("ada"), "unheard")).await);
    assert_eq!(posted(server.ask(id, send(customer("ada"), "heard")).await).message.seq, Some(3));
    let heard = server.listener.heard_events(3).await;
    assert_eq!(heard.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 4]);
}

async fn a_commit_that_fails_fails_all_that_was_under_way_and_nobody_is_told(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let hand = place.hand().await;
    execute(&hand, "ALTER TABLE messages RENAME TO elsewhere").await;
    let halt = Halt::begin(&server.database).await;
    let failing: Vec<_> =
        (0..10).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    let first = server.registry.clone();
    let first = actix::spawn(async move { first.open(open(customer("bob"), "Hello", "name")).await });
    drop(halt);
    for answer in failing {
        assert_eq!(answer.await.unwrap(), Err(CommandError::Unavailable));
    }
    assert_eq!(first.await.unwrap(), Err(CommandError::Unavailable));
    assert_eq!(server.listener.heard().len(), 2, "the opening alone");

    execute(&hand, "ALTER TABLE elsewhere RENAME TO messages").await;
    assert_eq!(posted(server.ask(id, send(customer("ada"), "again")).await).message.seq, Some(2));
    assert_eq!(server.registry.live(), 2, "the same actors answer");
    let (bobs, _) = server.registry.open(open(customer("bob"), "Hello", "name")).await.unwrap();
    assert_eq!(written(&place, bobs).await.len(), 1);
    let written = written(&place, id).await;
    assert_seq_has_no_gap(&written);
    assert_eq!(written.len(), 2);
    let heard = server.listener.heard_events(5).await;
    assert_eq!(heard.len(), 5, "two openings and one message");
}

/// While the test holds the lock, a message that says "slow" is not stored, and no cancelling ends the waiting for it.
const DAWDLE: &str = "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOOP
        BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; EXCEPTION WHEN query_canceled THEN NULL; END;
    END LOOP; END $$;
    CREATE TRIGGER dawdle BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.body = 'slow') EXECUTE FUNCTION dawdle()";

/// The database takes so long over a commit that the server gives up on it, and then finishes it all the same.
#[test]
fn what_turns_out_to_be_stored_is_told_once() {
    run(Backend::Postgres, async |mut place: TestDatabase| {
        place.settings.timeout_ms = 500;
        let server = Server::start(&place).await;
        let id = server.opened().await;
        let hand = place.hand().await;
        execute(&hand, DAWDLE).await;
        let lock = hand.begin().await.unwrap();
        lock.execute_unprepared("SELECT pg_advisory_xact_lock(7)").await.unwrap();

        let slow = send_as(customer("ada"), "slow", "name");
        assert_eq!(server.ask(id, slow.clone()).await, Err(CommandError::Unavailable));
        // Nothing can get past it, and nothing is told of it.
        assert_eq!(server.ask(id, send(customer("ada"), "behind it")).await, Err(CommandError::Unavailable));
        assert_eq!((server.listener.heard().len(), server.stored(id).await.unwrap().version), (2, 2));

        lock.rollback().await.unwrap();
        let heard = server.listener.heard_events(3).await;
        let stored = written(&place, id).await;
        assert_eq!((heard[2].id.0, heard[2].position), (stored[1].id, 3));

        // Who asks again under its name learns what came of it; and it is told of no second time.
        assert_eq!(posted(server.ask(id, slow).await).id, heard[2].id);
        assert_eq!(posted(server.ask(id, send(customer("ada"), "on")).await).message.seq, Some(3));
        let heard = server.listener.heard_events(4).await;
        assert_eq!(heard.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_seq_has_no_gap(&written(&place, id).await);
    });
}

/// A load finds it stored while somebody reads what they have missed, who began to read before it was: they must hear it.
#[test]
fn who_reads_when_it_turns_out_to_be_stored_hears_of_it_too() {
    run(Backend::Postgres, async |mut place: TestDatabase| {
        place.settings.timeout_ms = 500;
        let server = Server::start(&place).await;
        let id = server.opened().await;
        let hand = place.hand().await;
        execute(&hand, DAWDLE).await;
        let lock = hand.begin().await.unwrap();
        lock.execute_unprepared("SELECT pg_advisory_xact_lock(7)").await.unwrap();
        assert_eq!(server.ask(id, send(customer("ada"), "slow")).await, Err(CommandError::Unavailable));

        let (has_begun, begun) = oneshot::channel();
        let (done, until_done) = oneshot::channel::<()>();
        let nothing_yet = async move {
            has_begun.send(()).expect("the test waits for this");
            until_done.await.expect("the test says so");
            Ok(Vec::new())
        };
        let (registry, listener) = (Arc::clone(&server.registry), Arc::clone(&server.listener));
        let beginning =
            actix::spawn(async move { registry.listen(id, nothing_yet, move |_| listener.heard().len()).await });
        begun.await.unwrap();
        lock.rollback().await.unwrap();
        until_stored(&server, id, 3).await;
        let on = server.asking(id, send(customer("ada"), "on"));
        until_stored(&server, id, 4).await;
        done.send(()).unwrap();

        let announced_before = beginning.await.unwrap().unwrap();
        assert_eq!(posted(on.await.unwrap()).message.seq, Some(3));
        let heard = server.listener.heard_events(4).await;
        let positions: Vec<i64> = heard[announced_before..].iter().map(|event| event.position).collect();
        assert_eq!(positions, [3, 4], "of all that was stored behind the reading");
    });
}

async fn until_stored(server: &Server, id: ConversationId, version: i64) {
    while server.stored(id).await.unwrap().version < version {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_both_databases!(
    a_panic_costs_the_command_that_it_happened_to,
    a_panic_over_a_first_message_leaves_nothing_behind,
    a_listener_that_panics_costs_no_answer_and_nothing_that_follows,
    a_commit_that_fails_fails_all_that_was_under_way_and_nobody_is_told,
);
