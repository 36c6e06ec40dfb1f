//! One run from beginning to end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use switchboard_loadtest::checker::{self, Verdict};
use switchboard_loadtest::history::{Action, Outcome};
use tokio::sync::Mutex;
use tokio::task::LocalSet;

use super::clock::JumpingClock;
use super::database::{Backend, Cluster, Place, postgres};
use super::fault::{DESCRIPTORS, Fault};
use super::final_read;
use super::listeners::Screens;
use super::people::{self, Account, CUSTOMERS};
use super::proxy::Proxy;
use super::rest_actions::Caller;
use super::run_state::World;
use super::server::{Manner, TestServer};

/// No run takes that long: one that does hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// Messages that are acknowledged before a run ends: one in which hardly anything is done shows nothing.
const ENOUGH: u64 = 8;

/// For so long, beyond the rest, a fault is given to meet somebody.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// With this, actors of a server that was built with its mutants panic now and then.
pub(crate) const PANICKING: (&str, &str) = ("SWITCHBOARD_MUTANT", "panic");

/// What is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) backend: Backend,
    pub(crate) faults: Vec<Fault>,
    /// How long people work at least.
    pub(crate) milliseconds: u64,
    pub(crate) binary: PathBuf,
    /// For the server alone.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
}

impl Plan {
    /// With the binary that was built with the tests, or `SWITCHBOARD_BIN`.
    pub(crate) fn new(backend: Backend, faults: &[Fault], seed: u64) -> Self {
        let binary = std::env::var_os("SWITCHBOARD_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_switchboard").into());
        let binary = PathBuf::from(binary);
        Self { seed, backend, faults: faults.to_vec(), milliseconds: 2500, binary, variables: Vec::new() }
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

/// What a run came to.
pub(crate) struct Found {
    pub(crate) plan: Plan,
    pub(crate) verdict: Verdict,
    pub(crate) odd: Vec<String>,
    /// Faults that should have come, and did nothing to anybody.
    pub(crate) never_struck: Vec<Fault>,
    /// How often what came out.
    tally: BTreeMap<String, u32>,
    stages: String,
    log: String,
}

impl Found {
    pub(crate) fn is_clean(&self) -> bool {
        self.verdict.is_clean() && self.odd.is_empty()
    }

    /// How often this came out.
    pub(crate) fn times(&self, what: &str) -> u32 {
        self.tally.get(what).copied().unwrap_or(0)
    }

    pub(crate) fn summary(&self) -> String {
        let Plan { seed, backend, faults, .. } = &self.plan;
        let Verdict { calls, shown, stored, undecided, broken, .. } = self.verdict;
        format!(
            "FAULT_SEED={seed} {backend:?} {faults:?}: {calls} calls, {stored} messages stored, {shown} shown, {undecided} \
             undecided, {broken} broken, {} odd, never struck {:?}; {};{}",
            self.odd.len(),
            self.never_struck,
            self.tally.iter().map(|(what, times)| format!("{what} {times}")).collect::<Vec<_>>().join(", "),
            self.stages
        )
    }

    /// Everything that was found, and the server's log.
    pub(crate) fn told(&self) -> String {
        let violations: String = self.verdict.violations.iter().take(5).map(ToString::to_string).collect();
        format!("{}\n{violations}{:#?}\n{}", self.summary(), self.odd.iter().take(10).collect::<Vec<_>>(), self.log)
    }

    /// A clean run in which something happened, each of its faults too.
    pub(crate) fn must_be_clean(self) {
        eprintln!("{}", self.summary());
        assert!(self.is_clean(), "{}", self.told());
        assert!(self.never_struck.is_empty(), "{:?} did nothing to anybody: {}", self.never_struck, self.told());
        assert!(self.verdict.stored >= ENOUGH, "hardly anything was done: {}", self.told());
    }
}

/// What faults have to do with.
pub(crate) struct Scene<'a> {
    pub(crate) world: Rc<World>,
    pub(crate) place: Place<'a>,
    /// Between server and PostgreSQL.
    pub(crate) link: Option<Proxy>,
    pub(crate) servers: Vec<TestServer>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) clock: JumpingClock,
    /// One that is halted cannot be crashed.
    pub(crate) cluster_is_in_hand: Mutex<()>,
    plan: Plan,
}

