//! Draining: the shutdown waits until every request is answered.
//!
//! The middleware counts the requests in progress. During a drain it answers with `Connection: close`, so that clients
//! connect to another server. It also adds the request id.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_http::ConnectionType;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use futures_util::future::LocalBoxFuture;
use tokio::sync::Notify;

use super::request_id::{self, request_id};

/// Time without a new request after which a draining server's keep-alive connections count as idle.
const QUIET: Duration = Duration::from_millis(200);

/// Whether the server drains, and its requests in progress. Shared by all workers; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<DrainState>);

#[derive(Debug, Default)]
struct DrainState {
    is_draining: AtomicBool,
    in_progress: AtomicUsize,
    /// Requests received since the start.
    received: AtomicUsize,
    all_answered: Notify,
}

impl Drain {
    /// Starts the drain.
    pub fn start(&self) {
        self.0.is_draining.store(true, Ordering::Release);
    }

    /// Whether the drain has started.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.is_draining.load(Ordering::Acquire)
    }

    /// Waits until every request is answered and none has arrived for `QUIET`: a client on a keep-alive connection
    /// may already have sent its next request before it read `Connection: close`.
    pub async fn wait_until_idle(&self) {
        loop {
            self.all_answered().await;
            let received = self.0.received.load(Ordering::Acquire);
            tokio::time::sleep(QUIET).await;
            if self.0.received.load(Ordering::Acquire) == received && self.0.in_progress.load(Ordering::Acquire) == 0 {
                return;
            }
        }
    }

    async fn all_answered(&self) {
        loop {
            let answered = self.0.all_answered.notified();
            if self.0.in_progress.load(Ordering::Acquire) == 0 {
                return;
            }
            answered.await;
        }
    }
}

/// Counts one request until it is answered or dropped.
struct RequestGuard(Arc<DrainState>);

impl RequestGuard {
    fn new(state: &Arc<DrainState>) -> Self {
        state.in_progress.fetch_add(1, Ordering::AcqRel);
        state.received.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(state))
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        if self.0.in_progress.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.all_answered.notify_waiters();
        }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Drain
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = DrainMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(DrainMiddleware { service, drain: self.clone() }))
    }
}

/// [`Drain`] around a service.
#[derive(Debug)]
pub struct DrainMiddleware<S> {
    service: S,
    drain: Drain,
}

impl<S, B> Service<ServiceRequest> for DrainMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse<B>, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let guard = RequestGuard::new(&self.drain.0);
        let drain = self.drain.clone();
        let id = request_id(&request);
        let response = self.service.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            drop(guard);
            let is_upgrade = response.status().is_informational();
            request_id::insert(response.headers_mut(), id);
            if drain.is_draining() && !is_upgrade {
                // actix ignores a `Connection` header and writes the connection type.
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            Ok(response)
        })
    }
}
