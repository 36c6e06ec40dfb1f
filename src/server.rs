//! Assembles the server from its parts, starts it and shuts it down.

mod descriptors;
mod http;

use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use chrono::TimeDelta;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::api::{Api, Drain, ReadinessCache};
use crate::client_ip::TrustedProxies;
use crate::cluster::{AgentSockets, Cluster, Presence, SingleNode};
use crate::config::{ServerSettings, Settings};
use crate::conversation::{Clock, ConversationIds, EventPublisher, Registry, RegistryParts, SystemClock};
use crate::database::{Database, DatabaseError, DatabaseRuntime};
use crate::handovers::HandoverExpiry;
use crate::help_center::HelpCenter;
use crate::identity::{Directory, GuestTokens, KeyFileError, NonceStore, RequestVerifier, Roles, Verifier};
use crate::journal::Journal;
use crate::limits::RateLimits;
use crate::migrations;
use crate::read_marks::ReadMarks;
use crate::reads::Reads;
use crate::realtime::{self, Broadcaster, ConnectionDeadlines, PresenceBroadcaster, Realtime};
use crate::services::Services;
use crate::telemetry;
use socketio::{ShutdownMode, SocketIo};

pub use descriptors::TooFewDescriptors;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The server cannot listen on the address.
    #[error("{address} cannot be listened on: {source}")]
    Bind {
        /// The configured address.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The limit of open files is too low.
    #[error(transparent)]
    Descriptors(#[from] TooFewDescriptors),
    /// Tokens cannot be verified.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The help center's auto-reply cannot be used.
    #[error("help_center.auto_reply cannot be used")]
    AutoReply,
    /// The secret cannot be used.
    #[error("auth.jwt_secret cannot be used")]
    Secret,
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    listener: TcpListener,
    http: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    drain: Drain,
    sockets: SocketIo,
    registry: Arc<Registry>,
    journal: Journal,
    agent_sockets: AgentSockets,
    _expiry: Option<HandoverExpiry>,
    drain_timeout: Duration,
    _database: DatabaseRuntime,
}

impl Server {
    /// Connects to the database, applies migrations if `migrate`, and listens. Must be called in an actix system.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: Settings, migrate: bool) -> Result<Self, StartError> {
        Self::start_with_clock(Arc::new(SystemClock), settings, migrate).await
    }

    /// As [`Server::start`], with another clock than the system's.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_with_clock(
        clock: Arc<dyn Clock>,
        settings: Settings,
        migrate: bool,
    ) -> Result<Self, StartError> {
        let verifier = Arc::new(Verifier::new(&settings.auth)?);
        let (database, runtime) = connect(&settings, migrate).await?;
        let journal = Journal::start(&database, &settings.journal, &settings.tickets);
        journal.start_search_indexer(&database).await;
        let broadcaster = Arc::new(Broadcaster::new(&settings.realtime));
        let registry = start_registry(&settings, &database, &journal, &broadcaster, &clock)?;
        let auto_reply = settings.help_center.auto_reply.auto_reply().ok_or(StartError::AutoReply)?;
        let presence_broadcaster = Arc::new(PresenceBroadcaster::default());
        let now = Arc::clone(&clock);
        let agent_sockets = AgentSockets::start(&database, Arc::new(move || now.now()));
        let handover_expiry = settings.handover.expire_after();
        let expiry = start_handover_expiry(&registry, &database, &clock, handover_expiry);
        let cluster: Arc<dyn Cluster> =
            Arc::new(SingleNode::new(Arc::clone(&presence_broadcaster) as _).record_in(agent_sockets.clone()));
        let services = Services {
            help_center: HelpCenter::new(Arc::clone(&registry), database.clone(), auto_reply),
            registry: Arc::clone(&registry),
            verifier,
            guest_tokens: Arc::new(
                GuestTokens::new(&settings.auth.jwt_secret, &settings.guest).map_err(|_| StartError::Secret)?,
            ),
            directory: Directory::start(&database, &settings.directory),
            roles: Roles::start(&database, &settings.auth),
            limits: RateLimits::new(&settings.limits),
            read_marks: ReadMarks::start(&database, Arc::clone(&broadcaster) as _),
            reads: Reads::new(&settings.reads),
            proxies: TrustedProxies::new(&settings.server.trusted_proxies),
            cluster: Arc::clone(&cluster),
            agent_sockets: agent_sockets.clone(),
            handover_expiry,
            takeover_after: settings.ownership.takeover_after(),
            supervisor_roles: settings.auth.supervisor_roles.as_slice().into(),
            clock,
            database,
        };
        services.roles.notify(Arc::clone(&presence_broadcaster) as _);
        let realtime = Realtime {
            services: services.clone(),
            broadcaster,
            presence: Presence::new(cluster),
            deadlines: ConnectionDeadlines::new(settings.auth.max_connection_seconds),
            catch_up_bytes: settings.socket.outgoing_bytes / 4,
        };
        let sockets = realtime::start(realtime, &settings, &presence_broadcaster);
        let drain = Drain::default();
        let api = make_api(services, &settings, &drain);
        let (listener, address) = listen(&settings.server)?;
        let http = serve(&settings, api, &sockets, &listener)?;
        let handle = http.handle();
        Ok(Self {
            address,
            listener,
            http: handle,
            serving: actix_web::rt::spawn(http),
            drain,
            sockets,
            registry,
            journal,
            agent_sockets,
            _expiry: expiry,
            drain_timeout: settings.server.drain_timeout(),
            _database: runtime,
        })
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shuts down: refuses new connections, asks sockets to reconnect elsewhere, answers pending requests and flushes
    /// the journal. What is unfinished after `server.drain_timeout_ms` is aborted; acknowledged writes are never lost.
    pub async fn stop(self) {
        let deadline = Instant::now() + self.drain_timeout;
        self.drain.start();
        telemetry::listener_closes();
        self.http.pause().await;
        // `pause` alone would let the kernel accept connections that nothing serves.
        if let Err(error) = SockRef::from(&self.listener).shutdown(Shutdown::Both) {
            tracing::warn!(%error, "the listening socket could not be shut down");
        }
        let drained = timeout_at(deadline, async {
            // Half the time: a client that does not read must not use up the time of the others.
            self.sockets.close_within(ShutdownMode::Reconnect, self.drain_timeout / 2).await;
            self.drain.wait_until_idle().await;
            self.agent_sockets.flush().await;
            self.journal.flush().await;
        })
        .await;
        if drained.is_err() {
            tracing::warn!("the drain did not finish within server.drain_timeout_ms");
        }
        self.http.stop(drained.is_ok()).await;
        if let Ok(Err(error)) = self.serving.await {
            tracing::error!(%error, "the HTTP server stopped with an error");
        }
        self.registry.stop();
    }
}

