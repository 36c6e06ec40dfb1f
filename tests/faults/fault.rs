//! What fails in a run. A temporary fault strikes and ends at times that the seed decides, while participants act.

use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;

use switchboard_testkit::{Backend, LinkCondition, Proxy};
use tokio::net::TcpStream;

use super::deployment::{Deployment, RunDatabase};
use super::disk::set_limit;
use super::listener::ConversationListener;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    // Between clients and server.
    ClientsCut,
    ClientsSlow,
    ClientsHalfOpen,
    ClientResponsesLost,
    ClientsTorn,
    // Between server and PostgreSQL.
    DatabaseSlow,
    DatabaseHalfOpen,
    /// The connection is reset in the middle of a request, commits among them.
    CommitTorn,
    /// The request is executed, but its response is lost.
    CommitResponseLost,
    // The database itself.
    DatabasePaused,
    DatabaseCrash,
    DiskFull,
    // The server.
    Kill,
    TwoServers,
    FewConnections,
    FewDescriptors,
    /// The server can allocate hardly any memory beyond what it has.
    LowMemory,
    /// Clients join and read nothing from then on.
    StalledClients,
    /// The server's clock jumps by hours and days, forwards and backwards.
    ClockJumps,
}

impl Fault {
    pub(crate) const ALL: [Self; 19] = [
        Self::ClientsCut,
        Self::ClientsSlow,
        Self::ClientsHalfOpen,
        Self::ClientResponsesLost,
        Self::ClientsTorn,
        Self::DatabaseSlow,
        Self::DatabaseHalfOpen,
        Self::CommitTorn,
        Self::CommitResponseLost,
        Self::DatabasePaused,
        Self::DatabaseCrash,
        Self::DiskFull,
        Self::Kill,
        Self::TwoServers,
        Self::FewConnections,
        Self::FewDescriptors,
        Self::LowMemory,
        Self::StalledClients,
        Self::ClockJumps,
    ];

    /// Whether it can strike a server on this database. SQLite runs inside the server, so nothing lies between them.
    pub(crate) fn applies_to(self, backend: Backend) -> bool {
        match self {
            Self::DatabaseSlow
            | Self::DatabaseHalfOpen
            | Self::CommitTorn
            | Self::CommitResponseLost
            | Self::DatabasePaused
            | Self::DatabaseCrash => backend == Backend::Postgres,
            Self::DiskFull => backend == Backend::Sqlite,
            _ => true,
        }
    }

    /// Whether the server must be a process of its own. A server with a test's clock runs in ours.
    pub(crate) fn needs_process(self) -> bool {
        matches!(self, Self::Kill | Self::FewDescriptors | Self::LowMemory | Self::DiskFull)
    }

    /// Whether it needs a PostgreSQL server that no other test uses.
    pub(crate) fn needs_cluster(self) -> bool {
        matches!(self, Self::DatabasePaused | Self::DatabaseCrash)
    }

    /// Whether it strikes and ends; the others are conditions that the servers are started with.
    pub(crate) fn is_temporary(self) -> bool {
        !matches!(self, Self::TwoServers | Self::FewConnections)
    }

    /// Strikes repeatedly, with pauses, until the run is over.
    pub(crate) async fn inject(self, deployment: Rc<Deployment<'_>>) {
        let state = Rc::clone(&deployment.state);
        while !state.is_over() {
            state.pause(30..400).await;
            if state.is_over() || !self.is_temporary() {
                return;
            }
            self.strike(&deployment).await;
        }
    }

    async fn strike(self, deployment: &Deployment<'_>) {
        match self {
            Self::ClientsCut => deployment.for_each_proxy(|proxy| proxy.reset_all(deployment.on_effect(self))),
            Self::ClientsSlow => deployment.disturb_clients(self, LinkCondition::Delayed(120), 300..1200).await,
            Self::ClientsHalfOpen => deployment.disturb_clients(self, LinkCondition::HalfOpen, 300..2500).await,
            Self::ClientResponsesLost => deployment.disturb_clients(self, LinkCondition::ResponsesLost, 20..400).await,
            Self::ClientsTorn => deployment.disturb_clients(self, LinkCondition::Torn, 20..300).await,
            Self::DatabaseSlow => deployment.disturb_database(self, LinkCondition::Delayed(80), 200..1000).await,
            Self::DatabaseHalfOpen => deployment.disturb_database(self, LinkCondition::HalfOpen, 200..2500).await,
            Self::CommitTorn => deployment.disturb_database(self, LinkCondition::Torn, 5..200).await,
            Self::CommitResponseLost => deployment.disturb_database(self, LinkCondition::ResponsesLost, 5..200).await,
            Self::DatabasePaused => deployment.pause_database().await,
            Self::DatabaseCrash => deployment.crash_database().await,
            Self::DiskFull => deployment.fill_disk().await,
            Self::Kill => deployment.kill_server().await,
            Self::FewDescriptors => deployment.exhaust_descriptors().await,
            Self::LowMemory => deployment.limit_memory().await,
            Self::StalledClients => deployment.add_stalled_client(),
            Self::ClockJumps => {
                let minutes = i64::try_from(deployment.state.random_in(0..6000)).unwrap() - 3000;
                deployment.clock.set_offset(minutes);
                deployment.state.effects.record(self);
            }
            // The servers are started with these.
            Self::TwoServers | Self::FewConnections => {}
        }
    }
}

