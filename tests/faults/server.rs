//! A server that can be killed and restarted, behind a proxy whose address stays the same.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::{Duration, Instant};

use switchboard_testkit::{OffsetClock, Proxy, ServerOptions, TestServer, unused_address};
use tempfile::TempDir;
use tokio::sync::{Mutex, Notify};

use super::run_state::RunState;

/// How long a start while nothing fails may take, all attempts together.
const START_TIMEOUT: Duration = Duration::from_secs(40);

/// How the servers of a run are started.
#[derive(Clone, Debug)]
pub(crate) struct ServerSetup {
    pub(crate) binary: PathBuf,
    pub(crate) options: ServerOptions,
    /// Only a server in this process can be given a clock; it cannot be killed.
    pub(crate) clock: Option<OffsetClock>,
}

/// See the module. Killed when dropped.
pub(crate) struct RestartableServer {
    /// Where clients connect.
    pub(crate) proxy: Proxy,
    setup: ServerSetup,
    running: RefCell<Option<TestServer>>,
    /// Wakes a start that is to be given up because the server is killed.
    killed: Notify,
    address: Cell<SocketAddr>,
    log_folder: TempDir,
    starts: Cell<u32>,
    is_starting: Cell<bool>,
    /// Held by the one start that is in progress: a process that died and one that was killed are both restarted.
    start: Mutex<()>,
    state: Rc<RunState>,
}

impl RestartableServer {
    /// Starts a server and waits until it listens.
    pub(crate) async fn start(state: &Rc<RunState>, setup: ServerSetup) -> Self {
        let address = unused_address();
        let server = Self {
            proxy: Proxy::start(address, state.random_in(0..u64::MAX)).await,
            setup,
            running: RefCell::default(),
            killed: Notify::new(),
            address: Cell::new(address),
            log_folder: TempDir::new().unwrap(),
            starts: Cell::new(0),
            is_starting: Cell::new(false),
            start: Mutex::new(()),
            state: Rc::clone(state),
        };
        server.start_undisturbed().await;
        server
    }

    /// Starts it while no fault strikes. On a busy machine its first queries may still exceed the run's short database
    /// timeout; it then exits and is started again.
    pub(crate) async fn start_undisturbed(&self) {
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.try_start().await {
            assert!(Instant::now() < deadline, "the server does not start:\n{}", self.state.logs());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Starts it until it listens or the run is over.
    pub(crate) async fn restart(&self) {
        while !self.try_start().await && !self.state.is_over() {
            self.state.pause(20..100).await;
        }
    }

    /// Starts it once. Returns whether it listens: it does not if the database is unreachable.
    async fn try_start(&self) -> bool {
        let _start = self.start.lock().await;
        if self.setup.clock.is_none() && self.running.borrow().is_some() {
            // Another restart was faster.
            return true;
        }
        self.is_starting.set(true);
        let started = self.start_once().await;
        self.is_starting.set(false);
        if let Some(server) = started {
            self.address.set(server.address());
            self.proxy.retarget(server.address());
            *self.running.borrow_mut() = Some(server);
            return true;
        }
        false
    }

    async fn start_once(&self) -> Option<TestServer> {
        self.kill();
        if let Some(clock) = &self.setup.clock {
            let started = TestServer::start_with_clock(&self.setup.options, clock.clone()).await;
            return started.inspect_err(|failure| eprintln!("the server does not start: {}", failure.log)).ok();
        }
        self.starts.set(self.starts.get() + 1);
        let log_file = self.log_folder.path().join(format!("{}.log", self.starts.get()));
        self.state.add_log_file(log_file.clone());
        let options = self.setup.options.clone().log_file(&log_file);
        tokio::select! {
            started = TestServer::spawn(&self.setup.binary, &options) => started.ok(),
            // The dropped start kills the process.
            () = self.killed.notified() => None,
        }
    }

    /// Its address, without the proxy.
    pub(crate) fn direct_address(&self) -> SocketAddr {
        self.address.get()
    }

    /// Its process, if it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.borrow().as_ref().map(TestServer::pid)
    }

    /// Kills it, also while it starts.
    pub(crate) fn kill(&self) {
        self.killed.notify_waiters();
        if self.setup.clock.is_none() {
            drop(self.running.take());
        }
    }

    /// How it ended, if it ended by itself and is not being started. Returned once.
    pub(crate) fn take_exit(&self) -> Option<String> {
        if self.is_starting.get() {
            return None;
        }
        let mut running = self.running.borrow_mut();
        let status = running.as_mut()?.exit_status()?;
        *running = None;
        Some(describe(status))
    }

    /// Whether it does not run, or a start of it was given up.
    pub(crate) fn is_down(&self) -> bool {
        self.is_starting.get() || self.pid().is_none()
    }
}

fn describe(status: ExitStatus) -> String {
    let signal = status.signal().map(|signal| format!(", signal {signal}")).unwrap_or_default();
    format!("exit code {:?}{signal}", status.code())
}
