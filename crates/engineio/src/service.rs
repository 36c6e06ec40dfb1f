//! The engine as actix-web sees it: one resource that answers every request.

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
use crate::session::{Reader, Session};
use crate::session_id::SessionId;
use crate::upgrade::upgrade;
use crate::websocket;

/// How often [`EngineIo::close`] looks whether the sessions are gone.
const CLOSE_CHECK: Duration = Duration::from_millis(10);

/// Says whether a request may open a session, and what the client is told if not.
pub type AllowRequest = dyn Fn(&HttpRequest) -> Result<(), String> + Send + Sync;

/// An Engine.IO server. Cheap to clone; every HTTP worker mounts the same one.
#[derive(Clone)]
pub struct EngineIo {
    shared: Arc<Shared>,
}

struct Shared {
    config: Arc<EngineConfig>,
    registry: Arc<Registry>,
    application: Arc<dyn EngineHandler>,
    allow: Option<Box<AllowRequest>>,
    shedding: HeaderTrimmer,
}

impl EngineIo {
    /// An engine that opens a connection of `application` for each session.
    #[must_use]
    pub fn new(config: EngineConfig, application: Arc<dyn EngineHandler>) -> Self {
        Self::with_allow_request(config, application, None)
    }

    /// As [`EngineIo::new`], and asks `allow` before a session is opened.
    #[must_use]
    pub fn with_allow_request(
        config: EngineConfig,
        application: Arc<dyn EngineHandler>,
        allow: Option<Box<AllowRequest>>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                registry: Arc::new(Registry::new(&config)),
                config: Arc::new(config),
                application,
                allow,
                shedding: HeaderTrimmer::default(),
            }),
        }
    }

    /// Mounts the routes, with and without the trailing slash.
    pub fn configure(&self) -> impl FnOnce(&mut ServiceConfig) + Clone + use<> {
        let engine = self.clone();
        move |services: &mut ServiceConfig| {
            let path = engine.shared.config.path.trim_end_matches('/').to_owned();
            let slashed = format!("{path}/");
            let answer = move |request: ServiceRequest| {
                let engine = engine.clone();
                async move { Ok::<_, actix_web::Error>(engine.serve(request).await) }
            };
            services.service(web::service([path, slashed]).finish(fn_service(answer)));
        }
    }

    /// Sessions that are open or closing.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.shared.registry.count()
    }

    /// What is there now: sessions, their actors and tasks, entries of maps.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        self.shared.registry.stats()
    }

    /// Takes no more sessions, closes those there are once what is queued has left, and returns when they are gone and
    /// the application has finished with them, or the time to close is over.
    pub async fn close(&self) {
        self.close_within(self.shared.config.close_timeout).await;
    }

    /// As [`EngineIo::close`], in so much time at the longest: what has not left by then is dropped.
    pub async fn close_within(&self, patience: Duration) {
        let registry = &self.shared.registry;
        registry.refuse_all();
        let deadline = tokio::time::Instant::now() + patience.min(self.shared.config.close_timeout);
        while !registry.is_idle() && tokio::time::Instant::now() < deadline {
            // Again and again: a handshake that was under way may have come through.
            registry.for_each(|found| found.outbox.end(CloseReason::ServerShuttingDown));
            tokio::time::sleep(CLOSE_CHECK).await;
        }
        registry.for_each(|found| found.outbox.abort(CloseReason::ServerShuttingDown));
    }

    async fn serve(&self, mut request: ServiceRequest) -> ServiceResponse {
        let cors = &self.shared.config.cors;
        let mut response = match cors.preflight(request.request()) {
            Some(response) => response,
            None => self.answer(&mut request).await,
        };
        cors.mark(request.request(), response.headers_mut());
        request.into_response(response)
    }

    async fn answer(&self, request: &mut ServiceRequest) -> HttpResponse {
        let shared = &self.shared;
        let checked = handshake::check(request.request(), &shared.config, &shared.registry, |asked| self.allow(asked));
        match checked {
            Ok(RequestKind::Open(Transport::Polling)) => self.open_polling(request.request()),
            Ok(RequestKind::Open(Transport::WebSocket)) => {
                let payload = request.take_payload();
                self.open_websocket(request.request(), payload)
            }
            Ok(RequestKind::Upgrade(found)) => {
                let payload = request.take_payload();
                self.upgrade(request.request(), payload, found)
            }
            Ok(RequestKind::Poll(found)) => polling::poll(request, found, &shared.config, &shared.shedding).await,
            // Boxed, so that a poll, which waits long, does not hold room for what it is not.
            Ok(RequestKind::Post(found)) => {
                let payload = request.take_payload();
                Box::pin(polling::post(request.request(), payload, found, &shared.config)).await
            }
            Err(refusal) => refusal.answer(handshake::is_upgrade(request.request())),
        }
    }

    fn allow(&self, request: &HttpRequest) -> Result<(), Refusal> {
        if !self.shared.config.cors.allows(request) {
            return Err(Refusal::forbidden());
        }
        match &self.shared.allow {
            Some(allow) => allow(request).map_err(Refusal::Forbidden),
            None => Ok(()),
        }
    }

    fn admit(&self, request: &HttpRequest) -> Result<Admission, Refusal> {
        let address = client_address(request, &self.shared.config.client_address);
        self.shared.registry.admit(address).map_err(|full| Refusal::Forbidden(full.to_string()))
    }

    fn open_polling(&self, request: &HttpRequest) -> HttpResponse {
        let config = &self.shared.config;
        let admission = match self.admit(request) {
            Ok(admission) => admission,
            Err(refusal) => return refusal.answer(false),
        };
        let id = SessionId::random();
        let outbox = Arc::new(Outbox::polling(config.outgoing_budget));
        self.start(request, id, admission, outbox, None);
        let open = handshake::open_packet(id, Transport::Polling, config);
        polling::answer(polling::takes_gzip(request), open.data().to_vec(), config)
    }

    fn open_websocket(&self, request: &HttpRequest, payload: Payload) -> HttpResponse {
        let config = &self.shared.config;
        let admission = match self.admit(request) {
            Ok(admission) => admission,
            Err(refusal) => return refusal.answer(true),
        };
        let outbox = Arc::new(Outbox::websocket(config.outgoing_budget));
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

    /// Starts a session on this worker.
    fn start(
        &self,
        request: &HttpRequest,
        id: SessionId,
        admission: Admission,
        outbox: Arc<Outbox>,
        reader: Option<Reader>,
    ) {
        let shared = &self.shared;
        let request = Arc::new(SessionRequest::of(request, &shared.config));
        let connection = shared.application.opened(SessionHandle::new(Arc::clone(&outbox), request));
        Session::create(|context| {
            let found = SessionEntry { outbox: Arc::clone(&outbox), actor: context.address() };
            let registration = admission.register(id, found);
            Session::new(Arc::clone(&shared.config), outbox, connection, registration, shared.registry.run(), reader)
        });
    }

    fn upgrade(&self, request: &HttpRequest, payload: Payload, found: SessionEntry) -> HttpResponse {
        let config = &self.shared.config;
        let own = Arc::new(Outbox::websocket(config.outgoing_budget));
        let (response, reader) = match websocket::accept(request, payload, &own, config) {
            Ok(accepted) => accepted,
            Err(error) => return error.error_response(),
        };
        if found.outbox.begin_upgrade(&own) {
            let (running, config) = (self.shared.registry.run_upgrade(), Arc::clone(config));
            actix_rt::spawn(async move {
                upgrade(reader, own, found, config).await;
                drop(running);
            });
        } else {
            // The handshake is answered, then the WebSocket closed: the session is not to suffer.
            own.end(CloseReason::TransportClose);
        }
        response
    }
}