/// Runs a plan, on a thread of its own for everything in it.
pub(crate) fn run(plan: &Plan, cluster: Option<&Cluster>) -> Found {
    run_with(plan, cluster, async |_: &Scene<'_>| {})
}

/// The same; `prepare` may do something to the database before people come.
pub(crate) fn run_with(plan: &Plan, cluster: Option<&Cluster>, prepare: impl AsyncFn(&Scene<'_>)) -> Found {
    eprintln!("FAULT_SEED={} {:?} {:?} …", plan.seed, plan.backend, plan.faults);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // What is still under way at the end is dropped with it.
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let world = World::new(plan.seed, plan.variables.contains(&PANICKING));
        let run = async {
            let scene = Scene::set(&world, plan, cluster).await;
            prepare(&scene).await;
            play(scene).await
        };
        // Not dropped before its servers' words are read.
        let mut run = pin!(run);
        let found = tokio::time::timeout(PATIENCE, &mut run).await;
        found.unwrap_or_else(|_| panic!("FAULT_SEED={} hangs:{}\n{}", plan.seed, world.stages(), world.logged()))
    })
}

impl<'a> Scene<'a> {
    async fn set(world: &Rc<World>, plan: &Plan, cluster: Option<&'a Cluster>) -> Self {
        let world = Rc::clone(world);
        let place = Place::make(cluster, plan.has(Fault::DiskFull)).await;
        let (link, database) = match &place {
            Place::File(disk) => (None, disk.url()),
            Place::Cluster { cluster, url } => {
                let link = Proxy::start(&world, cluster.address()).await;
                let mut url = url.clone();
                url.set_port(Some(link.address.port())).unwrap();
                (Some(link), url.to_string())
            }
        };
        let clock = JumpingClock::default();
        let manner = manner(plan, database, &clock);
        let mut servers = Vec::new();
        for _ in 0..if plan.has(Fault::TwoServers) { 2 } else { 1 } {
            servers.push(TestServer::start(&world, manner.clone()).await);
        }
        world.reaches("started");
        let accounts = people::everybody(&world);
        Self { world, place, link, servers, accounts, clock, cluster_is_in_hand: Mutex::new(()), plan: plan.clone() }
    }

    fn caller(&self, account: &Account) -> Caller {
        let at = self.servers.iter().map(|server| format!("http://{}", server.proxy.address)).collect();
        Caller::new(&self.world, account.person, account.token.clone(), at)
    }

    /// Past the proxies.
    fn reader(&self, account: &Account) -> Caller {
        Caller::new(&self.world, account.person, account.token.clone(), vec![self.servers[0].direct()])
    }

