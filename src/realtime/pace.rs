//! How fast a socket may be: the limits of `decisions.md` around the handlers.

use std::sync::Arc;

use actix_web::HttpRequest;

use super::Realtime;
use crate::failure::Failure;
use crate::limits::{EventRefusal, Limits, TooSoon};
use crate::socketio::Socket;

/// Whether an address may open another session. The refusal has Engine.IO's own form.
pub(super) fn handshakes(
    realtime: &Arc<Realtime>,
) -> impl Fn(&HttpRequest) -> Result<(), String> + Send + Sync + 'static {
    let realtime = Arc::clone(realtime);
    move |request| {
        let address = realtime.proxies.client_of(request);
        realtime.limits.handshake(address).map_err(|_: TooSoon| "Too many handshakes".to_owned())
    }
}

/// Does what an event asks for, unless the socket has sent too many: then nothing of it happens. A socket that floods is
/// put out, and does not come back by itself.
pub(super) async fn paced<D: Send + Sync + 'static, T>(
    limits: &Limits,
    socket: &Socket<D>,
    handled: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match limits.socket_event(socket.id()) {
        Ok(()) => handled.await,
        Err(EventRefusal::TooSoon(too_soon)) => Err(too_soon.into()),
        Err(EventRefusal::Flood) => {
            if socket.is_connected() {
                tracing::warn!(socket = %socket.id(), "a socket that flooded was put out");
                socket.disconnect();
            }
            Err(Failure::rate_limited())
        }
    }
}
