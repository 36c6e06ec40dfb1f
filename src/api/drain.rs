//! Whether the server takes new work, and how much of it is not answered yet.
//!
//! As middleware it stands around every request: it counts them, names each in the answer's `x-request-id` so that what
//! a customer reports can be found in the log, and asks clients to go away once the server is stopping.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_http::ConnectionType;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage};
use futures_util::future::LocalBoxFuture;
use tokio::sync::Notify;
use tracing_actix_web::RequestId;

/// The answer's header.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long nothing must have come before a stopping server takes its kept connections for idle.
const QUIET: Duration = Duration::from_millis(200);

/// Shared by all workers; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_draining: AtomicBool,
    unanswered: AtomicUsize,
    /// All requests so far.
    came: AtomicUsize,
    answered: Notify,
}

impl Readiness {
    /// From here on the server says that it is going away.
    pub fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Release);
    }

    /// Whether it is going away.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.is_draining.load(Ordering::Acquire)
    }

    /// Waits until every request that has come is answered, and nothing has come for a moment: on a kept connection the
    /// next request may be on its way, from a client that has not yet been told to go.
    pub async fn answered(&self) {
        loop {
            self.all_answered().await;
            let came = self.0.came.load(Ordering::Acquire);
            tokio::time::sleep(QUIET).await;
            if self.0.came.load(Ordering::Acquire) == came && self.0.unanswered.load(Ordering::Acquire) == 0 {
                return;
            }
        }
    }

    async fn all_answered(&self) {
        loop {
            let answered = self.0.answered.notified();
            if self.0.unanswered.load(Ordering::Acquire) == 0 {
                return;
            }
            answered.await;
        }
    }
}

/// A request that is not answered yet.
struct Unanswered(Arc<State>);

impl Unanswered {
    fn new(state: &Arc<State>) -> Self {
        state.unanswered.fetch_add(1, Ordering::AcqRel);
        state.came.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(state))
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if self.0.unanswered.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.answered.notify_waiters();
        }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Readiness
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = ReadinessService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ReadinessService { service, readiness: self.clone() }))
    }
}

/// The middleware at work.
#[derive(Debug)]
pub struct ReadinessService<S> {
    service: S,
    readiness: Readiness,
}

impl<S, B> Service<ServiceRequest> for ReadinessService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse<B>, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let unanswered = Unanswered::new(&self.readiness.0);
        let readiness = self.readiness.clone();
        let id = request.extensions().get::<RequestId>().map(ToString::to_string);
        let response = self.service.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            drop(unanswered);
            let is_upgrade = response.status().is_informational();
            let headers = response.headers_mut();
            if let Some(id) = id.and_then(|id| HeaderValue::from_str(&id).ok()) {
                headers.insert(X_REQUEST_ID, id);
            }
            if readiness.is_draining() && !is_upgrade {
                // As a header of ours it would not be written: the connection's type decides.
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            Ok(response)
        })
    }
}
