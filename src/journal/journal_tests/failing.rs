//! A commit that fails fails all that was in it, stores nothing of it, and is behind us when the next one begins.

use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};

use super::*;
use crate::database::Backend;
use crate::testing::{BlockedRuntime, execute, note, on_both_databases};

/// Hands in a note to each as one batch, makes it fail, and looks that nothing of it is there.
async fn fail_all(server: &Server, hand: &DatabaseConnection, all: &mut [Speculating]) {
    let before = rows(hand).await;
    let halt = BlockedRuntime::start(&server.database).await;
    let mut unmoved = Vec::new();
    let mut outcomes = Vec::new();
    for conversation in &mut *all {
        unmoved.push(conversation.story.clone());
        let (append, outcome) = conversation.append(&note("grace", "Hm"));
        server.hand_in(append);
        outcomes.push(outcome);
    }
    drop(halt);
    for (outcome, conversation) in outcomes.into_iter().zip(all.iter()) {
        assert_failed(outcome.await);
        assert!(conversation.epoch.is_broken());
    }
    assert_eq!(rows(hand).await, before);
    for story in unmoved {
        assert_eq!(server.stored(story.id).await, story.state);
    }
}

/// After it has failed, who loads anew goes on.
async fn go_on(server: &Server, all: &mut [Speculating]) {
    for conversation in all {
        let mut story = conversation.story.clone();
        story.state = server.stored(story.id).await;
        *conversation = Speculating::begin(story);
        let (append, outcome) = conversation.append(&note("grace", "Again"));
        server.hand_in(append);
        assert_committed(outcome.await);
        // As others see it: the writer's own connection sees what is not committed too.
        assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
    }
}

async fn a_statement_that_fails_fails_the_whole_batch(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut all = server.opened_by(0..5).await;
    let hand = place.connection().await;
    for (breaking, mending) in faults(place.backend) {
        execute(&hand, breaking).await;
        fail_all(&server, &hand, &mut all).await;
        execute(&hand, mending).await;
        go_on(&server, &mut all).await;
    }
}

/// What makes a commit fail, and what sets it right again. Both strike behind what a transaction does first: it has
/// something to take back. The last one strikes in the commit itself: behind a transaction that SQLite has ended by
/// itself, as it does when its disk is full, the connection's driver may take the next one for a part of that.
fn faults(backend: Backend) -> [(&'static str, &'static str); 3] {
    match backend {
        Backend::Postgres => [
            (
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
                 CREATE TRIGGER refuse AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse()",
                "DROP TRIGGER refuse ON messages",
            ),
            (
                "ALTER TABLE messages ADD CONSTRAINT refuse CHECK (position < 4) NOT VALID",
                "ALTER TABLE messages DROP CONSTRAINT refuse",
            ),
            (
                "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION refuse()",
                "DROP TRIGGER refuse ON messages",
            ),
        ],
        Backend::Sqlite => [
            (
                "CREATE TRIGGER refuse AFTER INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no'); END",
                "DROP TRIGGER refuse",
            ),
            (
                "CREATE TRIGGER refuse_all BEFORE INSERT ON messages BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
                "DROP TRIGGER refuse_all",
            ),
            (
                "CREATE TABLE refused (id INTEGER REFERENCES refused (id) DEFERRABLE INITIALLY DEFERRED, other INTEGER PRIMARY KEY);
                 CREATE TRIGGER refuse_at_commit AFTER INSERT ON messages BEGIN INSERT INTO refused (id) VALUES (-1); END",
                "DROP TRIGGER refuse_at_commit",
            ),
        ],
    }
}

async fn a_place_that_a_foreign_row_has_fails_the_whole_batch(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut all = server.opened_by(0..5).await;
    let hand = place.connection().await;
    let foreign = |values: &str| {
        format!(
            "INSERT INTO messages (conversation_id, position, id, body, is_internal, is_from_user, sender, created_at) \
             SELECT conversation_id, 3, {values} FROM messages WHERE id = "
        )
    };
    let (taken, quoted) = (&all[2].story, |id: uuid::Uuid| match place.backend {
        Backend::Postgres => format!("'{id}'"),
        Backend::Sqlite => format!("x'{}'", id.simple()),
    });
    let first = quoted(taken.log[1].id.0);
    let values = format!("{}, 'x', true, false, 'nobody', created_at", quoted(uuid::Uuid::now_v7()));
    execute(&hand, &format!("{}{first}", foreign(&values))).await;
    assert_eq!(rows(&hand).await[1], 6, "the foreign row is there");
    fail_all(&server, &hand, &mut all).await;

    execute(&hand, "DELETE FROM messages WHERE sender = 'nobody'").await;
    go_on(&server, &mut all).await;
}

/// On SQLite the lock is waited for inside the driver, and given up in the middle: the connection must be none the
/// worse.
async fn a_lock_that_another_holds_too_long_fails_the_batch_and_harms_nothing(mut place: TestDatabase) {
    // Long enough for what meets no lock, on a machine whose disk stalls.
    place.settings.timeout_ms = 3_000;
    let server = Server::start(&place).await;
    let mut all = server.opened_by(0..3).await;
    let hand = place.connection().await;
    for _ in 0..2 {
        let holder = place.connection().await;
        let immediately = TransactionOptions {
            sqlite_transaction_mode: (place.backend == Backend::Sqlite).then_some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let lock = holder.begin_with_options(immediately).await.unwrap();
        if place.backend == Backend::Postgres {
            sea_orm::ConnectionTrait::execute_unprepared(&lock, "LOCK TABLE conversations IN EXCLUSIVE MODE")
                .await
                .unwrap();
        }
        fail_all(&server, &hand, &mut all).await;
        lock.rollback().await.unwrap();
        go_on(&server, &mut all).await;
    }
}

on_both_databases!(
    a_statement_that_fails_fails_the_whole_batch,
    a_place_that_a_foreign_row_has_fails_the_whole_batch,
    a_lock_that_another_holds_too_long_fails_the_batch_and_harms_nothing,
);
