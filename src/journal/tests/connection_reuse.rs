//! A writer's own connection: kept from batch to batch, returned to the pool when idle, and not used again once broken.
//! Only PostgreSQL has one.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::sqlx::Postgres;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use secrecy::{ExposeSecret, SecretString};
use switchboard_testkit::{Flow, Interceptor, PostgresCluster, Proxy};
use url::Url;

use super::super::batch::gather;
use super::super::postgres::{self, ConnectionCache};
use super::*;
use crate::database::Backend;
use crate::testing::{close, note, run};

const ALWAYS: Duration = Duration::from_secs(3600);
const NEVER: Duration = Duration::ZERO;

/// A writer reduced to its connection and its statement.
struct Hand {
    database: Database,
    kept: Option<ConnectionCache>,
}

impl Hand {
    fn new(server: &Server, max_idle: Duration) -> Self {
        Self { database: server.database.clone(), kept: Some(ConnectionCache::with_max_idle(max_idle)) }
    }

    /// Commits a note to the conversation on the database's runtime, as a writer does.
    async fn commits(&mut self, conversation: &mut Speculating) -> Result<HashSet<ConversationId>, DatabaseError> {
        let (append, _outcome) = conversation.append(&note("grace", "Hm"));
        let batch = gather(&mut VecDeque::from([append]), 1);
        let (database, mut kept) = (self.database.clone(), self.kept.take().expect("it was given back"));
        let committed = self.database.runtime().spawn(async move {
            let committed = postgres::commit(&database, &mut kept, &batch).await;
            (committed, kept)
        });
        let (committed, kept) = committed.await.expect("it does not panic");
        self.kept = Some(kept);
        committed
    }
}

/// This many connections of the pool for writes, at once.
async fn taken(server: &Server, count: u32) -> Vec<PoolConnection<Postgres>> {
    let pool = server.database.writes().get_postgres_connection_pool().clone();
    let taking = async move {
        let mut taken = Vec::new();
        for _ in 0..count {
            taken.push(pool.acquire().await.expect("one is free"));
        }
        taken
    };
    server.database.runtime().spawn(taking).await.expect("taken")
}

/// How many of them the journal's own writer leaves free.
fn left_by_the_journal(server: &Server) -> u32 {
    server.database.writes().get_postgres_connection_pool().options().get_max_connections() - 1
}

/// The server process of the connection that committed last.
async fn last_writer(hand: &DatabaseConnection) -> i32 {
    let question = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                    AND application_name = 'switchboard' AND query LIKE '%WITH batch AS%' \
                    ORDER BY query_start DESC LIMIT 1";
    let row = hand.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await.unwrap();
    row.expect("a connection that has committed").try_get("", "pid").unwrap()
}

/// Ends that process and waits until it has ended.
async fn end(hand: &DatabaseConnection, process: i32) {
    let ended = format!("SELECT pg_terminate_backend({process}, 60000) AS ended");
    let row = hand.query_one_raw(Statement::from_string(DbBackend::Postgres, ended)).await.unwrap().unwrap();
    assert!(row.try_get::<bool>("", "ended").unwrap());
}

#[test]
fn a_connection_that_is_in_use_is_kept() {
    run(Backend::Postgres, async |place| {
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
        // The pool has others and would rotate through them.
        drop(taken(&server, left_by_the_journal(&server)).await);
        let mut writer = Hand::new(&server, ALWAYS);
        let mut writers = HashSet::new();
        for _ in 0..5 {
            writer.commits(&mut conversation).await.expect("committed");
            writers.insert(last_writer(&hand).await);
        }
        assert_eq!(writers.len(), 1, "{writers:?}");
    });
}

/// The pool tests a connection that was returned to it, so a dead one does no harm.
#[test]
fn a_connection_that_was_idle_for_too_long_is_tested_before_it_is_used() {
    run(Backend::Postgres, async |place| {
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
        // One is left, so a connection that was not returned would be missing.
        let _others = taken(&server, left_by_the_journal(&server) - 1).await;
        let mut writer = Hand::new(&server, NEVER);
        for _ in 0..5 {
            writer.commits(&mut conversation).await.expect("committed");
            end(&hand, last_writer(&hand).await).await;
        }
        writer.commits(&mut conversation).await.expect("committed");
        assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
    });
}

