//! Moves a polling session to a WebSocket without losing, duplicating or reordering a packet.
//!
//! While it probes, the WebSocket has an outbox of its own, so the session's packets are still sent by poll. On `5` the
//! WebSocket continues with the session's outbox. Its incoming packets go through a short channel to the session's
//! actor, which may live on another HTTP worker. A failure before the `5` closes the WebSocket and leaves the session
//! alone.

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

/// Packets on their way to the actor. While the channel is full nothing is read from the WebSocket.
const CHANNEL_CAPACITY: usize = 8;
/// The data of the ping and the pong that probe a WebSocket.
const PROBE: &str = "probe";

/// Attempts an upgrade, then forwards the WebSocket's packets to the session until it ends.
///
/// `websocket` is the WebSocket's own outbox.
pub(crate) async fn upgrade(
    mut reader: WebSocketReader,
    websocket: Arc<Outbox>,
    session: SessionEntry,
    config: Arc<EngineConfig>,
) {
    let deadline = Instant::now() + config.upgrade_timeout;
    let probed = timeout_at(deadline, async {
        tokio::select! {
            probed = probe(&mut reader, &websocket, &session.outbox) => probed,
            // Closed because its connection is lost or the session has closed.
            _ = poll_fn(|context| websocket.poll_close_reason(context)) => false,
        }
    })
    .await;
    if !matches!(probed, Ok(true)) {
        session.outbox.abandon_upgrade();
        websocket.close(CloseReason::TransportClose);
        return;
    }
    let (sender, receiver) = mpsc::channel(CHANNEL_CAPACITY);
    if session.actor.try_send(Upgraded { inbound: receiver }).is_err() || !session.outbox.complete_upgrade() {
        websocket.close(CloseReason::TransportClose);
        return;
    }
    reader.read_for(session.outbox);
    loop {
        let inbound = tokio::select! {
            inbound = reader.next() => inbound,
            // The session has closed. A connection that does not end by itself must not keep this task.
            () = sender.closed() => return,
        };
        let Some(inbound) = inbound else { return };
        let is_end = matches!(inbound, Inbound::Ended(..));
        if sender.send(inbound).await.is_err() || is_end {
            return;
        }
    }
}

/// Answers `2probe` and returns `true` on `5`, `false` on anything else.
async fn probe(reader: &mut WebSocketReader, websocket: &Outbox, session: &Outbox) -> bool {
    loop {
        match reader.next().await {
            Some(Inbound::Packet(Ok(Packet::Ping(data)))) if data == PROBE => {
                websocket.push(std::iter::once(&SharedPacket::text("3probe")), Delivery::Reliable);
                session.mark_probed();
            }
            Some(Inbound::Packet(Ok(Packet::Upgrade))) => return true,
            _ => return false,
        }
    }
}
