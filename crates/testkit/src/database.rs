//! A database that exists as long as a test.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use switchboard::database::Backend;
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use crate::PostgresCluster;

/// A new, empty database. It is dropped with this value, so stop the servers that use it first.
#[derive(Debug)]
pub struct ScratchDatabase {
    /// What a server's `DATABASE_URL` is set to.
    pub url: String,
    _storage: Storage,
}

#[derive(Debug)]
enum Storage {
    /// SQLite's file.
    Folder { _folder: TempDir },
    /// A database of a PostgreSQL server, by its name.
    Server { maintenance: Url, name: String },
}

impl ScratchDatabase {
    /// A database of this kind; PostgreSQL's is on the server that all tests share.
    pub async fn create(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::sqlite(),
            Backend::Postgres => Self::postgres(&PostgresCluster::shared()).await,
        }
    }

    /// An SQLite file in a folder of its own.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/switchboard.db", folder.path().display());
        Self { url, _storage: Storage::Folder { _folder: folder } }
    }

    /// A database on this PostgreSQL server.
    pub async fn postgres(cluster: &PostgresCluster) -> Self {
        let maintenance = cluster.url().clone();
        let name = format!("test_{}", Uuid::now_v7().simple());
        execute(&maintenance, &format!("CREATE DATABASE {name}")).await;
        let mut url = maintenance.clone();
        url.set_path(&name);
        Self { url: url.to_string(), _storage: Storage::Server { maintenance, name } }
    }

    /// A connection that bypasses the servers, as an operator's.
    pub async fn connection(&self) -> DatabaseConnection {
        connect(&self.url).await
    }
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

async fn execute(url: &Url, statement: &str) {
    let connection = connect(url.as_str()).await;
    connection.execute_unprepared(statement).await.expect(statement);
    connection.close().await.expect("closed");
}

impl Drop for Storage {
    fn drop(&mut self) {
        let Self::Server { maintenance, name } = self else { return };
        let (maintenance, statement) = (maintenance.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        // On a thread of its own: `drop` runs in the test's runtime, which must not block on itself.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(execute(&maintenance, &statement));
        });
        // A second panic during unwinding would abort the process and hide the first.
        if thread.join().is_err() && !std::thread::panicking() {
            panic!("the test's database could not be dropped");
        }
    }
}