    /// A server that ended by itself is started again; it had a reason only where it was short of memory.
    async fn tend(self: Rc<Self>) {
        loop {
            for server in &self.servers {
                if let Some(how) = server.has_died() {
                    self.mourn(&how);
                    server.begin_again().await;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn mourn(&self, how: &str) {
        self.world.count("deaths");
        if !self.plan.has(Fault::LittleMemory) {
            self.world.is_odd(format!("the server ended by itself: {how}"));
        }
    }

    /// All is well again, and everybody can be served.
    async fn heal(&self) {
        for proxy in self.servers.iter().map(|server| &server.proxy).chain(&self.link) {
            proxy.clear();
        }
        for server in &self.servers {
            if let Some(how) = server.has_died() {
                self.mourn(&how);
            }
            if server.is_down() {
                server.begin_in_peace().await;
            }
        }
        for account in self.accounts.iter().take(CUSTOMERS) {
            let mut served = false;
            for _ in 0..10 {
                served |= matches!(self.caller(account).open().await, Outcome::Ok { .. });
                if served {
                    break;
                }
            }
            if !served {
                self.world.is_odd("all is well again, and a customer is not served");
            }
        }
        // What PostgreSQL still has of ours ends within its own limit.
        tokio::time::sleep(Duration::from_millis(DATABASE_TIMEOUT + 300)).await;
    }
}

impl Scene<'_> {
    /// Servers do not tell each other of what happens yet: each finds with its own next question what the others have
    /// stored. So each is asked something about every conversation, and has told its screens then.
    async fn have_told(&self) {
        if self.servers.len() < 2 {
            return;
        }
        let known = self.world.known.borrow().clone();
        let agent = self.accounts.last().unwrap();
        for server in &self.servers {
            let caller = Caller::new(&self.world, agent.person, agent.token.clone(), vec![server.direct()]);
            for (conversation, id, _) in &known {
                for _ in 0..10 {
                    if caller.decide(*conversation, id, Action::Claim).await != Outcome::Unknown {
                        break;
                    }
                }
            }
        }
    }
}

/// How long a server waits for its database, in milliseconds.
const DATABASE_TIMEOUT: u64 = 1000;

fn manner(plan: &Plan, database: String, clock: &JumpingClock) -> Manner {
    let mut settings: Vec<(&'static str, String)> = [
        ("SWITCHBOARD__SERVER__WORKERS", "2"),
        ("SWITCHBOARD__SERVER__REQUEST_TIMEOUT_MS", "2500"),
        ("SWITCHBOARD__DATABASE__TIMEOUT_MS", &DATABASE_TIMEOUT.to_string()),
        ("SWITCHBOARD__CONVERSATION__THREADS", "2"),
        // Actors retire and forget all the time.
        ("SWITCHBOARD__CONVERSATION__PASSIVATE_AFTER_SECONDS", "1"),
        ("SWITCHBOARD__CONVERSATION__IDEMPOTENCY_CACHE_SIZE", "2"),
        ("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "1000"),
        ("SWITCHBOARD__SOCKET__PING_TIMEOUT_MS", "1000"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    if plan.has(Fault::FewConnections) {
        settings.push(("SWITCHBOARD__DATABASE__MAX_CONNECTIONS", "3".to_owned()));
    }
    settings.extend(plan.variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let mut before = String::new();
    if plan.has(Fault::FewDescriptors) {
        before.push_str(&format!("ulimit -n {DESCRIPTORS}; "));
    }
    let clock = plan.has(Fault::ClockJumps).then(|| clock.clone());
    Manner { binary: plan.binary.clone(), database, settings, before, clock }
}

async fn play(scene: Scene<'_>) -> Found {
    // Tasks want what lives for ever; this one outlives them, as they are ended below.
    let scene = Rc::new(scene);
    let world = Rc::clone(&scene.world);
    let work = async {
        let mut screens = Screens::default();
        let people = scene.accounts.iter().map(|account| work(&scene, account));
        let troubles = scene.plan.faults.iter().map(|fault| fault.trouble(Rc::clone(&scene)));
        let clock = async {
            tokio::time::sleep(Duration::from_millis(scene.plan.milliseconds)).await;
            // On a slow machine hardly anybody gets through between two faults, or a fault meets nobody; they go on for as
            // long as that takes. Which fault never met anybody is said in the end.
            let in_vain = tokio::time::Instant::now() + LONG_ENOUGH;
            while world.acknowledged() < ENOUGH
                || (!world.never_struck(&scene.plan.faults).is_empty() && tokio::time::Instant::now() < in_vain)
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            world.end();
        };
        tokio::select! {
            _ = async {
                tokio::join!(futures_util::future::join_all(people), futures_util::future::join_all(troubles), clock)
            } => {}
            () = Rc::clone(&scene).tend() => {}
            () = screens.follow(&scene) => {}
        }
        world.reaches("worked");
        scene.heal().await;
        world.reaches("healed");
        screens.look(&scene);
        scene.have_told().await;
        final_read::settle(&world).await;
        world.reaches("settled");
        let readers: Vec<Caller> = scene.accounts.iter().map(|account| scene.reader(account)).collect();
        final_read::read(&world, &readers, readers.last().unwrap()).await;
        final_read::no_conversation_twice(&world, &readers).await;
        world.reaches("read");
        // Sockets are open until all is read: a late event comes to somebody.
        screens.close();
    };
    work.await;
    let verdict = checker::check(&world.history.borrow());
    // What it needs for itself is kept back, however many wish to be served.
    if world.logged().contains("Too many open files") {
        world.is_odd("the server ran out of descriptors");
    }
    let log = if verdict.is_clean() && world.odd.borrow().is_empty() { String::new() } else { world.logged() };
    scene.servers.iter().for_each(TestServer::kill);
    scene.place.remove().await;
    Found {
        plan: scene.plan.clone(),
        verdict,
        never_struck: world.never_struck(&scene.plan.faults),
        odd: world.odd.take(),
        tally: world.tally.take(),
        stages: world.stages(),
        log,
    }
}

async fn work(scene: &Scene<'_>, account: &Account) {
    let caller = scene.caller(account);
    if account.is_agent {
        let colleagues = scene
            .accounts
            .iter()
            .filter(|other| other.is_agent && other.person != account.person)
            .map(|other| other.person);
        people::agent(caller, colleagues.collect()).await;
    } else {
        people::customer(caller).await;
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        // A cluster that a failed run has left halted hears nothing.
        if let Place::Cluster { cluster, .. } = &self.place
            && let Some(folder) = cluster.folder()
            && std::thread::panicking()
        {
            postgres("resume", &folder);
        }
    }
}
