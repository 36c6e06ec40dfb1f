//! The Socket.IO server: namespaces on an Engine.IO server.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::ServiceConfig;
use engineio::{AllowRequest, Connection, EngineConfig, EngineHandler, EngineIo, SessionHandle};

use crate::any_namespace::AnyNamespace;
use crate::config::SocketIoConfig;
use crate::connect::NamespaceInner;
use crate::connection::ClientConnection;
use crate::hub::Hub;
use crate::namespace::{Namespace, NamespaceHandle};
use crate::rate_limit::{RateLimiter, RateLimiterFactory};
use crate::received::ReceivedMemory;
use crate::server_state::ServerState;
use crate::stats::Stats;

/// A Socket.IO server. Cheap to clone; mount the same one on every HTTP worker.
#[derive(Clone)]
pub struct SocketIo {
    engine: EngineIo,
    state: Arc<ServerState>,
}

/// Collects the namespaces and hooks of a [`SocketIo`].
pub struct SocketIoBuilder {
    engine: EngineConfig,
    config: Arc<SocketIoConfig>,
    namespaces: HashMap<Arc<str>, Arc<dyn AnyNamespace>>,
    allow_request: Box<AllowRequest>,
    rate_limiter: Box<RateLimiterFactory>,
}

/// What a server that shuts down asks of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownMode {
    /// Clients reconnect, for example to another server: only their transport is closed.
    Reconnect,
    /// Clients stay away: they receive a DISCONNECT packet for each namespace first, after which stock clients do not
    /// reconnect.
    Disconnect,
}

impl SocketIo {
    /// Starts to build a server with these limits.
    #[must_use]
    pub fn builder(engine: EngineConfig, mut config: SocketIoConfig) -> SocketIoBuilder {
        // Events held back until the CONNECT answer are sent in one go, and on a fast line missed events almost, so they
        // must fit into the session's outgoing budget.
        config.max_held_bytes = config.max_held_bytes.min(engine.outgoing_budget / 4);
        if let Some(recovery) = &mut config.recovery {
            recovery.max_bytes = recovery.max_bytes.min(engine.outgoing_budget / 2);
        }
        SocketIoBuilder {
            engine,
            config: Arc::new(config),
            namespaces: HashMap::new(),
            allow_request: Box::new(|_| Ok(())),
            rate_limiter: Box::new(|| None),
        }
    }

    /// Mounts the routes on one HTTP worker, at [`EngineConfig::path`].
    pub fn configure(&self) -> impl FnOnce(&mut ServiceConfig) + Clone + use<> {
        self.engine.configure()
    }

    /// The handle of a namespace, or `None` if there is no namespace of that name.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<NamespaceHandle> {
        self.state.namespaces.get(name).map(|namespace| NamespaceHandle { hub: Arc::clone(namespace.hub()) })
    }

    /// The number of Engine.IO sessions that are open or closing.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.engine.session_count()
    }

    /// Counts of everything the server holds: sessions, sockets, actors, tasks, map entries.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let namespaces = self.state.namespaces.values().map(|namespace| namespace.stats()).sum();
        Stats { engine: self.engine.stats(), namespaces, received_bytes: self.state.received.held() }
    }

    /// Refuses new sessions, closes the open ones once their queued packets are sent, and waits until none is left, at
    /// most [`EngineConfig::close_timeout`].
    pub async fn close(&self, mode: ShutdownMode) {
        self.close_within(mode, Duration::MAX).await;
    }

    /// Like [`SocketIo::close`], with a shorter limit: packets that are not sent within `limit` are dropped.
    pub async fn close_within(&self, mode: ShutdownMode, limit: Duration) {
        if mode == ShutdownMode::Disconnect {
            for namespace in self.state.namespaces.values() {
                let hub = Arc::clone(namespace.hub());
                NamespaceHandle { hub }.all().disconnect();
            }
        }
        self.engine.close_within(limit).await;
    }
}

impl SocketIoBuilder {
    /// Adds a namespace. It replaces an earlier one of the same name.
    #[must_use]
    pub fn namespace<D: Send + Sync + 'static>(mut self, definition: Namespace<D>) -> Self {
        let name = Arc::clone(&definition.name);
        let (config, ping_timeout) = (Arc::clone(&self.config), self.engine.ping_timeout);
        let hub = Arc::new(Hub::new(Arc::clone(&name), config, ping_timeout, definition.is_anonymous));
        self.namespaces.insert(name, Arc::new(NamespaceInner::new(definition, hub)));
        self
    }

    /// Sets a hook that decides, before a session opens, whether its HTTP request is allowed. The client receives the
    /// error text as the refusal's message.
    #[must_use]
    pub fn allow_request(mut self, allow: impl Fn(&HttpRequest) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.allow_request = Box::new(allow);
        self
    }

    /// Sets a factory that makes the [`RateLimiter`] of each new connection. Default: no limit.
    #[must_use]
    pub fn rate_limit(mut self, factory: impl Fn() -> Option<Box<dyn RateLimiter>> + Send + Sync + 'static) -> Self {
        self.rate_limiter = Box::new(factory);
        self
    }

    /// Builds the server.
    #[must_use]
    pub fn build(self) -> SocketIo {
        let received = ReceivedMemory::new(self.config.max_total_received_bytes);
        let (config, namespaces, rate_limiter) = (self.config, self.namespaces, self.rate_limiter);
        let state = Arc::new(ServerState { config, namespaces, rate_limiter, received });
        let handler = SocketIoHandler(Arc::clone(&state));
        SocketIo { engine: EngineIo::with_allow_request(self.engine, handler, self.allow_request), state }
    }
}

/// Socket.IO as an Engine.IO handler.
struct SocketIoHandler(Arc<ServerState>);

impl EngineHandler for SocketIoHandler {
    fn open(&self, session: SessionHandle) -> Box<dyn Connection> {
        Box::new(ClientConnection::new(Arc::clone(&self.0), session))
    }
}

impl fmt::Debug for SocketIo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SocketIo")
            .field("namespaces", &self.state.namespaces.keys())
            .field("sessions", &self.session_count())
            .finish()
    }
}
