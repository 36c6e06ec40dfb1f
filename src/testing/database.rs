//! A database with our tables in it, and tests that run on each kind.

use std::sync::mpsc;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::scratch::Scratch;
use crate::config::{DatabaseSettings, Settings, Sources};
use crate::database::{Backend, Database};

/// No test takes that long: one that does hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A new, migrated database; gone when this is dropped.
pub(crate) struct TestDatabase {
    pub(crate) backend: Backend,
    pub(crate) settings: DatabaseSettings,
    scratch: Scratch,
}

impl TestDatabase {
    pub(crate) async fn make(backend: Backend) -> Self {
        let scratch = Scratch::create(backend).await;
        let (_, settings) = Settings::load(&Sources::default()).expect("the defaults");
        let settings = DatabaseSettings { url: SecretString::from(scratch.url.as_str()), ..settings.database };
        Migrator::up(&scratch.hand().await, None).await.expect("migrated");
        Self { backend, settings, scratch }
    }

    /// A way in beside the server.
    pub(crate) async fn hand(&self) -> DatabaseConnection {
        self.scratch.hand().await
    }
}

/// Runs a statement as it stands.
pub(crate) async fn execute(connection: &DatabaseConnection, statement: &str) {
    connection.execute_unprepared(statement).await.expect(statement);
}

/// Runs one test on one kind of database, in an actix system of its own.
pub(crate) fn run<Test: Future<Output = ()>>(backend: Backend, test: impl FnOnce(TestDatabase) -> Test) {
    actix::System::new().block_on(async {
        let database = TestDatabase::make(backend).await;
        tokio::time::timeout(PATIENCE, test(database)).await.expect("the test hangs");
    });
}

/// Makes a test of each function for each kind of database.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_postgresql {
            $(#[test] fn $name() { crate::testing::run(crate::database::Backend::Postgres, super::$name); })+
        }
        mod on_sqlite {
            $(#[test] fn $name() { crate::testing::run(crate::database::Backend::Sqlite, super::$name); })+
        }
    };
}
pub(crate) use on_both_databases;

/// While this lives nothing runs on a database's runtime: what is handed in there waits.
pub(crate) struct Halt(#[expect(dead_code, reason = "dropping it is what lets go")] mpsc::Sender<()>);

impl Halt {
    /// Takes the one thread of the runtime.
    pub(crate) async fn begin(database: &Database) -> Self {
        let (letting_go, until) = mpsc::channel();
        let (entered, has_begun) = oneshot::channel();
        database.runtime().spawn(async move {
            entered.send(()).expect("the test waits for this");
            // Comes back with an error when the other end is dropped, which is what it waits for.
            let _ = until.recv();
        });
        has_begun.await.expect("the runtime has a thread");
        Self(letting_go)
    }
}
