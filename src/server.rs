//! The one place where the parts are put together, started, and drained (`architecture.md`, "Stopping").

mod descriptors;

use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing_actix_web::TracingLogger;

use crate::api::{self, Api, LastLook, Readiness};
use crate::client_ip::TrustedProxies;
use crate::cluster::{Cluster, Presence, SingleNode};
use crate::config::{ServerSettings, Settings};
use crate::conversation::{Clock, ConversationIds, EventPublisher, Registry, RegistryParts, SystemClock};
use crate::database::{Database, DatabaseError, DatabaseRuntime};
use crate::help_center::HelpCenter;
use crate::identity::{Directory, KeyFileError, NonceStore, RequestVerifier, Verifier};
use crate::journal::Journal;
use crate::limits::Limits;
use crate::migrations;
use crate::realtime::{self, Broadcaster, PresenceBroadcaster, Realtime};
use crate::telemetry::RequestSpan;
use socketio::{ShutdownMode, SocketIo};

pub use descriptors::TooFewDescriptors;

/// Seconds that HTTP workers get to write the last answers, which by then are all given.
const LAST_WRITES_SECONDS: u64 = 1;

/// How long a client may take to close its side of a connection that we have closed; clients of a WebSocket wait for us
/// as long. actix-http reckons by a clock that moves twice a second, or later where the worker stands still; where the
/// moment is past already when it is set, nobody is woken, and the connection stays until the client ends it. So it is
/// well beyond that, and no longer.
const HANG_UP: Duration = Duration::from_secs(2);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: {source}")]
    Bind {
        /// Where it should listen.
        address: String,
        /// Why it does not.
        source: std::io::Error,
    },
    /// Too few files may be open.
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
    readiness: Readiness,
    sockets: SocketIo,
    registry: Arc<Registry>,
    journal: Journal,
    drain_timeout: Duration,
    _database: DatabaseRuntime,
}

