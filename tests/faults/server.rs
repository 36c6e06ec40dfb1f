//! The built binary as a process that can be killed and started again, behind a proxy that stays where it is.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use switchboard::config::{Settings, Sources};
use switchboard::server::Server;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::clock::JumpingClock;
use super::people::SECRET;
use super::proxy::Proxy;
use super::run_state::World;

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(40);

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) binary: PathBuf,
    pub(crate) database: String,
    pub(crate) settings: Vec<(&'static str, String)>,
    /// What the shell does before: a limit.
    pub(crate) before: String,
    /// A clock can be handed to a server in this process alone. Such a one cannot be killed.
    pub(crate) clock: Option<JumpingClock>,
}

impl Manner {
    fn variables(&self) -> HashMap<String, String> {
        let ours = [("PORT", "0"), ("JWT_SECRET", SECRET), ("DATABASE_URL", &self.database)];
        let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
        ours.into_iter().chain(self.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
    }
}

/// See the module. Killed when dropped.
pub(crate) struct TestServer {
    /// Where clients go.
    pub(crate) proxy: Proxy,
    manner: Manner,
    child: RefCell<Option<Child>>,
    inside: RefCell<Option<Inside>>,
    direct: Cell<SocketAddr>,
    logs: TempDir,
    lives: Cell<u32>,
    is_starting: Cell<bool>,
    world: Rc<World>,
}

impl TestServer {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(world: &Rc<World>, manner: Manner) -> Self {
        let nowhere: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let proxy = Proxy::start(world, nowhere).await;
        let server = Self {
            proxy,
            manner,
            child: RefCell::default(),
            inside: RefCell::default(),
            direct: Cell::new(nowhere),
            logs: TempDir::new().unwrap(),
            lives: Cell::new(0),
            is_starting: Cell::new(false),
            world: Rc::clone(world),
        };
        server.begin_in_peace().await;
        server
    }

    /// Starts it while nothing is wrong. On a busy machine its first questions to the database may take longer than a
    /// run lets it wait: then it ends, and is started again.
    pub(crate) async fn begin_in_peace(&self) {
        let deadline = Instant::now() + START;
        while !self.begin().await {
            assert!(Instant::now() < deadline, "the server does not start:\n{}", self.world.logged());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Where it listens itself, past the proxy.
    pub(crate) fn direct(&self) -> String {
        format!("http://{}", self.direct.get())
    }

    /// Nothing where it does not run.
    pub(crate) fn pid(&self) -> u32 {
        if self.inside.borrow().is_some() {
            return std::process::id();
        }
        self.child.borrow().as_ref().map_or(0, Child::id)
    }

    /// As a power cut has it.
    pub(crate) fn kill(&self) {
        if let Some(mut child) = self.child.borrow_mut().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Whether it has ended by itself while nobody was starting it; then nobody runs any more.
    pub(crate) fn has_died(&self) -> Option<String> {
        if self.is_starting.get() { None } else { self.ended() }
    }

    /// Whether it does not run, or a start of it was broken off.
    pub(crate) fn is_down(&self) -> bool {
        self.is_starting.get() || self.pid() == 0 || self.ended().is_some()
    }

    fn ended(&self) -> Option<String> {
        let mut child = self.child.borrow_mut();
        let status = child.as_mut()?.try_wait().unwrap()?;
        *child = None;
        let signal = status.signal().map(|signal| format!(", signal {signal}")).unwrap_or_default();
        Some(format!("exit code {:?}{signal}", status.code()))
    }

    /// Starts it once: whether it came up. A database that is away is a reason not to.
    pub(crate) async fn begin(&self) -> bool {
        self.is_starting.set(true);
        let is_up = self.beginning().await;
        self.is_starting.set(false);
        is_up
    }

    async fn beginning(&self) -> bool {
        self.kill();
        if let Some(clock) = &self.manner.clock {
            let Some(inside) = Inside::start(clock.clone(), self.manner.variables()).await else { return false };
            self.listens_on(inside.address);
            *self.inside.borrow_mut() = Some(inside);
            return true;
        }
        self.lives.set(self.lives.get() + 1);
        let (out, log) = (self.file("out"), self.file("log"));
        self.world.logs.borrow_mut().push(log.clone());
        let mut command = Command::new("bash");
        command
            .arg("-c")
            .arg(format!("trap '' XFSZ; {} exec \"$0\" serve", self.manner.before))
            .arg(&self.manner.binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SWITCHBOARD_")) {
            command.env_remove(name);
        }
        command
            .envs(self.manner.variables())
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&log).unwrap());
        *self.child.borrow_mut() = Some(command.spawn().unwrap());
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            let mut said = String::new();
            File::open(&out).unwrap().read_to_string(&mut said).unwrap();
            if let Some(address) = said.split("listens on http://").nth(1).and_then(|rest| rest.lines().next()) {
                self.listens_on(address.parse().unwrap());
                return true;
            }
            if self.ended().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.kill();
        false
    }

    /// Starts it until it runs, or the run is over.
    pub(crate) async fn begin_again(&self) {
        while !self.begin().await && !self.world.is_over() {
            self.world.pause(20..100).await;
        }
    }

    fn listens_on(&self, address: SocketAddr) {
        self.direct.set(address);
        self.proxy.target.set(address);
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.logs.path().join(format!("{}.{kind}", self.lives.get()))
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server in this process, on a thread of its own. Stopped when dropped.
struct Inside {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Inside {
    async fn start(clock: JumpingClock, variables: HashMap<String, String>) -> Option<Self> {
        let (_, settings) = Settings::load(&Sources { folder: None, variables }).unwrap();
        let (started, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = match Server::start_with_clock(Arc::new(clock), settings, true).await {
                    Ok(server) => server,
                    Err(error) => return eprintln!("the server does not start: {error}"),
                };
                started.send(server.address()).unwrap();
                let _ = stopped.await;
                server.stop().await;
            });
        });
        Some(Self { address: address.await.ok()?, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has said why, where it failed.
            let _ = thread.join();
        }
    }
}
