//! A server as a child process.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{ServerOptions, StartFailure};

/// How long a start may take on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How often the output of a starting server is read.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running process, killed when this is dropped.
#[derive(Debug)]
pub(super) struct ChildServer {
    process: Child,
    /// Holds the standard output, and the log unless the options name a file for it.
    folder: TempDir,
    log_file: PathBuf,
}

impl ChildServer {
    /// Starts the binary, and waits until it logs the address it listens on.
    pub(super) async fn start(binary: &Path, options: &ServerOptions) -> Result<(Self, SocketAddr), StartFailure> {
        let mut server = Self::spawn(binary, options);
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let output = read(&server.output_file());
            if let Some(address) = output.split("listens on http://").nth(1).and_then(|rest| rest.lines().next()) {
                return Ok((server, address.parse().unwrap()));
            }
            let status = server.exit_status();
            if status.is_some() || Instant::now() > deadline {
                return Err(StartFailure { status, log: server.log() });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn spawn(binary: &Path, options: &ServerOptions) -> Self {
        let folder = TempDir::new().unwrap();
        let log_file = options.log_file.clone().unwrap_or_else(|| folder.path().join("log"));
        let mut command = Command::new("bash");
        // A write beyond RLIMIT_FSIZE sends SIGXFSZ, which would end the process. Ignored, it lets the write fail, as on a
        // full disk.
        command.args(["-c", &format!("trap '' XFSZ; {} exec \"$0\" serve", options.shell_prefix)]).arg(binary);
        // The test decides all settings, not the shell that runs it.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SWITCHBOARD_")) {
            command.env_remove(name);
        }
        command
            .envs(&options.variables)
            .stdin(Stdio::null())
            .stdout(File::create(folder.path().join("output")).unwrap())
            .stderr(File::create(&log_file).unwrap());
        Self { process: command.spawn().unwrap(), folder, log_file }
    }

    fn output_file(&self) -> PathBuf {
        self.folder.path().join("output")
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().unwrap()
    }

    pub(super) fn log(&self) -> String {
        read(&self.log_file)
    }
}

/// Reads a file that may end within a character, because the server that wrote it was killed.
fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}
