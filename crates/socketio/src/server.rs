//! Namespaces on an engine: the whole Socket.IO server.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::ServiceConfig;

use super::config::SocketIoConfig;
use super::connect::{AnyNamespace, NamespaceInner};
use super::connection::ClientConnection;
use super::hub::Hub;
use super::namespace::{Namespace, NamespaceHandle};
use super::rate_limit::{MakePace, Pace};
use super::stats::Stats;
use engineio::{AllowRequest, Connection, EngineConfig, EngineHandler, EngineIo, SessionHandle};

/// A Socket.IO server. Cheap to clone; every HTTP worker mounts the same one.
#[derive(Clone)]
pub struct SocketIo {
    engine: EngineIo,
    shared: Arc<Shared>,
}

/// What every connection needs.
pub(super) struct Shared {
    pub(super) config: Arc<SocketIoConfig>,
    pub(super) namespaces: HashMap<Arc<str>, Arc<dyn AnyNamespace>>,
    pub(super) pace: Box<MakePace>,
}

/// Collects namespaces.
pub struct SocketIoBuilder {
    engine: EngineConfig,
    config: Arc<SocketIoConfig>,
    namespaces: HashMap<Arc<str>, Arc<dyn AnyNamespace>>,
    allow: Box<AllowRequest>,
    pace: Box<MakePace>,
}

/// How clients are told that the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseKind {
    /// Their connections are closed, and they come back, to another server.
    GoElsewhere,
    /// They are put out of their namespaces first, and do not come back by themselves.
    StayAway,
}

impl SocketIo {
    /// Begins a server with these limits.
    #[must_use]
    pub fn builder(engine: EngineConfig, mut config: SocketIoConfig) -> SocketIoBuilder {
        // What a client missed, and what waits for its CONNECT answer, leave at once and have to fit into its queue.
        config.max_held_bytes = config.max_held_bytes.min(engine.outgoing_budget / 4);
        if let Some(recovery) = &mut config.recovery {
            recovery.max_bytes = recovery.max_bytes.min(engine.outgoing_budget / 2);
        }
        let pace = Box::new(|| None);
        SocketIoBuilder {
            engine,
            config: Arc::new(config),
            namespaces: HashMap::new(),
            allow: Box::new(|_| Ok(())),
            pace,
        }
    }

    /// Mounts the routes on one HTTP worker.
    pub fn configure(&self) -> impl FnOnce(&mut ServiceConfig) + Clone + use<> {
        self.engine.configure()
    }

    /// A namespace by its name.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<NamespaceHandle> {
        self.shared.namespaces.get(name).map(|namespace| NamespaceHandle { hub: Arc::clone(namespace.hub()) })
    }

    /// Sessions that are open or closing, whatever they have joined.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.engine.session_count()
    }

    /// What is there now: sessions, sockets, actors, tasks, entries of maps.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let namespaces = self.shared.namespaces.values().map(|namespace| namespace.stats()).sum();
        Stats { engine: self.engine.stats(), namespaces }
    }

    /// Takes no more sessions, closes those there are once what is queued has left, and returns when they are gone or
    /// [`EngineConfig::close_timeout`] is over.
    pub async fn close(&self, kind: CloseKind) {
        self.close_within(kind, Duration::MAX).await;
    }

    /// As [`SocketIo::close`], in so much time at the longest: what has not left by then is dropped.
    pub async fn close_within(&self, kind: CloseKind, patience: Duration) {
        if kind == CloseKind::StayAway {
            for namespace in self.shared.namespaces.values() {
                let hub = Arc::clone(namespace.hub());
                NamespaceHandle { hub }.all().disconnect();
            }
        }
        self.engine.close_within(patience).await;
    }
}

impl SocketIoBuilder {
    /// Adds a namespace. One of the same name takes the place of the first.
    #[must_use]
    pub fn namespace<D: Send + Sync + 'static>(mut self, definition: Namespace<D>) -> Self {
        let name = Arc::clone(&definition.name);
        let hub = Arc::new(Hub::new(Arc::clone(&name), Arc::clone(&self.config)));
        self.namespaces.insert(name, Arc::new(NamespaceInner::new(definition, hub)));
        self
    }

    /// Asks before a session is opened, with the whole request at hand. An error is the message that the client gets.
    #[must_use]
    pub fn allow_request(mut self, allow: impl Fn(&HttpRequest) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.allow = Box::new(allow);
        self
    }

    /// Watches how much each connection says; asked for each one that begins. Default: nothing is counted.
    #[must_use]
    pub fn pace(mut self, pace: impl Fn() -> Option<Box<dyn Pace>> + Send + Sync + 'static) -> Self {
        self.pace = Box::new(pace);
        self
    }

    /// The server.
    #[must_use]
    pub fn build(self) -> SocketIo {
        let shared = Arc::new(Shared { config: self.config, namespaces: self.namespaces, pace: self.pace });
        let application = Protocol(Arc::clone(&shared));
        SocketIo { engine: EngineIo::with_allow_request(self.engine, application, self.allow), shared }
    }
}

/// Socket.IO as the engine's application.
struct Protocol(Arc<Shared>);

impl EngineHandler for Protocol {
    fn open(&self, session: SessionHandle) -> Box<dyn Connection> {
        Box::new(ClientConnection::new(Arc::clone(&self.0), session))
    }
}

impl fmt::Debug for SocketIo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SocketIo")
            .field("namespaces", &self.shared.namespaces.keys())
            .field("sessions", &self.session_count())
            .finish()
    }
}
