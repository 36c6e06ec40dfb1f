//! A migrated database, and tests that run on both kinds.

use std::sync::mpsc;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use secrecy::SecretString;
use switchboard_testkit::{PostgresCluster, ScratchDatabase};
use tokio::sync::oneshot;

use crate::config::{DatabaseSettings, Settings, Sources};
use crate::database::{Backend, Database};

/// A test that takes longer hangs.
const TEST_TIMEOUT: Duration = Duration::from_secs(120);

/// A new, migrated database, which is dropped with this value.
pub(crate) struct TestDatabase {
    pub(crate) backend: Backend,
    pub(crate) settings: DatabaseSettings,
    scratch: ScratchDatabase,
}

impl TestDatabase {
    pub(crate) async fn create(backend: Backend) -> Self {
        let scratch = match backend {
            Backend::Sqlite => ScratchDatabase::sqlite(),
            Backend::Postgres => ScratchDatabase::postgres(&PostgresCluster::shared()).await,
        };
        let (_, settings) = Settings::load(&Sources::default()).expect("the defaults");
        let settings = DatabaseSettings { url: SecretString::from(scratch.url.as_str()), ..settings.database };
        Migrator::up(&scratch.connection().await, None).await.expect("migrated");
        Self { backend, settings, scratch }
    }

    /// A connection of its own, as another server's or an operator's.
    pub(crate) async fn connection(&self) -> DatabaseConnection {
        self.scratch.connection().await
    }
}

/// Runs a statement without parameters.
pub(crate) async fn execute(connection: &DatabaseConnection, statement: &str) {
    connection.execute_unprepared(statement).await.expect(statement);
}

/// Runs a test on a database of this kind, in an actix system of its own.
pub(crate) fn run<Test: Future<Output = ()>>(backend: Backend, test: impl FnOnce(TestDatabase) -> Test) {
    actix::System::new().block_on(async {
        let database = TestDatabase::create(backend).await;
        tokio::time::timeout(TEST_TIMEOUT, test(database)).await.expect("the test hangs");
    });
}

/// Makes each function a test on PostgreSQL and one on SQLite.
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

/// Blocks the runtime of a database until dropped: its queries wait.
pub(crate) struct BlockedRuntime(#[expect(dead_code, reason = "dropping it ends the block")] mpsc::Sender<()>);

impl BlockedRuntime {
    /// Occupies the runtime's only thread.
    pub(crate) async fn start(database: &Database) -> Self {
        let (release, released) = mpsc::channel();
        let (entered, is_blocked) = oneshot::channel();
        database.runtime().spawn(async move {
            entered.send(()).expect("the test waits for this");
            // Returns an error when the sender is dropped, which ends the block.
            let _ = released.recv();
        });
        is_blocked.await.expect("the runtime has a thread");
        Self(release)
    }
}
