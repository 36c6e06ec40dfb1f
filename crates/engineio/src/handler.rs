//! The interface between the engine and the application on top of it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::close_reason::CloseReason;
use crate::frame::{PacketWriter, SharedPacket};
use crate::outbox::{Delivery, Outbox};
use crate::packet::Message;
use crate::request::SessionRequest;

/// The application: opens a [`Connection`] for each session.
pub trait EngineHandler: Send + Sync + 'static {
    /// Called when a session opens, on the HTTP worker that the connection then lives on.
    fn open(&self, session: SessionHandle) -> Box<dyn Connection>;
}

impl<T: EngineHandler + ?Sized> EngineHandler for Arc<T> {
    fn open(&self, session: SessionHandle) -> Box<dyn Connection> {
        self.as_ref().open(session)
    }
}

/// The application's side of one session.
///
/// A connection lives on one HTTP worker and is never called concurrently, so it needs no locks for its own state. Its
/// methods must not block; work that waits is a future that the connection owns and polls in
/// [`poll_ready`](Connection::poll_ready), or after the close in [`poll_finished`](Connection::poll_finished). The
/// engine calls these whenever the session's task is woken.
pub trait Connection: 'static {
    /// Polls the connection's own futures and returns `Ready` if it accepts the next message.
    ///
    /// While this is pending nothing is read from the client: this is the backpressure of the incoming direction. The
    /// connection must arrange for a wake-up, through `context` or [`SessionHandle::wake`].
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Handles a message. Called only after `poll_ready` returned `Ready`.
    fn on_message(&mut self, message: Message);

    /// Called right before a ping is queued, a regular one or one that [`SessionHandle::request_ping`] asked for: the client receives everything sent until now before the ping.
    fn before_ping(&mut self) {}

    /// Called when the client answers a ping: it has received everything sent before that ping.
    fn on_pong(&mut self) {}

    /// Called once, when the session closes. No message follows, and nothing can be sent any more.
    fn on_close(&mut self, reason: CloseReason);

    /// Polls what is still running after the close; `Ready` when nothing is. The connection is dropped then, or after
    /// [`EngineConfig::finish_timeout`](crate::EngineConfig::finish_timeout).
    fn poll_finished(&mut self, context: &mut Context<'_>) -> Poll<()>;
}

/// Sends to a session and closes it. Cheap to clone, and usable from any thread.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    outbox: Arc<Outbox>,
    request: Arc<SessionRequest>,
}

impl SessionHandle {
    pub(crate) fn new(outbox: Arc<Outbox>, request: Arc<SessionRequest>) -> Self {
        Self { outbox, request }
    }

    /// Queues a message. Never blocks. Returns `false` if it was not accepted: the session is closed, or this message
    /// exceeded [`EngineConfig::outgoing_budget`](crate::EngineConfig::outgoing_budget), which closes it.
    pub fn send(&self, message: &Message) -> bool {
        let packet = match message {
            Message::Text(text) => {
                let mut writer = PacketWriter::with_capacity(text.len() + 1);
                writer.push_str("4");
                writer.push_str(text);
                writer.into_text()
            }
            Message::Binary(bytes) => SharedPacket::binary(bytes),
        };
        self.push(std::iter::once(&packet), Delivery::Reliable)
    }

    /// Queues encoded packets so that no other packet is sent between them and they leave in one write or one polling
    /// body. Returns `false` if they were not accepted:
    /// the session is closed, or the delivery is volatile and the transport cannot send now.
    ///
    /// Packets that exceed the budget close the session.
    pub fn push<'a>(&self, packets: impl Iterator<Item = &'a SharedPacket> + Clone, delivery: Delivery) -> bool {
        self.outbox.push(packets, delivery)
    }

    /// Closes the session gracefully: what is queued is sent first, within the configured time limit.
    pub fn close(&self, reason: CloseReason) {
        self.outbox.close(reason);
    }

    /// As [`SessionHandle::close`], after a delay. Only the first call counts, so that a session has one such timer, which
    /// ends with it.
    pub fn close_after(&self, reason: CloseReason, delay: Duration) {
        self.outbox.close_after(reason, delay);
    }

    /// Closes the session immediately and drops what is queued.
    pub fn abort(&self, reason: CloseReason) {
        self.outbox.abort(reason);
    }

    /// Sets the maximum size of an incoming packet, frame, message and polling body from now on, in bytes, at most
    /// [`EngineConfig::max_payload`](crate::EngineConfig::max_payload).
    pub fn set_max_payload(&self, bytes: usize) {
        self.outbox.set_max_payload(bytes);
    }

    /// Sends a ping soon instead of at the end of [`EngineConfig::ping_interval`](crate::EngineConfig::ping_interval), so
    /// that [`Connection::on_pong`] shows when the client has received what was pushed until now. While another ping is
    /// unanswered, this one follows its pong. The client must answer it in time as any ping.
    pub fn request_ping(&self) {
        self.outbox.request_ping();
    }

    /// Has [`Connection::poll_ready`] called soon, for state that another thread has changed.
    pub fn wake(&self) {
        self.outbox.wake_session();
    }

    /// The request that opened the session.
    #[must_use]
    pub fn request(&self) -> &Arc<SessionRequest> {
        &self.request
    }
}
