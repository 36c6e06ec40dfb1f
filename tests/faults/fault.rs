//! What goes wrong in a run. Each comes and goes at moments that the seed decides, while people go on.

use std::rc::Rc;

use tokio::net::TcpStream;

use super::database::{Backend, Place, postgres};
use super::disk::limit;
use super::listening::{Screen, deaf};
use super::proxy::{Proxy, Weather};
use super::run::Scene;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    // Between clients and server.
    ClientsCut,
    ClientsSlow,
    ClientsHalfOpen,
    ClientsAnswersLost,
    ClientsTorn,
    // Between server and PostgreSQL.
    DatabaseSlow,
    DatabaseHalfOpen,
    /// The connection is reset in the middle of what is asked, commits among it.
    CommitTorn,
    /// What is asked happens, and nobody is told.
    CommitAnswerLost,
    // The database itself.
    DatabaseHalted,
    DatabaseCrash,
    DiskFull,
    // The server.
    Kill,
    TwoServers,
    FewConnections,
    FewDescriptors,
    /// What the server asks of memory beyond what it has, it does not get.
    LittleMemory,
    /// Clients that join and read nothing any more.
    DeafClients,
    /// The server's clock, by hours and days, ahead and back.
    ClockJumps,
}

impl Fault {
    pub(crate) const ALL: [Self; 19] = [
        Self::ClientsCut,
        Self::ClientsSlow,
        Self::ClientsHalfOpen,
        Self::ClientsAnswersLost,
        Self::ClientsTorn,
        Self::DatabaseSlow,
        Self::DatabaseHalfOpen,
        Self::CommitTorn,
        Self::CommitAnswerLost,
        Self::DatabaseHalted,
        Self::DatabaseCrash,
        Self::DiskFull,
        Self::Kill,
        Self::TwoServers,
        Self::FewConnections,
        Self::FewDescriptors,
        Self::LittleMemory,
        Self::DeafClients,
        Self::ClockJumps,
    ];

    /// Whether it can befall a server on this database. SQLite is in the server: nothing lies between them.
    pub(crate) fn concerns(self, backend: Backend) -> bool {
        match self {
            Self::DatabaseSlow
            | Self::DatabaseHalfOpen
            | Self::CommitTorn
            | Self::CommitAnswerLost
            | Self::DatabaseHalted
            | Self::DatabaseCrash => backend == Backend::Postgres,
            Self::DiskFull => backend == Backend::Sqlite,
            _ => true,
        }
    }

    /// Whether it needs a process of the server's own; a server that a clock was handed to is in ours.
    pub(crate) fn needs_a_process(self) -> bool {
        matches!(self, Self::Kill | Self::FewDescriptors | Self::LittleMemory | Self::DiskFull)
    }

    /// Whether it needs a PostgreSQL that nobody else uses.
    pub(crate) fn needs_a_cluster(self) -> bool {
        matches!(self, Self::DatabaseHalted | Self::DatabaseCrash)
    }

    /// Whether it comes and goes; what a server is started with is there all the time.
    pub(crate) fn comes_and_goes(self) -> bool {
        !matches!(self, Self::TwoServers | Self::FewConnections)
    }

    /// Strikes again and again, with pauses, until the run is over.
    pub(crate) async fn trouble(self, scene: Rc<Scene<'_>>) {
        let world = Rc::clone(&scene.world);
        while !world.is_over() {
            world.pause(30..400).await;
            if world.is_over() {
                return;
            }
            match self {
                Self::ClientsCut => scene.each_client_proxy(|proxy| proxy.cut(self)),
                Self::ClientsSlow => scene.clients(self, Weather::Slow(120), 300..1200).await,
                Self::ClientsHalfOpen => scene.clients(self, Weather::HalfOpen, 300..2500).await,
                Self::ClientsAnswersLost => scene.clients(self, Weather::AnswersLost, 20..400).await,
                Self::ClientsTorn => scene.clients(self, Weather::Torn, 20..300).await,
                Self::DatabaseSlow => scene.database(self, Weather::Slow(80), 200..1000).await,
                Self::DatabaseHalfOpen => scene.database(self, Weather::HalfOpen, 200..2500).await,
                Self::CommitTorn => scene.database(self, Weather::Torn, 5..200).await,
                Self::CommitAnswerLost => scene.database(self, Weather::AnswersLost, 5..200).await,
                Self::DatabaseHalted => {
                    let _alone = scene.cluster_is_in_hand.lock().await;
                    scene.cluster("pause").await;
                    world.strikes(self);
                    world.pause(100..2500).await;
                    scene.cluster("resume").await;
                }
                Self::DatabaseCrash => {
                    let _alone = scene.cluster_is_in_hand.lock().await;
                    scene.cluster("crash").await;
                    world.strikes(self);
                }
                Self::DiskFull => disk_full(&scene).await,
                Self::Kill => {
                    let server = world.pick(&scene.servers);
                    server.kill();
                    world.strikes(self);
                    world.count("kills");
                    world.pause(0..200).await;
                    server.begin_again().await;
                }
                Self::FewDescriptors => crowd(&scene).await,
                Self::DeafClients => listen_no_more(&scene).await,
                Self::ClockJumps => {
                    let minutes = i64::try_from(world.dice(0..6000)).unwrap() - 3000;
                    scene.clock.jump(minutes);
                    world.strikes(self);
                }
                Self::LittleMemory => little_memory(&scene).await,
                Self::TwoServers | Self::FewConnections => return,
            }
        }
    }
}

