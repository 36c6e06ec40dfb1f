//! A fresh database for each test, gone behind it.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// Lives as long as the test; the servers on it must be stopped before.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    remains: Remains,
}

enum Remains {
    Folder(#[expect(dead_code, reason = "kept to be removed")] TempDir),
    Database(String),
}

impl TestDatabase {
    pub(crate) async fn create(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let folder = TempDir::new().unwrap();
                let url = format!("sqlite://{}", folder.path().join("switchboard.db").display());
                Self { url, remains: Remains::Folder(folder) }
            }
            Backend::Postgres => {
                let name = format!("test_{}", Uuid::now_v7().simple());
                administer(&format!("CREATE DATABASE {name}")).await;
                let mut url = url::Url::parse(&administration()).unwrap();
                url.set_path(&name);
                Self { url: url.to_string(), remains: Remains::Database(name) }
            }
        }
    }
}

impl TestDatabase {
    /// A way in beside the servers; one of them must have made the tables.
    pub(crate) async fn hand(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Remains::Database(name) = &self.remains {
            let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            // Dropping cannot wait for a future: another thread does.
            std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(administer(&statement));
            })
            .join()
            .unwrap();
        }
    }
}

fn administration() -> String {
    std::env::var("SWITCHBOARD_TEST_POSTGRES")
        .expect("SWITCHBOARD_TEST_POSTGRES is not set: run the tests with scripts/test, which starts a PostgreSQL")
}

async fn administer(statement: &str) {
    let connection = Database::connect(administration()).await.unwrap();
    connection.execute_unprepared(statement).await.unwrap();
    connection.close().await.unwrap();
}