impl Server {
    /// Connects to the database, moves its schema on if `migrate`, and listens. Must be called in an actix system.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: Settings, migrate: bool) -> Result<Self, StartError> {
        Self::start_by(Arc::new(SystemClock), settings, migrate).await
    }

    /// As [`Server::start`], by another clock than the machine's.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_by(clock: Arc<dyn Clock>, settings: Settings, migrate: bool) -> Result<Self, StartError> {
        let verifier = Arc::new(Verifier::new(&settings.auth)?);
        let (database, runtime) = Database::connect(&settings.database, settings.journal.writers).await?;
        if migrate {
            migrations::up(&database, &settings.database).await?;
        }
        let journal = Journal::start(&database, &settings.journal, &settings.tickets);
        journal.start_search_indexer(&database);
        let broadcaster = Arc::new(Broadcaster::default());
        let registry = Registry::start(RegistryParts {
            database: database.clone(),
            journal: journal.clone(),
            publisher: Arc::clone(&broadcaster) as Arc<dyn EventPublisher>,
            clock: Arc::clone(&clock),
            ids: ConversationIds::new(&settings.auth.jwt_secret).map_err(|_| StartError::Secret)?,
            settings: settings.conversation.clone(),
            request_timeout: settings.server.request_timeout(),
        });
        let nonces = NonceStore::start(&database);
        let directory = Directory::start(&database, &settings.directory);
        let limits = Limits::new(&settings.limits);
        let proxies = TrustedProxies::new(&settings.server.trusted_proxies);
        let auto_reply = settings.help_center.auto_reply.auto_reply().ok_or(StartError::AutoReply)?;
        let help_center = HelpCenter::new(Arc::clone(&registry), database.clone(), auto_reply);
        let presence_broadcaster = Arc::new(PresenceBroadcaster::default());
        let cluster: Arc<dyn Cluster> = Arc::new(SingleNode::new(Arc::clone(&presence_broadcaster) as _));
        let realtime = Realtime {
            registry: Arc::clone(&registry),
            database: database.clone(),
            help_center: help_center.clone(),
            broadcaster,
            verifier: Arc::clone(&verifier),
            directory: directory.clone(),
            limits: limits.clone(),
            proxies: proxies.clone(),
            presence: Presence::new(Arc::clone(&cluster)),
            clock: Arc::clone(&clock),
            catch_up_bytes: settings.socket.outgoing_bytes / 4,
        };
        let sockets = realtime::start(realtime, &settings, &presence_broadcaster);
        let readiness = Readiness::default();
        let api = Api {
            registry: Arc::clone(&registry),
            database,
            help_center,
            verifier,
            guard: RequestVerifier::new(&settings.guard),
            nonces,
            limits,
            proxies,
            directory,
            cluster,
            clock,
            readiness: readiness.clone(),
            last_look: LastLook::default(),
            body_limit: settings.server.body_limit_bytes,
            serves_documents: settings.docs.enabled,
            request_timeout: settings.server.request_timeout(),
        };
        let (listener, address) = listen(&settings.server)?;
        let http = serve(&settings, api, &sockets, &listener)?;
        let handle = http.handle();
        Ok(Self {
            address,
            listener,
            http: handle,
            serving: actix_web::rt::spawn(http),
            readiness,
            sockets,
            registry,
            journal,
            drain_timeout: settings.server.drain_timeout(),
            _database: runtime,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: no new connections, sockets are told to go elsewhere, what was asked is answered, the journal is
    /// flushed. Takes `server.drain_timeout_ms` at the longest; what is not done by then is cut off, and loses nothing
    /// that was acknowledged.
    pub async fn stop(self) {
        let deadline = Instant::now() + self.drain_timeout;
        self.readiness.drain();
        self.http.pause().await;
        // Paused, the socket would still take connections and let them hang.
        if let Err(error) = SockRef::from(&self.listener).shutdown(Shutdown::Both) {
            tracing::warn!(%error, "new connections could not be refused");
        }
        let drained = timeout_at(deadline, async {
            // A client that takes nothing must not cost the others their answers.
            self.sockets.close_within(ShutdownMode::Reconnect, self.drain_timeout / 2).await;
            self.readiness.answered().await;
            self.journal.flush().await;
        })
        .await;
        if drained.is_err() {
            tracing::warn!("not everything was answered within server.drain_timeout_ms");
        }
        self.http.stop(drained.is_ok()).await;
        if let Ok(Err(error)) = self.serving.await {
            tracing::error!(%error, "the HTTP server ended with an error");
        }
        self.registry.stop();
    }
}

/// Listens; connections wait until [`serve`] takes them.
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
        // Connections inherit it. The kernel ends one whose client takes nothing, however long it stays on the line:
        // a client that stopped reading, whose session was cut, must not keep its connection and what stands in it.
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
) -> Result<actix_web::dev::Server, StartError> {
    let keep_alive = Duration::from_secs(settings.server.keep_alive_seconds);
    let workers = settings.server.worker_threads();
    let max_connections = descriptors::connections_for_each(workers, settings, api.database.backend())?;
    let bind_error = |source| StartError::Bind { address: settings.server.host.clone(), source };
    let cors = settings.cors.clone();
    let readiness = api.readiness.clone();
    let (routes, socket_routes) = (api::configure(api), sockets.configure());
    let http = HttpServer::new(move || {
        App::new()
            .configure(socket_routes.clone())
            .configure(routes.clone())
            .wrap(readiness.clone())
            .wrap(api::cors(&cors))
            .wrap(TracingLogger::<RequestSpan>::new())
    })
    .workers(workers)
    .max_connections(max_connections)
    // What is written is whole, and coalesced by us: held back until the client acknowledges what came before it (Nagle),
    // a message waits 40 ms for a phone that delays its acknowledgements.
    .tcp_nodelay(true)
    .keep_alive(keep_alive)
    .shutdown_timeout(LAST_WRITES_SECONDS)
    // A client that hangs up is noticed at once, a waiting poll among them, and one that does not is not waited for long.
    .h1_allow_half_closed(false)
    .client_disconnect_timeout(HANG_UP)
    .disable_signals();
    let http = http.listen(listener.try_clone().map_err(bind_error)?).map_err(bind_error)?;
    Ok(http.run())
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