impl Scene<'_> {
    fn each_client_proxy(&self, what: impl Fn(&Proxy)) {
        self.servers.iter().for_each(|server| what(&server.proxy));
    }

    async fn clients(&self, by: Fault, weather: Weather, milliseconds: std::ops::Range<u64>) {
        self.each_client_proxy(|proxy| proxy.turn(weather, by));
        self.world.pause(milliseconds).await;
        // What was held back for long belongs, half of the times, to connections that are no more.
        if weather == Weather::HalfOpen && self.world.dice(0..2) == 0 {
            self.each_client_proxy(|proxy| proxy.cut(by));
        }
        self.each_client_proxy(Proxy::clear);
    }

    async fn database(&self, by: Fault, weather: Weather, milliseconds: std::ops::Range<u64>) {
        let Some(link) = &self.link else { return };
        link.turn(weather, by);
        self.world.pause(milliseconds).await;
        if weather == Weather::HalfOpen && self.world.dice(0..2) == 0 {
            link.cut(by);
        }
        link.clear();
    }

    async fn cluster(&self, verb: &'static str) {
        let Place::Cluster { cluster, .. } = &self.place else { return };
        let folder = cluster.folder().expect("a cluster of its own");
        tokio::task::spawn_blocking(move || postgres(verb, &folder)).await.unwrap();
    }
}

async fn disk_full(scene: &Scene<'_>) {
    let Place::File(disk) = &scene.place else { return };
    let full = disk.fill(scene.servers[0].pid());
    if full {
        scene.world.strikes(Fault::DiskFull);
    }
    scene.world.pause(100..800).await;
    disk.empty(scene.servers[0].pid());
}

/// For a moment the server gets hardly any memory; mostly it dies of that.
async fn little_memory(scene: &Scene<'_>) {
    let server = scene.world.pick(&scene.servers).pid();
    // Just now it may not run.
    let Ok(status) = std::fs::read_to_string(format!("/proc/{server}/status")) else { return };
    let Some(kilobytes) = status.lines().find_map(|line| line.strip_prefix("VmData:")?.trim().strip_suffix(" kB"))
    else {
        return;
    };
    let more = kilobytes.parse::<u64>().unwrap() + scene.world.dice(0..256);
    if limit(server, &format!("--data={}:", more << 10)) {
        scene.world.strikes(Fault::LittleMemory);
    }
    scene.world.pause(100..800).await;
    limit(server, "--data=unlimited:");
}

/// What a server may have open that is short of them: enough for itself, people and screens, and not for a crowd.
pub(crate) const DESCRIPTORS: usize = 260;

/// More connections than the server has descriptors for.
async fn crowd(scene: &Scene<'_>) {
    let server = scene.world.pick(&scene.servers);
    let Ok(address) = server.direct().trim_start_matches("http://").parse::<std::net::SocketAddr>() else { return };
    let mut crowd = Vec::new();
    for _ in 0..DESCRIPTORS + 50 {
        crowd.extend(TcpStream::connect(address).await);
    }
    // More than there are descriptors wait to be taken.
    if crowd.len() > DESCRIPTORS {
        scene.world.strikes(Fault::FewDescriptors);
    }
    scene.world.pause(100..700).await;
    drop(crowd);
}

async fn listen_no_more(scene: &Scene<'_>) {
    let known = scene.world.known.borrow().clone();
    let Some((conversation, id, _)) = known.last().cloned() else { return };
    let account = scene.accounts.last().unwrap().clone();
    let at = scene.servers[0].proxy.address;
    let screen = Screen { world: Rc::clone(&scene.world), account, conversation, id, at };
    // Aborted with the run.
    tokio::task::spawn_local(deaf(screen));
}
