//! The server as actix-web mounts it: one service for all requests of the protocol.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse, fn_service};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};

use crate::close_reason::CloseReason;
use crate::config::EngineConfig;
use crate::handler::{EngineHandler, SessionHandle};
use crate::handshake::{self, Refusal, RequestKind, Transport};
use crate::outbox::{Delivery, Outbox};
use crate::polling::{self, HeaderTrimmer};
use crate::registry::{Admission, EngineStats, Registry, SessionEntry};
use crate::request::{SessionRequest, client_address};
use crate::session::{InboundStream, Session};
use crate::session_id::SessionId;
use crate::upgrade::upgrade;
use crate::websocket;

/// How often [`EngineIo::close`] checks whether all sessions are closed.
const CLOSE_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Decides whether a request may open a session. The error is the message that the client receives with status 403.
pub type AllowRequest = dyn Fn(&HttpRequest) -> Result<(), String> + Send + Sync;

/// An Engine.IO server. Cheap to clone; all HTTP workers mount clones of the same one.
#[derive(Clone)]
pub struct EngineIo {
    shared: Arc<Shared>,
}

struct Shared {
    config: Arc<EngineConfig>,
    registry: Arc<Registry>,
    handler: Box<dyn EngineHandler>,
    allow: Box<AllowRequest>,
    header_trimmer: HeaderTrimmer,
}

impl EngineIo {
    /// A server whose `handler` opens a [`Connection`](crate::Connection) for each session.
    #[must_use]
    pub fn new(config: EngineConfig, handler: impl EngineHandler) -> Self {
        Self::with_allow_request(config, handler, |_| Ok(()))
    }

