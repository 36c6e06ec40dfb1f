//! The engine as actix-web sees it: one resource that answers every request.

use std::{sync::Arc, time::Duration};

use actix::{Actor, AsyncContext};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Payload, ServiceConfig},
};

use super::{
    application::{Application, SessionHandle},
    close::CloseReason,
    config::EngineConfig,
    handshake::{self, Refusal, Transport, Wish},
    outbox::{Delivery, Outbox},
    polling,
    registry::{Admission, Found, Registry},
    request::{SessionRequest, client_address},
    session::{Reader, Session},
    session_id::SessionId,
    upgrade::upgrade,
    websocket,
};

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
    application: Arc<dyn Application>,
    allow: Option<Box<AllowRequest>>,
}

impl EngineIo {
    /// An engine that opens a connection of `application` for each session.
    #[must_use]
    pub fn new(config: EngineConfig, application: Arc<dyn Application>) -> Self {
        Self::with_allow_request(config, application, None)
    }

    /// As [`EngineIo::new`], and asks `allow` before a session is opened.
    #[must_use]
    pub fn with_allow_request(
        config: EngineConfig,
        application: Arc<dyn Application>,
        allow: Option<Box<AllowRequest>>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                registry: Arc::new(Registry::new(&config)),
                config: Arc::new(config),
                application,
                allow,
            }),
        }
    }

    /// Mounts the routes, with and without the trailing slash.
    pub fn configure(&self) -> impl FnOnce(&mut ServiceConfig) + Clone + use<> {
        let engine = self.clone();
        move |services: &mut ServiceConfig| {
            let path = engine.shared.config.path.trim_end_matches('/').to_owned();
            let slashed = format!("{path}/");
            let resource = web::resource([path, slashed]).to(move |request: HttpRequest, payload: Payload| {
                let engine = engine.clone();
                async move { engine.serve(request, payload).await }
            });
            services.service(resource);
        }
    }

    /// Sessions that are open or closing.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.shared.registry.count()
    }

    /// Takes no more sessions, closes those there are once what is queued has left, and returns when they are gone and the application
    /// has finished with them, or the time to close is over.
    pub async fn close(&self) {
        let registry = &self.shared.registry;
        registry.refuse_all();
        let deadline = tokio::time::Instant::now() + self.shared.config.close_timeout;
        while !registry.is_idle() && tokio::time::Instant::now() < deadline {
            // Again and again: a handshake that was under way may have come through.
            registry.for_each(|found| found.outbox.end(CloseReason::ServerShuttingDown));
            tokio::time::sleep(CLOSE_CHECK).await;
        }
        registry.for_each(|found| found.outbox.break_off(CloseReason::ServerShuttingDown));
    }

    async fn serve(&self, request: HttpRequest, payload: Payload) -> HttpResponse {
        let cors = &self.shared.config.cors;
        let mut response = match cors.preflight(&request) {
            Some(response) => response,
            None => self.answer(&request, payload).await,
        };
        cors.mark(&request, response.headers_mut());
        response
    }

    async fn answer(&self, request: &HttpRequest, payload: Payload) -> HttpResponse {
        let shared = &self.shared;
        let wish = handshake::check(request, &shared.config, &shared.registry, |request| self.allow(request));
        match wish {
            Ok(Wish::Open(Transport::Polling)) => self.open_polling(request),
            Ok(Wish::Poll(found)) => polling::poll(request, found, &shared.config).await,
            // Boxed, so that a poll, which waits long, does not hold room for what it is not.
            Ok(Wish::Open(Transport::WebSocket)) => Box::pin(self.open_websocket(request, payload)).await,
            Ok(Wish::Post(found)) => Box::pin(polling::post(request, payload, found, &shared.config)).await,
            Ok(Wish::Upgrade(found)) => Box::pin(self.upgrade(request, payload, found)).await,
            Err(refusal) => refusal.answer(handshake::is_upgrade(request)),
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
        polling::answer(request, open.data().to_vec(), config)
    }

    async fn open_websocket(&self, request: &HttpRequest, payload: Payload) -> HttpResponse {
        let config = &self.shared.config;
        let admission = match self.admit(request) {
            Ok(admission) => admission,
            Err(refusal) => return refusal.answer(true),
        };
        let outbox = Arc::new(Outbox::websocket(config.outgoing_budget));
        let (response, reader) = match websocket::accept(request, payload, &outbox, config).await {
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
            let found = Found { outbox: Arc::clone(&outbox), actor: context.address() };
            let registration = admission.register(id, found);
            Session::new(Arc::clone(&shared.config), outbox, connection, registration, shared.registry.run(), reader)
        });
    }

    async fn upgrade(&self, request: &HttpRequest, payload: Payload, found: Found) -> HttpResponse {
        let config = &self.shared.config;
        let own = Arc::new(Outbox::websocket(config.outgoing_budget));
        let (response, reader) = match websocket::accept(request, payload, &own, config).await {
            Ok(accepted) => accepted,
            Err(error) => return error.error_response(),
        };
        if found.outbox.begin_upgrade(&own) {
            actix_rt::spawn(upgrade(reader, own, found, Arc::clone(config)));
        } else {
            // The handshake is answered, then the WebSocket closed: the session is not to suffer.
            own.end(CloseReason::TransportClose);
        }
        response
    }
}
