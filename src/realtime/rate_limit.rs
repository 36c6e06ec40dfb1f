//! Rate limits of handshakes, CONNECT packets and events (`decisions.md`).

use std::sync::Arc;

use actix_web::HttpRequest;
use serde_json::json;

use super::Realtime;
use crate::api_error::ApiError;
use crate::limits::{ConnectionLimits, EventRefusal, RateLimited, RateLimits};
use crate::telemetry::Refused;
use socketio::{ConnectRefusal, RateLimiter, Violation};

/// Limits the sessions that an address opens. The refusal has Engine.IO's form.
pub(super) fn handshakes(
    realtime: &Arc<Realtime>,
) -> impl Fn(&HttpRequest) -> Result<(), String> + Send + Sync + 'static {
    let realtime = Arc::clone(realtime);
    move |request| {
        let address = realtime.services.proxies.client_of(request);
        realtime.services.limits.handshake(address).map_err(|_: RateLimited| {
            Refused::RateLimit.record("handshakes");
            "Too many handshakes".to_owned()
        })
    }
}

/// Makes the limiter of a connection's packets.
pub(super) fn packets(limits: &RateLimits) -> impl Fn() -> Option<Box<dyn RateLimiter>> + Send + Sync + 'static {
    let limits = limits.clone();
    move || limits.connection().map(|limits| Box::new(limits) as Box<dyn RateLimiter>)
}

impl RateLimiter for ConnectionLimits {
    fn check_connect(&mut self) -> Result<(), Violation> {
        Ok(self.connect()?)
    }

    fn check_event(&mut self, namespace: &Arc<str>) -> Result<(), Violation> {
        Ok(self.event(namespace)?)
    }

    fn refusal(&self) -> ConnectRefusal {
        let error = ApiError::rate_limited();
        ConnectRefusal { message: error.message.into_owned(), data: Some(json!({ "code": error.code })) }
    }
}

impl From<EventRefusal> for Violation {
    fn from(refusal: EventRefusal) -> Self {
        Refused::RateLimit.record("packets of a connection");
        match refusal {
            EventRefusal::RateLimited => Self::Excess,
            EventRefusal::Flood => Self::Flood,
        }
    }
}