    /// As [`EngineIo::new`]; calls `allow` before it opens a session, see [`AllowRequest`].
    ///
    /// ```
    /// # use actix_engineio::{EngineConfig, EngineHandler, EngineIo};
    /// # fn mount(handler: impl EngineHandler) -> EngineIo {
    /// EngineIo::with_allow_request(EngineConfig::default(), handler, |request| {
    ///     let has_token = request.headers().contains_key("authorization");
    ///     if has_token { Ok(()) } else { Err("Token missing".to_owned()) }
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn with_allow_request(
        config: EngineConfig,
        handler: impl EngineHandler,
        allow: impl Fn(&HttpRequest) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                registry: Arc::new(Registry::new(&config)),
                config: Arc::new(config),
                handler: Box::new(handler),
                allow: Box::new(allow),
                header_trimmer: HeaderTrimmer::default(),
            }),
        }
    }

    /// Mounts the server on [`EngineConfig::path`], with and without the trailing slash. Pass the result to
    /// [`App::configure`](actix_web::App::configure).
    pub fn configure(&self) -> impl FnOnce(&mut ServiceConfig) + Clone + use<> {
        let engine = self.clone();
        move |services: &mut ServiceConfig| {
            let path = engine.shared.config.path.trim_end_matches('/').to_owned();
            let path_with_slash = format!("{path}/");
            let serve = move |request: ServiceRequest| {
                let engine = engine.clone();
                async move { Ok::<_, actix_web::Error>(engine.serve(request).await) }
            };
            services.service(web::service([path, path_with_slash]).finish(fn_service(serve)));
        }
    }

    /// Number of sessions, open or closing.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.shared.registry.session_count()
    }

    /// What the server holds now: sessions, their actors and tasks, entries of tables.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        self.shared.registry.stats()
    }

    /// Shuts down gracefully: refuses new sessions, closes all sessions with [`CloseReason::ServerShuttingDown`] after
    /// their queued packets are sent, and returns when the application has finished with all of them, or after
    /// [`EngineConfig::close_timeout`].
    pub async fn close(&self) {
        self.close_within(self.shared.config.close_timeout).await;
    }

    /// As [`EngineIo::close`], with a shorter time limit. What is not sent by then is dropped.
    pub async fn close_within(&self, time_limit: Duration) {
        let registry = &self.shared.registry;
        registry.stop_admitting();
        let deadline = tokio::time::Instant::now() + time_limit.min(self.shared.config.close_timeout);
        while !registry.is_idle() && tokio::time::Instant::now() < deadline {
            // Repeated, as a handshake that was admitted before may register its session later.
            registry.for_each(|entry| entry.outbox.close(CloseReason::ServerShuttingDown));
            tokio::time::sleep(CLOSE_CHECK_INTERVAL).await;
        }
        registry.for_each(|entry| entry.outbox.abort(CloseReason::ServerShuttingDown));
    }

    async fn serve(&self, mut request: ServiceRequest) -> ServiceResponse {
        let cors = &self.shared.config.cors;
        let mut response = match cors.preflight(request.request()) {
            Some(response) => response,
            None => self.dispatch(&mut request).await,
        };
        cors.add_headers(request.request(), response.headers_mut());
        request.into_response(response)
    }

    async fn dispatch(&self, request: &mut ServiceRequest) -> HttpResponse {
        let shared = &self.shared;
        let kind = handshake::check(request.request(), &shared.config, &shared.registry, |request| self.allow(request));
        match kind {
            Ok(RequestKind::Open(Transport::Polling)) => self.open_polling(request.request()),
            Ok(RequestKind::Open(Transport::WebSocket)) => {
                let payload = request.take_payload();
                self.open_websocket(request.request(), payload)
            }
            Ok(RequestKind::Upgrade(entry)) => {
                let payload = request.take_payload();
                self.upgrade(request.request(), payload, entry)
            }
            Ok(RequestKind::Poll(entry)) => polling::poll(request, entry, &shared.config, &shared.header_trimmer).await,
            // Boxed: a long poll would otherwise hold the memory of the larger future of a POST.
            Ok(RequestKind::Post(entry)) => {
                let payload = request.take_payload();
                Box::pin(polling::post(request.request(), payload, entry, &shared.config)).await
            }
            Err(refusal) => refusal.response(handshake::is_upgrade(request.request())),
        }
    }

    fn allow(&self, request: &HttpRequest) -> Result<(), Refusal> {
        if !self.shared.config.cors.allows(request) {
            return Err(Refusal::forbidden());
        }
        (self.shared.allow)(request).map_err(Refusal::Forbidden)
    }

    fn admit(&self, request: &HttpRequest) -> Result<Admission, Refusal> {
        let address = client_address(request, &self.shared.config.client_address);
        self.shared.registry.admit(address).map_err(|error| Refusal::Forbidden(error.to_string()))
    }

    fn open_polling(&self, request: &HttpRequest) -> HttpResponse {
        let config = &self.shared.config;
        let admission = match self.admit(request) {
            Ok(admission) => admission,
            Err(refusal) => return refusal.response(false),
        };
        let id = SessionId::random();
        let outbox = Arc::new(Outbox::polling(config));
        self.start(request, id, admission, outbox, None);
        let open = handshake::open_packet(id, Transport::Polling, config);
        polling::response(polling::accepts_gzip(request), open.data().to_vec(), config)
    }

    fn open_websocket(&self, request: &HttpRequest, payload: Payload) -> HttpResponse {
        let config = &self.shared.config;
        let admission = match self.admit(request) {
            Ok(admission) => admission,
            Err(refusal) => return refusal.response(true),
        };
        let outbox = Arc::new(Outbox::websocket(config));
        let (response, reader) = match websocket::accept(request, payload, &outbox, config) {
            Ok(accepted) => accepted,
            Err(error) => return error.error_response(),
        };
        let id = SessionId::random();
        let open = handshake::open_packet(id, Transport::WebSocket, config);
        outbox.push(std::iter::once(&open), Delivery::Reliable);
        self.start(request, id, admission, outbox, Some(Box::pin(reader)));
        response
    }

    /// Starts the session's actor on the current HTTP worker.
    fn start(
        &self,
        request: &HttpRequest,
        id: SessionId,
        admission: Admission,
        outbox: Arc<Outbox>,
        websocket: Option<InboundStream>,
    ) {
        let shared = &self.shared;
        let request = Arc::new(SessionRequest::copy_from(request, &shared.config));
        let connection = shared.handler.open(SessionHandle::new(Arc::clone(&outbox), request));
        Session::create(|context| {
            let entry = SessionEntry { outbox: Arc::clone(&outbox), actor: context.address() };
            let registration = admission.register(id, entry);
            let guard = shared.registry.count_actor();
            Session::new(Arc::clone(&shared.config), outbox, connection, registration, guard, websocket)
        });
    }

    fn upgrade(&self, request: &HttpRequest, payload: Payload, session: SessionEntry) -> HttpResponse {
        let config = &self.shared.config;
        let outbox = Arc::new(Outbox::websocket(config));
        let (response, reader) = match websocket::accept(request, payload, &outbox, config) {
            Ok(accepted) => accepted,
            Err(error) => return error.error_response(),
        };
        if session.outbox.begin_upgrade(&outbox) {
            let (guard, config) = (self.shared.registry.count_upgrade(), Arc::clone(config));
            actix_rt::spawn(async move {
                upgrade(reader, outbox, session, config).await;
                drop(guard);
            });
        } else {
            // As the reference server does: the handshake succeeds, the WebSocket closes, the session is unharmed.
            outbox.close(CloseReason::TransportClose);
        }
        response
    }
}
