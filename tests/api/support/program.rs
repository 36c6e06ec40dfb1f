//! The built program, on a database and a port of its own: for what a server in the test's process cannot show.

use std::fs::File;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::SECRET;

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Dropped, it is killed.
pub(crate) struct Program {
    process: Child,
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Program {
    /// Waits until it listens. Before it is started the shell does `before`: sets a limit, say.
    pub(crate) async fn start(binary: &str, before: &str) -> Self {
        let mut program = Self::spawn(binary, before);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = program.read("out");
            if let Some(address) = said.split("listens on http://").nth(1).and_then(|rest| rest.lines().next()) {
                program.address = address.parse().unwrap();
                return program;
            }
            let ended = program.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended, {ended:?}:\n{}", program.log());
            assert!(Instant::now() < deadline, "it does not listen:\n{}", program.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The same for one that is to end by itself: how it ended, and what it said.
    pub(crate) async fn fail(binary: &str, before: &str) -> (ExitStatus, String) {
        let mut program = Self::spawn(binary, before);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(ended) = program.process.try_wait().unwrap() {
                return (ended, program.log());
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", program.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn spawn(binary: &str, before: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = |name: &str| File::create(folder.path().join(name)).unwrap();
        let process = Command::new("bash")
            .args(["-c", &format!("{before} exec \"$0\" serve"), binary])
            .env("PORT", "0")
            .env("JWT_SECRET", SECRET)
            .env("DATABASE_URL", format!("sqlite://{}/switchboard.db", folder.path().display()))
            // The same on every machine, however many cores it has.
            .env("SWITCHBOARD__SERVER__WORKERS", "2")
            .env("SWITCHBOARD__CONVERSATION__THREADS", "2")
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("log"))
            .spawn()
            .unwrap();
        Self { process, address: SocketAddr::from(([127, 0, 0, 1], 0)), folder }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.read("log")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// What the kernel says of it.
    pub(crate) fn status(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}
