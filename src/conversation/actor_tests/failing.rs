//! What fails costs what was under way, and nobody is told of what is not stored.

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

async fn a_panic_costs_the_command_that_it_happened_to(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    server.clock.panics.store(true, Ordering::SeqCst);
    assert_eq!(server.ask(id, send(customer("ada"), "x")).await, Err(CommandError::Fault));
    assert_eq!(posted(server.ask(id, send(customer("ada"), "y")).await).message.seq, Some(2));
    assert_eq!(server.listener.heard_events(3).await.len(), 3);
}

async fn a_panic_over_a_first_message_leaves_nothing_behind(place: TestDatabase) {
    let server = Server::start(&place).await;
    server.clock.panics.store(true, Ordering::SeqCst);
    let opening = open(customer("ada"), "Hello", "name");
    assert_eq!(open_with(&server.registry, opening.clone()).await, Err(CommandError::Fault));
    let (id, _) = open_with(&server.registry, opening).await.unwrap();
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
    let hand = place.connection().await;
    execute(&hand, "ALTER TABLE messages RENAME TO elsewhere").await;
    let halt = BlockedRuntime::start(&server.database).await;
    let failing: Vec<_> =
        (0..10).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    let first = server.registry.clone();
    let first = actix::spawn(async move { open_with(&first, open(customer("bob"), "Hello", "name")).await });
    drop(halt);
    for answer in failing {
        assert_eq!(answer.await.unwrap(), Err(CommandError::Unavailable));
    }
    assert_eq!(first.await.unwrap(), Err(CommandError::Unavailable));
    assert_eq!(server.listener.heard().len(), 2, "the opening alone");

    execute(&hand, "ALTER TABLE elsewhere RENAME TO messages").await;
    assert_eq!(posted(server.ask(id, send(customer("ada"), "again")).await).message.seq, Some(2));
    assert_eq!(server.registry.live(), 2, "the same actors answer");
    let (bobs, _) = open_with(&server.registry, open(customer("bob"), "Hello", "name")).await.unwrap();
    assert_eq!(written(&place, bobs).await.len(), 1);
    let written = written(&place, id).await;
    assert_seq_has_no_gap(&written);
    assert_eq!(written.len(), 2);
    let heard = server.listener.heard_events(5).await;
    assert_eq!(heard.len(), 5, "two openings and one message");
}

/// A server that has given up on the commit of a message, `slow`, which the database finishes all the same once the
/// lock is let go of. Before it stands the opening alone.
async fn with_a_slow_commit(place: &mut TestDatabase) -> (Server, ConversationId, DatabaseTransaction) {
    // Long enough for a machine whose disk stalls: only what meets the lock may run into it.
    place.settings.timeout_ms = 2_000;
    let server = Server::start(place).await;
    let id = server.opened().await;
    let hand = place.connection().await;
    // A statement that is cancelled does not end here: it goes on waiting for the lock that the test holds.
    let dawdle = "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOOP
            BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; EXCEPTION WHEN query_canceled THEN NULL; END;
        END LOOP; END $$;
        CREATE TRIGGER dawdle BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.body = 'slow')
            EXECUTE FUNCTION dawdle()";
    execute(&hand, dawdle).await;
    let lock = hand.begin().await.unwrap();
    lock.execute_unprepared("SELECT pg_advisory_xact_lock(7)").await.unwrap();
    let slow = send_as(customer("ada"), "slow", "name");
    assert_eq!(server.ask(id, slow).await, Err(CommandError::Unavailable));
    (server, id, lock)
}

/// The database takes so long over a commit that the server gives up on it, and then finishes it all the same.
#[test]
fn what_turns_out_to_be_stored_is_told_once() {
    run(Backend::Postgres, async |mut place: TestDatabase| {
        let (server, id, lock) = with_a_slow_commit(&mut place).await;
        // Nothing can get past it, and nothing is told of it.
        assert_eq!(server.ask(id, send(customer("ada"), "behind it")).await, Err(CommandError::Unavailable));
        assert_eq!((server.listener.heard().len(), server.stored(id).await.unwrap().version), (2, 2));

        lock.rollback().await.unwrap();
        let heard = server.listener.heard_events(3).await;
        let stored = written(&place, id).await;
        assert_eq!((heard[2].id.0, heard[2].position), (stored[1].id, 3));

        // Who asks again under its name learns what came of it; and it is told of no second time.
        assert_eq!(posted(server.ask(id, send_as(customer("ada"), "slow", "name")).await).id, heard[2].id);
        assert_eq!(posted(server.ask(id, send(customer("ada"), "on")).await).message.seq, Some(3));
        let heard = server.listener.heard_events(4).await;
        assert_eq!(heard.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_seq_has_no_gap(&written(&place, id).await);
    });
}

/// As above, and the command that has it looked for panics.
#[test]
fn what_turns_out_to_be_stored_is_told_though_what_follows_panics() {
    run(Backend::Postgres, async |mut place: TestDatabase| {
        let (server, id, lock) = with_a_slow_commit(&mut place).await;
        lock.rollback().await.unwrap();
        while server.stored(id).await.unwrap().version < 3 {}
        server.clock.panics.store(true, Ordering::SeqCst);
        assert_eq!(server.ask(id, send(customer("ada"), "x")).await, Err(CommandError::Fault));
        let heard = server.listener.heard_events(3).await;
        assert_eq!(heard.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3]);
    });
}