/// The open files of a server that is short of them: enough for itself, the participants and their listeners, and too few
/// for [`Deployment::exhaust_descriptors`].
pub(crate) const FEW_DESCRIPTORS: usize = 260;

impl Deployment<'_> {
    fn on_effect(&self, fault: Fault) -> impl Fn() + Send + Sync + 'static {
        let effects = self.state.effects.clone();
        move || effects.record(fault)
    }

    fn for_each_proxy(&self, action: impl Fn(&Proxy)) {
        self.servers.iter().for_each(|server| action(&server.proxy));
    }

    async fn disturb_clients(&self, fault: Fault, condition: LinkCondition, milliseconds: Range<u64>) {
        self.for_each_proxy(|proxy| proxy.set(condition, self.on_effect(fault)));
        self.state.pause(milliseconds).await;
        // Half of the times, what was held back belongs to connections that no longer exist.
        if condition == LinkCondition::HalfOpen && self.state.random_in(0..2) == 0 {
            self.for_each_proxy(|proxy| proxy.reset_all(self.on_effect(fault)));
        }
        self.for_each_proxy(Proxy::heal);
    }

    async fn disturb_database(&self, fault: Fault, condition: LinkCondition, milliseconds: Range<u64>) {
        let Some(proxy) = &self.database_proxy else { return };
        proxy.set(condition, self.on_effect(fault));
        self.state.pause(milliseconds).await;
        if condition == LinkCondition::HalfOpen && self.state.random_in(0..2) == 0 {
            proxy.reset_all(self.on_effect(fault));
        }
        proxy.heal();
    }

    async fn pause_database(&self) {
        let RunDatabase::Postgres { cluster, .. } = &self.database else { return };
        let _guard = self.cluster_lock.lock().await;
        cluster.pause().await;
        self.state.effects.record(Fault::DatabasePaused);
        self.state.pause(100..2500).await;
        cluster.resume().await;
    }

    async fn crash_database(&self) {
        let RunDatabase::Postgres { cluster, .. } = &self.database else { return };
        let _guard = self.cluster_lock.lock().await;
        cluster.crash().await;
        self.state.effects.record(Fault::DatabaseCrash);
    }

    async fn fill_disk(&self) {
        let RunDatabase::Sqlite(disk) = &self.database else { return };
        let server = &self.servers[0];
        if disk.fill(server.pid()) {
            self.state.effects.record(Fault::DiskFull);
        }
        self.state.pause(100..800).await;
        disk.free(server.pid());
    }

    async fn kill_server(&self) {
        let server = self.state.pick(&self.servers);
        server.kill();
        self.state.effects.record(Fault::Kill);
        self.state.count("kills");
        self.state.pause(0..200).await;
        server.restart().await;
    }

    /// Opens more connections than the server has descriptors for.
    async fn exhaust_descriptors(&self) {
        let address: SocketAddr = self.state.pick(&self.servers).direct_address();
        let mut connections = Vec::new();
        for _ in 0..FEW_DESCRIPTORS + 50 {
            connections.extend(TcpStream::connect(address).await);
        }
        if connections.len() > FEW_DESCRIPTORS {
            self.state.effects.record(Fault::FewDescriptors);
        }
        self.state.pause(100..700).await;
        drop(connections);
    }

    /// Leaves the server hardly any memory to allocate for a while; usually it dies of that.
    async fn limit_memory(&self) {
        let Some(server) = self.state.pick(&self.servers).pid() else { return };
        // It may have ended meanwhile.
        let Ok(status) = std::fs::read_to_string(format!("/proc/{server}/status")) else { return };
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmData:")?.trim().strip_suffix(" kB"));
        let Some(kilobytes) = kilobytes else { return };
        let limit = kilobytes.parse::<u64>().unwrap() + self.state.random_in(0..256);
        if set_limit(server, &format!("--data={}:", limit << 10)) {
            self.state.effects.record(Fault::LowMemory);
        }
        self.state.pause(100..800).await;
        set_limit(server, "--data=unlimited:");
    }

    /// Starts a client that joins the newest conversation and reads nothing. It ends with the run.
    fn add_stalled_client(&self) {
        let Some((conversation, id, _)) = self.state.conversations.borrow().last().cloned() else { return };
        let listener = ConversationListener {
            state: Rc::clone(&self.state),
            participant: self.participants.last().unwrap().clone(),
            conversation,
            id,
            address: self.servers[0].proxy.address(),
        };
        tokio::task::spawn_local(listener.stall());
    }
}
