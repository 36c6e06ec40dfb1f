//! How fast a client may be: the limits of `decisions.md` around the sockets.

use std::sync::Arc;

use actix_web::HttpRequest;
use serde_json::json;

use super::Realtime;
use crate::api_error::ApiError;
use crate::limits::{ConnectionLimits, EventRefusal, Limits, RateLimited};
use socketio::{ConnectRefusal, RateLimiter, Violation};

/// Whether an address may open another session. The refusal has Engine.IO's own form.
pub(super) fn handshakes(
    realtime: &Arc<Realtime>,
) -> impl Fn(&HttpRequest) -> Result<(), String> + Send + Sync + 'static {
    let realtime = Arc::clone(realtime);
    move |request| {
        let address = realtime.proxies.client_of(request);
        realtime.limits.handshake(address).map_err(|_: RateLimited| "Too many handshakes".to_owned())
    }
}

/// Counts what each connection says.
pub(super) fn packets(limits: &Limits) -> impl Fn() -> Option<Box<dyn RateLimiter>> + Send + Sync + 'static {
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
        let failure = ApiError::rate_limited();
        ConnectRefusal { message: failure.message.into_owned(), data: Some(json!({ "code": failure.code })) }
    }
}

impl From<EventRefusal> for Violation {
    fn from(refusal: EventRefusal) -> Self {
        match refusal {
            EventRefusal::RateLimited => Self::Excess,
            EventRefusal::Flood => Self::Flood,
        }
    }
}
