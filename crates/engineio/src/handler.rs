//! What stands on the engine: Socket.IO, or anything else that speaks in messages.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::close_reason::CloseReason;
use crate::frame::SharedPacket;
use crate::outbox::{Delivery, Outbox};
use crate::packet::Message;
use crate::request::SessionRequest;

/// Opens a [`Connection`] for each session.
pub trait EngineHandler: Send + Sync + 'static {
    /// A session has opened. Called on the worker that the connection then lives on.
    fn opened(&self, session: SessionHandle) -> Box<dyn Connection>;
}

/// The application's side of one session.
///
/// It lives on one worker and is never called twice at a time. It gets a message only after [`Connection::poll_ready`]
/// was ready: while it is not, nothing is read from the client. Futures that it runs are polled in `poll_ready` and,
/// once the session is closed, in `poll_finished`; both are called whenever the task is woken.
pub trait Connection: 'static {
    /// Goes on with what is running, and says whether the next message may come.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// The client said something.
    fn message(&mut self, message: Message);

    /// A ping is about to be queued: whatever was sent until now arrives before it.
    fn ping_sent(&mut self) {}

    /// The last ping was answered: whatever was sent before it has arrived.
    fn ping_answered(&mut self) {}

    /// The session is closed: no message comes any more, and nothing that is sent leaves. Called once.
    fn closed(&mut self, reason: CloseReason);

    /// Goes on with what is still running after the close; ready when nothing is left to do.
    fn poll_finished(&mut self, context: &mut Context<'_>) -> Poll<()>;
}

/// A session, as its application sees it. Cheap to clone, usable from any thread.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    outbox: Arc<Outbox>,
    request: Arc<SessionRequest>,
}

impl SessionHandle {
    pub(crate) fn new(outbox: Arc<Outbox>, request: Arc<SessionRequest>) -> Self {
        Self { outbox, request }
    }

    /// Sends a message. `false` where the session is closed.
    pub fn send(&self, message: &Message) -> bool {
        let packet = match message {
            Message::Text(text) => {
                let mut writer = crate::frame::PacketWriter::with_capacity(text.len() + 1);
                writer.push_str("4");
                writer.push_str(text);
                writer.into_text()
            }
            Message::Binary(bytes) => SharedPacket::binary(bytes),
        };
        self.push(std::iter::once(&packet), Delivery::Reliable)
    }

    /// Queues finished packets so that nothing comes between them. `false` where they were not taken: the session is
    /// closed, or the delivery is volatile and the transport cannot take them now.
    ///
    /// What does not fit into the budget closes the session.
    pub fn push<'a>(&self, packets: impl Iterator<Item = &'a SharedPacket> + Clone, delivery: Delivery) -> bool {
        self.outbox.push(packets, delivery)
    }

    /// Closes the session once what is queued has left, within the configured time.
    pub fn close(&self, reason: CloseReason) {
        self.outbox.end(reason);
    }

    /// Closes the session at once; what is queued is dropped.
    pub fn abort(&self, reason: CloseReason) {
        self.outbox.abort(reason);
    }

    /// Has [`Connection::poll_ready`] called: for what was changed from another thread.
    pub fn wake(&self) {
        self.outbox.wake_owner();
    }

    /// Whether something can still be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.outbox.is_open()
    }

    /// The request that opened the session.
    #[must_use]
    pub fn request(&self) -> &Arc<SessionRequest> {
        &self.request
    }

    /// The client's address, as configured.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.request.address
    }
}
