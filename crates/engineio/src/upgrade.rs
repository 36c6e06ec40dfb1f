//! Moving a polling session to a WebSocket, with no packet lost, doubled or out of order.
//!
//! The new WebSocket has an outbox of its own while it probes, so that the session's packets go on leaving by poll. On
//! `5` it is told to go on with the session's. What comes from it goes to the actor, which may live on another worker,
//! through a short channel. Whatever goes wrong before the `5` costs that WebSocket alone.

use std::future::poll_fn;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::close_reason::CloseReason;
use crate::config::EngineConfig;
use crate::frame::SharedPacket;
use crate::outbox::{Delivery, Outbox};
use crate::packet::Packet;
use crate::registry::SessionEntry;
use crate::session::{Inbound, Upgraded};
use crate::ws_reader::WebSocketReader;

/// Packets on their way to the actor; the reading stops while it is full.
const IN_FLIGHT: usize = 8;
/// The data of the ping and the pong that try a WebSocket.
const PROBE: &str = "probe";

/// Sees an upgrade through, then brings the WebSocket's packets to the session until it ends.
pub(crate) async fn upgrade(
    mut reader: WebSocketReader,
    own: Arc<Outbox>,
    found: SessionEntry,
    config: Arc<EngineConfig>,
) {
    let deadline = Instant::now() + config.upgrade_timeout;
    let probed = timeout_at(deadline, async {
        tokio::select! {
            probed = probe(&mut reader, &own, &found.outbox) => probed,
            // Its connection is gone, or the session is.
            _ = poll_fn(|context| own.poll_ended(context)) => false,
        }
    })
    .await;
    if !matches!(probed, Ok(true)) {
        found.outbox.abandon_upgrade();
        own.end(CloseReason::TransportClose);
        return;
    }
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    if found.actor.try_send(Upgraded { reader: receiver }).is_err() || !found.outbox.complete_upgrade() {
        own.end(CloseReason::TransportClose);
        return;
    }
    reader.answer_through(found.outbox);
    loop {
        let inbound = tokio::select! {
            inbound = reader.next() => inbound,
            // The session is over; a connection that does not end by itself is not waited for.
            () = sender.closed() => return,
        };
        let Some(inbound) = inbound else { return };
        let ended = matches!(inbound, Inbound::Ended(..));
        if sender.send(inbound).await.is_err() || ended {
            return;
        }
    }
}

/// `2probe` is answered, `5` ends it well, anything else ends it.
async fn probe(reader: &mut WebSocketReader, own: &Outbox, session: &Outbox) -> bool {
    loop {
        match reader.next().await {
            Some(Inbound::Packet(Ok(Packet::Ping(data)))) if data == PROBE => {
                own.push(std::iter::once(&SharedPacket::text("3probe")), Delivery::Reliable);
                session.probe_seen();
            }
            Some(Inbound::Packet(Ok(Packet::Upgrade))) => return true,
            _ => return false,
        }
    }
}
