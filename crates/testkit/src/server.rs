//! A server for a test, in this process or in one of its own.
//!
//! A test uses a server in this process unless it needs what only a process has: a signal, a limit of the kernel, memory
//! of its own, or a binary built in another way. Either listens on a free port of 127.0.0.1.

mod child;
mod in_process;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;

use switchboard::conversation::{Clock, SystemClock};

use self::child::ChildServer;
use self::in_process::InProcessServer;
use crate::{SECRET, ScratchDatabase};

/// How a server is started. By default it listens on a free port, accepts the tokens of [`TestUser`](crate::TestUser),
/// and has two HTTP workers and two conversation threads, so that a test behaves alike on every machine.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    variables: HashMap<String, String>,
    shell_prefix: String,
    log_file: Option<PathBuf>,
}

impl ServerOptions {
    /// A server on this database.
    #[must_use]
    pub fn new(database: &ScratchDatabase) -> Self {
        Self::with_database_url(&database.url)
    }

    /// A server on the database at this URL.
    #[must_use]
    pub fn with_database_url(url: &str) -> Self {
        let options = Self { variables: HashMap::new(), shell_prefix: String::new(), log_file: None };
        options
            .set("PORT", "0")
            .set("JWT_SECRET", SECRET)
            .set("DATABASE_URL", url)
            .set("SWITCHBOARD__SERVER__WORKERS", "2")
            .set("SWITCHBOARD__CONVERSATION__THREADS", "2")
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Sets several environment variables.
    #[must_use]
    pub fn set_all(self, variables: &[(&str, &str)]) -> Self {
        variables.iter().fold(self, |options, (name, value)| options.set(name, *value))
    }

    /// What the shell runs before it becomes the server, such as `ulimit -n 160;`. For a child process.
    #[must_use]
    pub fn shell_prefix(mut self, commands: &str) -> Self {
        commands.clone_into(&mut self.shell_prefix);
        self
    }

    /// Where a child process logs to; by default a file that is removed with the server.
    #[must_use]
    pub fn log_file(mut self, path: &Path) -> Self {
        self.log_file = Some(path.to_owned());
        self
    }

    /// The environment variables that are set.
    #[must_use]
    pub fn variables(&self) -> &HashMap<String, String> {
        &self.variables
    }
}

/// Why a server does not run.
#[derive(Debug)]
pub struct StartFailure {
    /// How the process ended, where it is a process and ended by itself.
    pub status: Option<ExitStatus>,
    /// What it has logged.
    pub log: String,
}

/// A running server. Dropped, a server in this process is shut down and a child process is killed.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    host: Host,
}

#[derive(Debug)]
enum Host {
    InProcess(#[expect(dead_code, reason = "dropping it stops the server")] InProcessServer),
    Child(ChildServer),
}

impl TestServer {
    /// Starts a server in this process, on a thread of its own.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(options: &ServerOptions) -> Result<Self, StartFailure> {
        Self::start_with_clock(options, SystemClock).await
    }

    /// As [`start`](Self::start), with another clock than the machine's.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_with_clock(options: &ServerOptions, clock: impl Clock + 'static) -> Result<Self, StartFailure> {
        let (server, address) = InProcessServer::start(options, Arc::new(clock)).await?;
        Ok(Self { address, host: Host::InProcess(server) })
    }

    /// Starts this binary as a child process.
    ///
    /// # Errors
    /// When it ends before it listens.
    pub async fn spawn(binary: &Path, options: &ServerOptions) -> Result<Self, StartFailure> {
        let (child, address) = ChildServer::start(binary, options).await?;
        Ok(Self { address, host: Host::Child(child) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The process that it runs in.
    #[must_use]
    pub fn pid(&self) -> u32 {
        match &self.host {
            Host::InProcess(_) => std::process::id(),
            Host::Child(child) => child.pid(),
        }
    }

    /// How a child process has ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        match &mut self.host {
            Host::InProcess(_) => None,
            Host::Child(child) => child.exit_status(),
        }
    }

    /// What a child process has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        match &self.host {
            Host::InProcess(_) => String::new(),
            Host::Child(child) => child.log(),
        }
    }

    /// What the kernel reports of its process, `/proc/PID/status`; nothing once it has ended.
    #[must_use]
    pub fn proc_status(&self) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()
    }
}