/// What the handlers of REST endpoints work with.
fn make_api(services: Services, settings: &Settings, drain: &Drain) -> Api {
    Api {
        guard: RequestVerifier::new(&settings.guard),
        nonces: NonceStore::start(&services.database),
        services,
        drain: drain.clone(),
        readiness: ReadinessCache::default(),
        body_limit: settings.server.body_limit_bytes,
        asyncapi: settings.docs.enabled.then_some(realtime::asyncapi_document),
        body_timeout: settings.server.body_timeout(),
        request_timeout: settings.server.request_timeout(),
    }
}

/// Starts ending handovers that are not answered in time, if any does.
fn start_handover_expiry(
    registry: &Arc<Registry>,
    database: &Database,
    clock: &Arc<dyn Clock>,
    expire_after: Option<TimeDelta>,
) -> Option<HandoverExpiry> {
    let expire_after = expire_after?;
    Some(HandoverExpiry::start(Arc::clone(registry), database.clone(), Arc::clone(clock), expire_after))
}

/// Connects to the database, and applies migrations if `migrate`.
async fn connect(settings: &Settings, migrate: bool) -> Result<(Database, DatabaseRuntime), DatabaseError> {
    let (database, runtime) = Database::connect(&settings.database, settings.journal.writers).await?;
    let search_timeout = Duration::from_millis(settings.reads.search_timeout_ms);
    let database = database.with_answer_bytes(settings.reads.answer_bytes).with_search_timeout(search_timeout);
    if migrate {
        migrations::up(&database, &settings.database).await?;
    }
    Ok((database, runtime))
}

fn start_registry(
    settings: &Settings,
    database: &Database,
    journal: &Journal,
    broadcaster: &Arc<Broadcaster>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Registry>, StartError> {
    Ok(Registry::start(RegistryParts {
        database: database.clone(),
        journal: journal.clone(),
        publisher: Arc::clone(broadcaster) as Arc<dyn EventPublisher>,
        clock: Arc::clone(clock),
        ids: ConversationIds::new(&settings.auth.jwt_secret).map_err(|_| StartError::Secret)?,
        settings: settings.conversation.clone(),
        request_timeout: settings.server.request_timeout(),
    }))
}

/// Listens; the kernel queues connections until [`serve`] accepts them.
fn listen(settings: &ServerSettings) -> Result<(TcpListener, SocketAddr), StartError> {
    let ServerSettings { host, port, backlog, .. } = settings;
    let bind_error = |source| StartError::Bind { address: format!("{host}:{port}"), source };
    let ip: IpAddr = host.parse().map_err(|_| bind_error(std::io::ErrorKind::InvalidInput.into()))?;
    let port = u16::try_from(*port).map_err(|_| bind_error(std::io::ErrorKind::InvalidInput.into()))?;
    let address = SocketAddr::new(ip, port);
    let bound = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        // Inherited by connections. The kernel resets a connection whose client has stopped reading, which would
        // otherwise keep its buffers after its session was closed.
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(settings.unread_timeout()))?;
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(*backlog).unwrap_or(i32::MAX))?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound().map_err(bind_error)
}

fn serve(
    settings: &Settings,
    api: Api,
    sockets: &SocketIo,
    listener: &TcpListener,
) -> Result<actix_server::Server, StartError> {
    let (workers, backend) = (settings.server.worker_threads(), api.services.database.backend());
    let slots = descriptors::slots_per_worker(workers, settings, backend)?;
    let bind_error = |source| StartError::Bind { address: settings.server.host.clone(), source };
    http::serve(settings, slots, api, sockets, listener).map_err(bind_error)
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
