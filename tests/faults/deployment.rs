//! What a run consists of: a database, one or two servers, the proxies between them and the clients, and the
//! participants.

use std::rc::Rc;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use switchboard_loadtest::history::{Action, Outcome};
use switchboard_testkit::{Backend, OffsetClock, PostgresCluster, Proxy, ScratchDatabase, ServerOptions};
use tokio::sync::Mutex;
use url::Url;

use super::disk::Disk;
use super::fault::{FEW_DESCRIPTORS, Fault};
use super::participants::{self, CUSTOMERS, Participant};
use super::rest_client::RestClient;
use super::run::FaultPlan;
use super::run_state::RunState;
use super::server::{RestartableServer, ServerSetup};

/// How long a server waits for its database, in milliseconds.
const DATABASE_TIMEOUT: u64 = 1000;
/// How often a call is repeated that must succeed after the faults have ended.
const ATTEMPTS: u32 = 10;

/// The PostgreSQL server that a run with these faults needs.
pub(crate) fn cluster_for(backend: Backend, faults: &[Fault]) -> Option<PostgresCluster> {
    match backend {
        Backend::Sqlite => None,
        Backend::Postgres if faults.iter().any(|fault| fault.needs_cluster()) => Some(PostgresCluster::start()),
        Backend::Postgres => Some(PostgresCluster::shared()),
    }
}

/// The database of a run.
pub(crate) enum RunDatabase<'a> {
    Sqlite(Disk),
    Postgres { cluster: &'a PostgresCluster, database: ScratchDatabase },
}

impl<'a> RunDatabase<'a> {
    async fn create(cluster: Option<&'a PostgresCluster>, has_small_disk: bool) -> Self {
        match cluster {
            Some(cluster) => Self::Postgres { cluster, database: ScratchDatabase::postgres(cluster).await },
            None => Self::Sqlite(Disk::create(has_small_disk)),
        }
    }
}

/// See the module.
pub(crate) struct Deployment<'a> {
    pub(crate) state: Rc<RunState>,
    pub(crate) database: RunDatabase<'a>,
    /// Between the servers and PostgreSQL.
    pub(crate) database_proxy: Option<Proxy>,
    pub(crate) servers: Vec<RestartableServer>,
    pub(crate) participants: Vec<Participant>,
    pub(crate) clock: OffsetClock,
    /// Held while PostgreSQL is paused or crashed: a paused one cannot be crashed.
    pub(crate) cluster_lock: Mutex<()>,
    pub(crate) plan: FaultPlan,
}

impl<'a> Deployment<'a> {
    /// Creates the database and starts the servers.
    pub(crate) async fn start(state: &Rc<RunState>, plan: &FaultPlan, cluster: Option<&'a PostgresCluster>) -> Self {
        let state = Rc::clone(state);
        let database = RunDatabase::create(cluster, plan.has(Fault::DiskFull)).await;
        let (database_proxy, url) = match &database {
            RunDatabase::Sqlite(disk) => (None, disk.url()),
            RunDatabase::Postgres { cluster, database } => {
                let proxy = Proxy::start(cluster.address(), state.random_in(0..u64::MAX)).await;
                let mut url = Url::parse(&database.url).unwrap();
                url.set_port(Some(proxy.address().port())).unwrap();
                (Some(proxy), url.to_string())
            }
        };
        let clock = OffsetClock::default();
        let setup = server_setup(plan, &url, &clock);
        let mut servers = Vec::new();
        for _ in 0..if plan.has(Fault::TwoServers) { 2 } else { 1 } {
            servers.push(RestartableServer::start(&state, setup.clone()).await);
        }
        state.reach("started");
        let participants = participants::create_all(&state);
        let (cluster_lock, plan) = (Mutex::new(()), plan.clone());
        Self { state, database, database_proxy, servers, participants, clock, cluster_lock, plan }
    }

    /// A client of all servers, through their proxies.
    pub(crate) fn client(&self, participant: &Participant) -> RestClient {
        let servers = self.servers.iter().map(|server| server.proxy.url()).collect();
        RestClient::new(&self.state, participant, servers)
    }

    /// A client of one server, without a proxy.
    pub(crate) fn direct_client(&self, participant: &Participant, server: &RestartableServer) -> RestClient {
        RestClient::new(&self.state, participant, vec![format!("http://{}", server.direct_address())])
    }

