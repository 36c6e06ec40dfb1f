//! The built program, on a database and a port of its own: for what a server in the test's process cannot show.

use std::fs::File;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::SECRET;

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Dropped, it is killed.
pub(crate) struct Program {
    process: Child,
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Program {
    /// Waits until it listens. Before it is started the shell does `before`: sets a limit, say.
    pub(crate) async fn start(binary: &str, before: &str) -> Self {
        let program = Self::spawn(binary, before);
        let listening = async {
            while TcpStream::connect(program.address).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, listening).await.expect("it does not listen");
        program
    }

    /// The same for one that is to end by itself: how it ended, and what it said.
    pub(crate) fn fail(binary: &str, before: &str) -> (ExitStatus, String) {
        let mut program = Self::spawn(binary, before);
        (program.process.wait().unwrap(), program.log())
    }

    fn spawn(binary: &str, before: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new("bash")
            .args(["-c", &format!("{before} exec \"$0\" serve"), binary])
            .env("PORT", address.port().to_string())
            .env("JWT_SECRET", SECRET)
            .env("DATABASE_URL", format!("sqlite://{}/switchboard.db", folder.path().display()))
            .env("SWITCHBOARD__SERVER__WORKERS", "2")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { process, address, folder }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
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
