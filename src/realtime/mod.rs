//! Chat on Socket.IO: the namespace `/support`, and which room hears what when something has happened.
//!
//! A socket may ask; what happens is decided by the conversation's actor and announced by [`Broadcaster`] when it is
//! stored. Protocol, rooms and slow readers are `socketio`'s business.

mod asyncapi;
mod broadcast;
mod pace;
mod payload;
mod places;
mod presence;
mod rooms;
mod support;

use std::sync::Arc;
use std::time::Duration;

use crate::cluster::Presence;
use crate::config::{CorsSettings, SocketSettings};
use crate::conversation::{Clock, Registry};
use crate::database::Database;
use crate::engineio::{AskAddress, ClientAddress, CorsConfig, EngineConfig, Origins};
use crate::identity::{Directory, Verifier};
use crate::limits::Limits;
use crate::proxies::TrustedProxies;
use crate::socketio::{SocketIo, SocketIoConfig};

pub use asyncapi::document as asyncapi_document;
pub use broadcast::Broadcaster;
pub use presence::PresenceBroadcaster;

/// What the namespaces work with.
#[derive(Clone)]
pub struct Realtime {
    /// Where conversations are written and listened to.
    pub registry: Arc<Registry>,
    /// Where conversations are read.
    pub database: Database,
    /// Who connects.
    pub verifier: Arc<Verifier>,
    /// Where they are written down.
    pub directory: Directory,
    /// How often they may.
    pub limits: Limits,
    /// Whose word is believed for where they connect from.
    pub proxies: TrustedProxies,
    /// Where agents' sockets are counted.
    pub presence: Presence,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Bytes of text that a socket is sent at most of what it has missed; it must fit into what may wait for it.
    pub catch_up_bytes: usize,
}

/// Makes the sockets, and has the broadcasters announce on them.
#[must_use]
pub fn start(
    realtime: Realtime,
    settings: &SocketSettings,
    cors: &CorsSettings,
    broadcaster: &Broadcaster,
    presence: &PresenceBroadcaster,
) -> SocketIo {
    let realtime = Arc::new(realtime);
    let io = SocketIo::builder(engine(settings, cors, &realtime.proxies), socketio(settings))
        .allow_request(pace::handshakes(&realtime))
        .namespace(support::namespace(&realtime))
        .build();
    if let Some(support) = io.namespace(support::NAME) {
        broadcaster.announce_on(support.clone());
        presence.announce_on(support);
    }
    io
}

/// CORS headers are the whole server's; here only a page of another origin is kept from opening a WebSocket.
fn engine(settings: &SocketSettings, cors: &CorsSettings, proxies: &TrustedProxies) -> EngineConfig {
    let proxies = proxies.clone();
    let any = cors.origins.iter().any(|origin| origin == "*");
    let origins = if any { Origins::Unchecked } else { Origins::Only(cors.origins.clone()) };
    EngineConfig {
        ping_interval: Duration::from_millis(settings.ping_interval_ms),
        ping_timeout: Duration::from_millis(settings.ping_timeout_ms),
        max_payload: settings.max_payload_bytes,
        outgoing_budget: settings.outgoing_bytes,
        client_address: ClientAddress::Asked(AskAddress::new(move |request| proxies.client_of(request))),
        cors: CorsConfig { origins, credentials: cors.credentials },
        ..EngineConfig::default()
    }
}

fn socketio(settings: &SocketSettings) -> SocketIoConfig {
    SocketIoConfig { connect_timeout: Duration::from_millis(settings.connect_timeout_ms), ..SocketIoConfig::default() }
}
