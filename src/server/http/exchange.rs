//! Where a connection is between two requests, as its stream and the requests on it know it.
//!
//! The stream sees when bytes arrive and when everything is written, the service when a request has been read and its
//! answer is complete. Together they know what the connection waits for.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::{ConnectionType, Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, apply_fn_factory};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::{Error, ResponseError};
use bytes::Bytes;
use tokio::time::Instant;

use crate::api_error::ApiError;

/// The requests that a connection beyond `server.max_connections` is answered.
const HEALTH: &str = "/health";

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first byte of a request, since this time.
    Idle(Instant),
    /// The rest of a request's head, since this time.
    Head(Instant),
    /// The server: a request is being handled, or its answer is being made.
    Request,
    /// The client, which has to read the answer.
    Answer,
}

/// Shared by a connection's stream and the requests on it.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) phase: Cell<Phase>,
    /// No request has been read.
    pub(super) is_unused: Cell<bool>,
    /// The connection has a reserved slot.
    pub(super) is_reserved: bool,
}

impl Exchange {
    /// Of a new connection.
    pub(super) fn new(is_reserved: bool) -> Self {
        Self { phase: Cell::new(Phase::Idle(Instant::now())), is_unused: Cell::new(true), is_reserved }
    }
}

/// A request, until its answer is complete.
struct RequestGuard(Rc<Exchange>);

impl RequestGuard {
    fn new(exchange: &Rc<Exchange>) -> Self {
        exchange.phase.set(Phase::Request);
        exchange.is_unused.set(false);
        Self(Rc::clone(exchange))
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.phase.set(Phase::Answer);
    }
}

/// Reports an application's requests to the streams of their connections. On a connection with a reserved slot it answers
/// for the application, unless it is asked about the server's health, and ends the connection.
pub(super) fn observe<F, B>(
    app: impl IntoServiceFactory<F, Request>,
) -> impl ServiceFactory<Request, Config = (), Response = Response<ObservedBody>, Error = Error, InitError = F::InitError>
where
    F: ServiceFactory<Request, Config = (), Response = ServiceResponse<B>, Error = Error>,
    <F::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    apply_fn_factory(app, |request: Request, app: &F::Service| {
        let guard = request.conn_data::<Rc<Exchange>>().map(RequestGuard::new);
        let is_reserved = guard.as_ref().is_some_and(|guard| guard.0.is_reserved);
        let answer = (!is_reserved || request.path().starts_with(HEALTH)).then(|| app.call(request));
        async move {
            let mut response = match answer {
                Some(answer) => Response::from(answer.await?.map_into_boxed_body()),
                None => ApiError::unavailable().error_response().into(),
            };
            if is_reserved {
                response.head_mut().set_connection_type(ConnectionType::Close);
            }
            Ok(response.map_body(|_, body| ObservedBody { body, _guard: guard }))
        }
    })
}

/// The body of an answer. actix-http drops it as soon as it is complete.
pub(super) struct ObservedBody {
    body: BoxBody,
    _guard: Option<RequestGuard>,
}

impl MessageBody for ObservedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
