//! A commit that fails stores nothing of its batch and does not affect the next one. If the data of one conversation is
//! the cause, the others of the batch are stored.

use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};

use super::*;
use crate::database::Backend;
use crate::testing::{BlockedRuntime, execute, note, on_both_databases};

/// Appends a note to each as one batch, makes it fail, and checks that nothing of it is stored.
async fn fail_all(server: &Server, hand: &DatabaseConnection, all: &mut [Speculating]) {
    let before = rows(hand).await;
    let halt = BlockedRuntime::start(&server.database).await;
    let mut unmoved = Vec::new();
    let mut outcomes = Vec::new();
    for conversation in &mut *all {
        unmoved.push(conversation.story.clone());
        let (append, outcome) = conversation.append(&note("grace", "Hm"));
        server.append(append);
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

/// After a failure a reloaded conversation continues.
async fn go_on(server: &Server, all: &mut [Speculating]) {
    for conversation in all {
        let mut story = conversation.story.clone();
        story.state = server.stored(story.id).await;
        *conversation = Speculating::begin(story);
        let (append, outcome) = conversation.append(&note("grace", "Again"));
        server.append(append);
        assert_committed(outcome.await);
        // Read on another connection: the writer's own also sees what is not committed.
        assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
    }
}

/// Appends a note to each as one batch, and checks that it is stored for all but the failing ones.
async fn fail_only(server: &Server, all: &mut [Speculating], failing: &[ConversationId]) {
    let halt = BlockedRuntime::start(&server.database).await;
    let before: Vec<_> = all.iter().map(|conversation| conversation.story.clone()).collect();
    let mut outcomes = Vec::new();
    for conversation in &mut *all {
        let (append, outcome) = conversation.append(&note("grace", "Hm"));
        server.append(append);
        outcomes.push(outcome);
    }
    drop(halt);
    for ((outcome, conversation), before) in outcomes.into_iter().zip(all.iter()).zip(before) {
        let fails = failing.contains(&before.id);
        if fails {
            assert_failed(outcome.await);
        } else {
            assert_committed(outcome.await);
        }
        assert_eq!(conversation.epoch.is_broken(), fails);
        let expected = if fails { before.state } else { conversation.story.state.clone() };
        assert_eq!(server.stored(before.id).await, expected);
    }
}

/// A constraint on the text that some messages break.
async fn data_that_cannot_be_stored_fails_its_conversations_only(place: TestDatabase) {
    const CONVERSATIONS: usize = 40;
    let server = Server::start_with(&place, &JournalSettings { writers: 1, ..journal_settings() }).await;
    let mut all = server.opened_by(0..CONVERSATIONS).await;
    let hand = place.connection().await;
    let rounds = [vec![0], vec![CONVERSATIONS - 1], vec![7, 8, 23], (0..CONVERSATIONS).collect()];
    for (round, bad) in rounds.into_iter().enumerate() {
        let ids: Vec<ConversationId> = bad.iter().map(|number| all[*number].story.id).collect();
        let listed = ids.iter().map(|id| quoted(&place, id.0)).collect::<Vec<_>>().join(", ");
        for statement in refuse_messages_of(place.backend, round, &listed) {
            execute(&hand, &statement).await;
        }
        fail_only(&server, &mut all, &ids).await;
        let drop = match place.backend {
            Backend::Postgres => format!("DROP TRIGGER refuse_{round} ON messages"),
            Backend::Sqlite => format!("DROP TRIGGER refuse_{round}"),
        };
        execute(&hand, &drop).await;
        go_on(&server, &mut all).await;
    }
}

fn quoted(place: &TestDatabase, id: uuid::Uuid) -> String {
    match place.backend {
        Backend::Postgres => format!("'{id}'"),
        Backend::Sqlite => format!("x'{}'", id.simple()),
    }
}

/// Makes the database refuse messages of these conversations, as it refuses invalid data.
fn refuse_messages_of(backend: Backend, round: usize, conversations: &str) -> Vec<String> {
    let condition = format!("WHEN (NEW.conversation_id IN ({conversations}))");
    match backend {
        Backend::Postgres => vec![
            "CREATE OR REPLACE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE 'no' USING ERRCODE = '22021'; END $$"
                .to_owned(),
            format!(
                "CREATE TRIGGER refuse_{round} AFTER INSERT ON messages FOR EACH ROW {condition} \
                 EXECUTE FUNCTION refuse_some()"
            ),
        ],
        Backend::Sqlite => vec![format!(
            "CREATE TRIGGER refuse_{round} AFTER INSERT ON messages {condition} \
             BEGIN SELECT RAISE(ABORT, 'no'); END"
        )],
    }
}

async fn a_failing_statement_fails_the_batch(place: TestDatabase) {
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

/// Statements that make a commit fail, and that repair it. Each fails after the first write, so that there is something
/// to roll back. The last one fails in the commit itself: SQLite ends such a transaction itself, as on a full disk, and
/// the driver may then take the next transaction for a part of it.
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

async fn a_position_that_is_already_used_fails_its_conversation_only(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut all = server.opened_by(0..5).await;
    let hand = place.connection().await;
    let foreign = |values: &str| {
        format!(
            "INSERT INTO messages (conversation_id, position, id, body, is_internal, is_from_user, sender, created_at) \
             SELECT conversation_id, 3, {values} FROM messages WHERE id = "
        )
    };
    let first = quoted(&place, all[2].story.log[1].id.0);
    let values = format!("{}, 'x', true, false, 'foreign', created_at", quoted(&place, uuid::Uuid::now_v7()));
    execute(&hand, &format!("{}{first}", foreign(&values))).await;
    assert_eq!(rows(&hand).await[1], 6, "the row is stored");
    let failing = all[2].story.id;
    fail_only(&server, &mut all, &[failing]).await;
    assert_eq!(rows(&hand).await[1], 10);

    execute(&hand, "DELETE FROM messages WHERE sender = 'foreign'").await;
    go_on(&server, &mut all).await;
}

/// On SQLite the driver waits for the lock, and the timeout cancels it there: the connection must stay usable.
async fn a_lock_that_is_held_too_long_fails_the_batch_and_nothing_else(mut place: TestDatabase) {
    // Long enough for statements that meet no lock, on a machine whose disk stalls.
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
    a_failing_statement_fails_the_batch,
    a_position_that_is_already_used_fails_its_conversation_only,
    data_that_cannot_be_stored_fails_its_conversations_only,
    a_lock_that_is_held_too_long_fails_the_batch_and_nothing_else,
);
