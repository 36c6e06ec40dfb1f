//! Chat on Socket.IO: the namespaces `/support` and `/help-center`, and which room hears what when something has happened.
//!
//! A socket may ask; what happens is decided by the conversation's actor and announced by [`Broadcaster`] when it is
//! stored. Protocol, rooms and slow readers are `socketio`'s business.

mod broadcast;
mod caller;
mod help_center;
mod pace;
mod payload;
mod rooms;
mod support;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{CorsSettings, SocketSettings};
use crate::conversation::Clock;
use crate::database::Database;
use crate::engineio::{AskAddress, ClientAddress, CorsConfig, EngineConfig, Origins};
use crate::help_center::HelpCenter;
use crate::identity::{Directory, Verifier};
use crate::limits::Limits;
use crate::proxies::TrustedProxies;
use crate::socketio::{SocketIo, SocketIoConfig};

pub use broadcast::Broadcaster;

/// What the namespaces work with.
#[derive(Clone)]
pub struct Realtime {
    /// Where conversations are read.
    pub database: Database,
    /// The help center.
    pub help_center: HelpCenter,
    /// Who tells what has happened, and who types.
    pub broadcaster: Arc<Broadcaster>,
    /// Who connects.
    pub verifier: Arc<Verifier>,
    /// Where they are written down.
    pub directory: Directory,
    /// How often they may.
    pub limits: Limits,
    /// Whose word is believed for where they connect from.
    pub proxies: TrustedProxies,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The part of what may wait for a client that the messages of its greeting may take. `socketio` holds back a quarter at
/// most until a client is in.
const GREETING_SHARE: usize = 8;

/// Makes the sockets, and has the broadcaster announce on them.
#[must_use]
pub fn start(realtime: Realtime, settings: &SocketSettings, cors: &CorsSettings) -> SocketIo {
    let realtime = Arc::new(realtime);
    let io = SocketIo::builder(engine(settings, cors, &realtime.proxies), socketio(settings))
        .allow_request(pace::handshakes(&realtime))
        .namespace(support::namespace(&realtime))
        .namespace(help_center::namespace(&realtime, settings.outgoing_bytes / GREETING_SHARE))
        .build();
    if let (Some(support), Some(help_center)) = (io.namespace(support::NAME), io.namespace(help_center::NAME)) {
        realtime.broadcaster.announce_on(support, help_center);
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
