//! A PostgreSQL server for tests (`scripts/postgres`).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use url::Url;

/// A PostgreSQL server: the one that all tests of a run share, or one that a single test may pause and crash.
///
/// A cluster of the test's own is stopped when this is dropped.
#[derive(Debug)]
pub struct PostgresCluster {
    url: Url,
    folder: Option<TempDir>,
}

impl PostgresCluster {
    /// The server that `scripts/test` has started.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn shared() -> Self {
        let url = std::env::var("SWITCHBOARD_TEST_POSTGRES")
            .expect("this test needs a PostgreSQL in SWITCHBOARD_TEST_POSTGRES: run `scripts/test`, which starts one");
        Self { url: Url::parse(&url).expect("SWITCHBOARD_TEST_POSTGRES is a postgres:// URL"), folder: None }
    }

    /// Starts a server of the test's own.
    #[must_use]
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        // PostgreSQL runs as a user of its own, who must be able to enter the folder.
        let enterable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), enterable).unwrap();
        let output = run_script("start", &folder.path().join("cluster"));
        Self { url: Url::parse(output.trim()).unwrap(), folder: Some(folder) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        format!("127.0.0.1:{}", self.url.port().unwrap()).parse().unwrap()
    }

    /// The URL of its maintenance database.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Suspends all its processes (`SIGSTOP`).
    pub async fn pause(&self) {
        self.run("pause").await;
    }

    /// Resumes all its processes.
    pub async fn resume(&self) {
        self.run("resume").await;
    }

    /// As [`resume`](Self::resume), for `drop`, which cannot wait. Does nothing to the shared server.
    pub fn resume_blocking(&self) {
        if let Some(folder) = self.folder() {
            run_script("resume", &folder);
        }
    }

    /// Ends all its processes without a shutdown, then starts it again at the same address.
    pub async fn crash(&self) {
        self.run("crash").await;
    }

    async fn run(&self, verb: &'static str) {
        let folder = self.folder().expect("the shared PostgreSQL is neither paused nor crashed");
        tokio::task::spawn_blocking(move || run_script(verb, &folder)).await.unwrap();
    }

    fn folder(&self) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.path().join("cluster"))
    }
}

impl Drop for PostgresCluster {
    fn drop(&mut self) {
        if let Some(folder) = self.folder() {
            run_script("stop", &folder);
        }
    }
}

/// Runs `scripts/postgres VERB FOLDER`; returns what it prints.
fn run_script(verb: &str, folder: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
    let output = Command::new(script).arg(verb).arg(folder).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "scripts/postgres {verb}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