/// As above, while somebody who read before it was stored begins to listen.
#[test]
fn what_turns_out_to_be_stored_is_not_missed_by_who_begins_to_listen_meanwhile() {
    run(Backend::Postgres, async |mut place: TestDatabase| {
        let (server, id, lock) = with_a_slow_commit(&mut place).await;
        let (end, read) = oneshot::channel();
        let found_nothing = async { Ok(read.await.unwrap()) };
        let (registry, listener) = (Arc::clone(&server.registry), Arc::clone(&server.listener));
        let begun = move |missed: Backlog| (missed.messages, listener.heard().len());
        let begin = async move { registry.listen(id, 2, found_nothing, begun).await };
        let begun = actix::spawn(begin);
        tokio::task::yield_now().await;
        lock.rollback().await.unwrap();
        while server.stored(id).await.unwrap().version < 3 {}
        // Decided on the state that was loaded with the slow one in it.
        let next = server.asking(id, send(customer("ada"), "next"));
        while server.stored(id).await.unwrap().version < 4 {}
        end.send(Vec::new()).unwrap();

        let (missed, announced) = begun.await.unwrap().unwrap();
        posted(next.await.unwrap());
        let heard = server.listener.heard_events(4).await;
        let told = missed.iter().map(|posted| posted.id).chain(heard[announced..].iter().map(|event| event.id));
        assert_eq!(told.collect::<Vec<_>>(), heard[2..].iter().map(|event| event.id).collect::<Vec<_>>());
        assert_eq!(heard.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
    });
}

/// What the actor remembers may be another server's past: without the database nobody is told that it is so.
async fn what_cannot_be_looked_at_is_not_answered_from_memory(mut place: TestDatabase) {
    place.settings.timeout_ms = 2_000;
    let server = Server::start(&place).await;
    let id = server.opened().await;
    server.ask(id, claim("grace")).await.unwrap();
    let hand = place.connection().await;
    execute(&hand, "ALTER TABLE conversations RENAME TO elsewhere").await;
    for who in ["grace", "edsger"] {
        assert_eq!(server.ask(id, claim(who)).await.map(drop), Err(CommandError::Fault), "{who}");
    }
    execute(&hand, "ALTER TABLE elsewhere RENAME TO conversations").await;
    assert!(matches!(server.ask(id, claim("grace")).await, Ok(Outcome::Claimed(_))));
    let refused = Err(CommandError::Refused(Refusal::ClaimedByAnother));
    assert_eq!(server.ask(id, claim("edsger")).await, refused);
}

/// However many ask for what changes nothing, and whatever is stored meanwhile: each is answered, and rightly.
async fn what_changes_nothing_is_answered_beside_what_does(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    server.ask(id, claim("grace")).await.unwrap();
    let halt = BlockedRuntime::start(&server.database).await;
    let mut asked = Vec::new();
    for number in 0..200 {
        let (who, is_theirs) = if number % 2 == 0 { ("grace", true) } else { ("edsger", false) };
        asked.push((is_theirs, server.asking(id, claim(who))));
        if number % 10 == 5 {
            asked.push((true, server.asking(id, send(customer("ada"), &format!("{number}")))));
        }
    }
    drop(halt);
    for (is_theirs, answer) in asked {
        match answer.await.unwrap() {
            Ok(_) => assert!(is_theirs),
            Err(refused) => assert_eq!((is_theirs, refused), (false, Refusal::ClaimedByAnother.into())),
        }
    }
    assert_eq!(server.stored(id).await.unwrap().version, 2 + 1 + 20);
}

on_both_databases!(
    what_cannot_be_looked_at_is_not_answered_from_memory,
    what_changes_nothing_is_answered_beside_what_does,
    a_panic_costs_the_command_that_it_happened_to,
    a_panic_over_a_first_message_leaves_nothing_behind,
    a_listener_that_panics_costs_no_answer_and_nothing_that_follows,
    a_commit_that_fails_fails_all_that_was_under_way_and_nobody_is_told,
);
