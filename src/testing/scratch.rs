//! A database to throw away, for the unit tests and, by its path, for `tests/it`: so it needs nothing of ours but
//! the [`Backend`] of the module that it stands in.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use super::Backend;

/// A new, empty database; gone when this is dropped, so the servers on it must be stopped before.
pub(crate) struct Scratch {
    pub(crate) url: String,
    _place: Place,
}

/// Where it is, and what is to be tidied up.
enum Place {
    Folder { _folder: TempDir },
    Server { maintenance: Url, name: String },
}

impl Scratch {
    pub(crate) async fn create(backend: Backend) -> Self {
        let (url, place) = match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                (format!("sqlite://{}/switchboard.db", folder.path().display()), Place::Folder { _folder: folder })
            }
            Backend::Postgres => {
                let maintenance = maintenance_url();
                let name = format!("test_{}", Uuid::now_v7().simple());
                administer(&maintenance, &format!("CREATE DATABASE {name}")).await;
                let mut url = maintenance.clone();
                url.set_path(&name);
                (url.to_string(), Place::Server { maintenance, name })
            }
        };
        Self { url, _place: place }
    }

    /// A way in beside the servers: an operator's, another program's.
    pub(crate) async fn hand(&self) -> DatabaseConnection {
        connect(&self.url).await
    }
}

fn maintenance_url() -> Url {
    let url = std::env::var("SWITCHBOARD_TEST_POSTGRES")
        .expect("this test needs a PostgreSQL in SWITCHBOARD_TEST_POSTGRES: run `scripts/test`, which starts one");
    Url::parse(&url).expect("SWITCHBOARD_TEST_POSTGRES is a postgres:// URL")
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(2)
        .min_connections(0)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| options.create_if_missing(true));
    Database::connect(options).await.expect("a connection")
}

async fn administer(maintenance: &Url, statement: &str) {
    let connection = connect(maintenance.as_str()).await;
    connection.execute_unprepared(statement).await.expect(statement);
    connection.close().await.expect("closed");
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Server { maintenance, name } = self else { return };
        let (maintenance, statement) = (maintenance.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        // On a thread of its own: this runs in a test's runtime, which must not block on itself.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(administer(&maintenance, &statement));
        });
        // A test that has failed already fails for its own reason.
        if dropping.join().is_err() && !std::thread::panicking() {
            panic!("the test's database could not be dropped");
        }
    }
}
