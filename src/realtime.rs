//! Chat on Socket.IO: the namespaces `/support` and `/help-center`, and which room receives which event.
//!
//! Handlers of client events execute commands and subscribe sockets; the events that result are published by
//! [`Broadcaster`] once they are stored. Protocol, rooms and backpressure are [`socketio`]'s.

mod ack;
mod asyncapi;
mod auth;
mod broadcast;
mod coalescer;
mod connection_deadlines;
mod emit;
mod emitted_event;
mod event;
mod handover_announcer;
mod help_center;
mod input;
mod join;
mod list_update;
mod list_updates;
mod payload;
mod presence;
mod protocol_config;
mod rate_limit;
mod read;
mod rooms;
mod send_message;
mod support;
mod typing;
mod typists;

use std::sync::Arc;

use self::handover_announcer::HandoverAnnouncer;
use crate::cluster::Presence;
use crate::config::Settings;
use crate::services::Services;
use socketio::{ConnectRefusal, Namespace, SocketIo};

pub use asyncapi::document as asyncapi_document;
pub use broadcast::Broadcaster;
pub use connection_deadlines::ConnectionDeadlines;
pub use presence::PresenceBroadcaster;

/// What the handlers of socket events work with.
#[derive(Clone)]
pub struct Realtime {
    /// Shared with the REST API.
    pub services: Services,
    /// Publishes events, and typing indicators.
    pub broadcaster: Arc<Broadcaster>,
    /// Counts agents' sockets.
    pub presence: Presence,
    /// Ends connections when their time is over.
    pub deadlines: ConnectionDeadlines,
    /// Most bytes of missed messages that a joining socket is sent; less than its outgoing buffer holds.
    pub catch_up_bytes: usize,
}

impl Realtime {
    fn handover_announcer(&self) -> HandoverAnnouncer {
        HandoverAnnouncer::new(self.services.database.clone(), self.services.agent_sockets.clone())
    }
}

/// The part of the outgoing buffer that the messages in `help_center:connected` may take. `socketio` buffers at most a
/// quarter of it until a client is connected.
const GREETING_SHARE: usize = 8;

/// The namespace `/`, which every server of the reference implementation has: some clients join it before any other, and
/// fail if they cannot. Nothing happens there, and no token is needed.
fn main_namespace() -> Namespace<()> {
    Namespace::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }).anonymous()
}

/// Creates the namespaces, and sets them as the targets of the broadcasters.
#[must_use]
pub fn start(realtime: Realtime, settings: &Settings, presence: &PresenceBroadcaster) -> SocketIo {
    let realtime = Arc::new(realtime);
    let engine = protocol_config::engine(&settings.socket, &settings.cors, &realtime.services.proxies);
    let io = SocketIo::builder(engine, protocol_config::socketio(&settings.socket, &settings.recovery))
        .allow_request(rate_limit::handshakes(&realtime))
        .rate_limit(rate_limit::packets(&realtime.services.limits))
        .namespace(support::namespace(&realtime))
        .namespace(help_center::namespace(&realtime, settings.socket.outgoing_bytes / GREETING_SHARE));
    let io = if settings.socket.main_namespace { io.namespace(main_namespace()) } else { io };
    let io = io.build();
    if let (Some(support), Some(help_center)) = (io.namespace(support::NAME), io.namespace(help_center::NAME)) {
        let rows = settings.conversation.max_actors;
        let announcer = realtime.handover_announcer();
        let expiry = realtime.services.handover_expiry;
        realtime.broadcaster.publish_on(support.clone(), help_center, rows, announcer, expiry);
        presence.publish_on(support);
    }
    io
}
