//! A database to throw away, and a hand in it beside the server's.

use std::sync::mpsc;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use tokio::sync::oneshot;
use url::Url;
use uuid::Uuid;

use crate::config::{DatabaseSettings, Settings, Sources};
use crate::database::{Backend, Database};

/// No test takes that long: one that does hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A new, migrated database; gone when this is dropped.
pub(crate) struct TestDatabase {
    pub(crate) backend: Backend,
    pub(crate) settings: DatabaseSettings,
    _place: Place,
}

/// Where it is, and what is to be tidied up.
enum Place {
    Folder { _folder: TempDir },
    Server { maintenance: Url, name: String },
}

impl TestDatabase {
    pub(crate) async fn make(backend: Backend) -> Self {
        let (url, place) = match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                (format!("sqlite://{}/test.db?mode=rwc", folder.path().display()), Place::Folder { _folder: folder })
            }
            Backend::Postgres => {
                let maintenance = maintenance_url();
                let name = format!("test_{}", Uuid::now_v7().simple());
                execute(&connect(maintenance.as_str()).await, &format!("CREATE DATABASE {name}")).await;
                let mut url = maintenance.clone();
                url.set_path(&name);
                (url.to_string(), Place::Server { maintenance, name })
            }
        };
        let (_, settings) = Settings::load(&Sources::default()).expect("the defaults");
        let settings = DatabaseSettings { url: SecretString::from(url), ..settings.database };
        let database = Self { backend, settings, _place: place };
        let hand = database.hand().await;
        Migrator::up(&hand, None).await.expect("migrated");
        database
    }

    /// A way in beside the server: an operator's, another program's.
    pub(crate) async fn hand(&self) -> DatabaseConnection {
        connect(self.settings.url.expose_secret()).await
    }
}

fn maintenance_url() -> Url {
    let url = std::env::var("SWITCHBOARD_TEST_POSTGRES")
        .expect("this test needs a PostgreSQL in SWITCHBOARD_TEST_POSTGRES: run `scripts/test`, which starts one");
    Url::parse(&url).expect("SWITCHBOARD_TEST_POSTGRES is a postgres:// URL")
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).min_connections(0).sqlx_logging(false);
    sea_orm::Database::connect(options).await.expect("a connection")
}

/// Runs a statement as it stands.
pub(crate) async fn execute(connection: &DatabaseConnection, statement: &str) {
    connection.execute_unprepared(statement).await.expect(statement);
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Server { maintenance, name } = self else { return };
        let (url, statement) = (maintenance.to_string(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        // On a thread of its own: this runs in a test's runtime, which must not block on itself.
        let dropping = std::thread::spawn(move || {
            actix::System::new().block_on(async move { execute(&connect(&url).await, &statement).await });
        });
        // A test that has failed already fails for its own reason.
        if dropping.join().is_err() && !std::thread::panicking() {
            panic!("the test's database could not be dropped");
        }
    }
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