#[test]
fn a_cached_connection_that_breaks_fails_one_batch_and_is_not_used_again() {
    run(Backend::Postgres, async |place| {
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
        let mut writer = Hand::new(&server, ALWAYS);
        for _ in 0..5 {
            writer.commits(&mut conversation).await.expect("committed");
            let (before, counted) = (conversation.clone(), rows(&hand).await);
            end(&hand, last_writer(&hand).await).await;
            let failed = writer.commits(&mut conversation).await.expect_err("its connection is dead");
            assert!(failed.is_passing(), "{failed}");
            assert_eq!(rows(&hand).await, counted, "nothing of it is there");
            assert_eq!(server.stored(before.story.id).await, before.story.state);
            conversation = before.reloaded();
        }
        writer.commits(&mut conversation).await.expect("committed");
        assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
    });
}

/// The same through the journal: the commit after a broken connection succeeds or fails, and the next one succeeds.
#[test]
fn the_journal_continues_when_its_connection_breaks() {
    run(Backend::Postgres, async |place| {
        let (server, hand) = (Server::start(&place).await, place.connection().await);
        let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
        for _ in 0..5 {
            end(&hand, last_writer(&hand).await).await;
            let before = conversation.clone();
            let (append, outcome) = conversation.append(&note("grace", "Hm"));
            server.append(append);
            match outcome.await {
                Ok(AppendOutcome::Committed) => {}
                Ok(AppendOutcome::Failed(error)) if error.is_passing() => conversation = before.reloaded(),
                outcome => panic!("{outcome:?}"),
            }
            assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
            let (append, outcome) = conversation.append(&note("grace", "Again"));
            server.append(append);
            assert_committed(outcome.await);
            assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
        }
    });
}

/// Holds the first `BEGIN` back until the client sends something else on the same connection, which it does only after it
/// has stopped waiting for the answer.
struct HoldBegin {
    is_armed: Arc<AtomicBool>,
    held: Vec<u8>,
}

impl Interceptor for HoldBegin {
    fn request(&mut self, bytes: &mut Vec<u8>) -> Flow {
        let is_begin = bytes.windows(5).any(|window| window == b"BEGIN");
        if is_begin && self.is_armed.swap(false, Ordering::SeqCst) {
            self.held = std::mem::take(bytes);
        } else {
            bytes.splice(0..0, self.held.drain(..));
        }
        Flow::Continue
    }

    fn response(&mut self, _: &mut Vec<u8>) -> Flow {
        Flow::Continue
    }
}

#[test]
fn a_begin_that_is_given_up_leaves_no_transaction_open() {
    run(Backend::Postgres, async |mut place| {
        let is_armed = Arc::new(AtomicBool::new(false));
        let armed = Arc::clone(&is_armed);
        let hold = move || HoldBegin { is_armed: Arc::clone(&armed), held: Vec::new() };
        let proxy = Proxy::intercept(PostgresCluster::shared().address(), hold).await;
        let mut url: Url = place.settings.url.expose_secret().parse().expect("a URL");
        url.set_port(Some(proxy.address().port())).expect("a URL with a port");
        place.settings.url = SecretString::from(url.as_str());
        place.settings.timeout_ms = 300;
        let server = Server::start(&place).await;
        let mut all = server.opened_by(0..2).await;
        is_armed.store(true, Ordering::SeqCst);
        let (append, outcome) = all[1].append(&close("grace"));
        server.append(append);
        assert!(matches!(outcome.await, Ok(AppendOutcome::Failed(_))), "the BEGIN is held back");
        assert!(!is_armed.load(Ordering::SeqCst));
        // Each of these takes a connection of the pool, so one of them takes that connection.
        let mut hand = Hand::new(&server, NEVER);
        let direct = place.connection().await;
        for _ in 0..8 {
            let committed = hand.commits(&mut all[0]).await.expect("committed");
            assert_eq!(committed, HashSet::from([all[0].story.id]));
            let row = conversations::Entity::find_by_id(all[0].story.id.0).one(&direct).await.expect("read");
            let version = all[0].story.state.as_ref().map(|state| state.version);
            assert_eq!(row.map(|row| row.version), version, "it is committed, as others see it");
        }
    });
}