    /// A connection to PostgreSQL that bypasses the servers and the proxy; none to SQLite.
    pub(crate) async fn database_connection(&self) -> Option<DatabaseConnection> {
        match &self.database {
            RunDatabase::Sqlite(_) => None,
            RunDatabase::Postgres { database, .. } => Some(database.connection().await),
        }
    }

    /// Restarts servers that end by themselves, until dropped.
    pub(crate) async fn supervise(self: Rc<Self>) {
        loop {
            for server in &self.servers {
                if let Some(exit) = server.take_exit() {
                    self.record_exit(&exit);
                    server.restart().await;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Only a server that was short of memory may end by itself.
    fn record_exit(&self, exit: &str) {
        self.state.count("exits");
        if !self.plan.has(Fault::LowMemory) {
            self.state.report_anomaly(format!("the server ended by itself: {exit}"));
        }
    }

    /// Ends all faults and waits until every customer is served.
    pub(crate) async fn heal(&self) {
        for proxy in self.servers.iter().map(|server| &server.proxy).chain(&self.database_proxy) {
            proxy.heal();
        }
        for server in &self.servers {
            if let Some(exit) = server.take_exit() {
                self.record_exit(&exit);
            }
            if server.is_down() {
                server.start_undisturbed().await;
            }
        }
        for customer in self.participants.iter().take(CUSTOMERS) {
            let client = self.client(customer);
            let mut is_served = false;
            for _ in 0..ATTEMPTS {
                if matches!(client.open().await, Outcome::Ok { .. }) {
                    is_served = true;
                    break;
                }
            }
            if !is_served {
                self.state.report_anomaly("a customer is not served after the faults have ended");
            }
        }
        // Statements that lost connections have left in PostgreSQL end within the server's own limit.
        tokio::time::sleep(Duration::from_millis(DATABASE_TIMEOUT + 300)).await;
    }

    /// Makes every server read what the other has stored, and publish it to its sockets.
    ///
    /// Servers do not notify each other yet: one learns of another's events with its next command for the conversation.
    pub(crate) async fn synchronise_servers(&self) {
        if self.servers.len() < 2 {
            return;
        }
        let conversations = self.state.conversations.borrow().clone();
        let agent = self.participants.last().unwrap();
        for server in &self.servers {
            let client = self.direct_client(agent, server);
            for (conversation, id, _) in &conversations {
                for _ in 0..ATTEMPTS {
                    if client.decide(*conversation, id, Action::Claim).await != Outcome::Unknown {
                        break;
                    }
                }
            }
        }
    }
}

impl Drop for Deployment<'_> {
    fn drop(&mut self) {
        // After a panic PostgreSQL may still be paused; then neither its database could be dropped nor could it be stopped.
        if let RunDatabase::Postgres { cluster, .. } = &self.database
            && std::thread::panicking()
        {
            cluster.resume_blocking();
        }
    }
}

fn server_setup(plan: &FaultPlan, database_url: &str, clock: &OffsetClock) -> ServerSetup {
    let mut options = ServerOptions::with_database_url(database_url).set_all(&[
        ("SWITCHBOARD__SERVER__REQUEST_TIMEOUT_MS", "2500"),
        ("SWITCHBOARD__DATABASE__TIMEOUT_MS", &DATABASE_TIMEOUT.to_string()),
        // Actors stop and forget idempotency keys all the time.
        ("SWITCHBOARD__CONVERSATION__PASSIVATE_AFTER_SECONDS", "1"),
        ("SWITCHBOARD__CONVERSATION__IDEMPOTENCY_CACHE_SIZE", "2"),
        ("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "1000"),
        ("SWITCHBOARD__SOCKET__PING_TIMEOUT_MS", "1000"),
    ]);
    if plan.has(Fault::FewConnections) {
        options = options.set("SWITCHBOARD__DATABASE__MAX_CONNECTIONS", "3");
    }
    if plan.has(Fault::FewDescriptors) {
        options = options.shell_prefix(&format!("ulimit -n {FEW_DESCRIPTORS};"));
    }
    options = options.set_all(&plan.variables);
    let clock = plan.has(Fault::ClockJumps).then(|| clock.clone());
    ServerSetup { binary: plan.binary.clone(), options, clock }
}
