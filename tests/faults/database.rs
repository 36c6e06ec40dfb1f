//! A database for each run: a file, or a database in a PostgreSQL of the test's own, which can be stopped and crashed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;
use url::Url;

use super::disk::Disk;
use super::fault::Fault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A PostgreSQL for many databases.
pub(crate) struct Cluster {
    url: Url,
    /// Where it is one that nobody else uses; it is stopped when this is dropped.
    folder: Option<TempDir>,
}

impl Cluster {
    /// The one that all tests share. It can be neither halted nor crashed.
    fn shared() -> Self {
        let url = std::env::var("SWITCHBOARD_TEST_POSTGRES")
            .expect("this test needs a PostgreSQL in SWITCHBOARD_TEST_POSTGRES: run `scripts/test`, which starts one");
        Self { url: Url::parse(&url).unwrap(), folder: None }
    }

    /// What a run over these faults needs.
    pub(crate) fn for_faults(backend: Backend, faults: &[Fault]) -> Option<Self> {
        match backend {
            Backend::Sqlite => None,
            Backend::Postgres if faults.iter().any(|fault| fault.needs_a_cluster()) => Some(Self::start()),
            Backend::Postgres => Some(Self::shared()),
        }
    }

    /// One of its own.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        // PostgreSQL's own user has to get through.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let said = postgres("start", &folder.path().join("cluster"));
        Self { url: Url::parse(said.trim()).unwrap(), folder: Some(folder) }
    }

    /// For `scripts/postgres`.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.path().join("cluster"))
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        format!("127.0.0.1:{}", self.url.port().unwrap()).parse().unwrap()
    }

    /// Makes a database: its address.
    pub(crate) async fn database(&self) -> Url {
        let name = format!("run_{}", uuid::Uuid::now_v7().simple());
        let hand = connect(&self.url).await;
        hand.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        hand.close().await.unwrap();
        let mut url = self.url.clone();
        url.set_path(&name);
        url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(folder) = self.folder() {
            postgres("stop", &folder);
        }
    }
}

/// What `scripts/postgres` says; it must succeed.
pub(crate) fn postgres(verb: &str, folder: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres");
    let mut command = Command::new(script);
    let done = command.arg(verb).arg(folder).stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "scripts/postgres {verb}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

pub(crate) async fn connect(url: &Url) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(url.as_str());
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// Where a run's data is.
pub(crate) enum Place<'a> {
    File(Disk),
    Cluster { cluster: &'a Cluster, url: Url },
}

impl<'a> Place<'a> {
    pub(crate) async fn make(cluster: Option<&'a Cluster>, small_disk: bool) -> Self {
        match cluster {
            Some(cluster) => Self::Cluster { cluster, url: cluster.database().await },
            None => Self::File(Disk::make(small_disk)),
        }
    }

    /// Many runs share a cluster, and its disk.
    pub(crate) async fn remove(&self) {
        let Self::Cluster { cluster, url } = self else { return };
        let hand = connect(&cluster.url).await;
        let name = url.path().trim_start_matches('/');
        hand.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        hand.close().await.unwrap();
    }
}
