//! What a connection asks of each of its namespace sessions.

use std::task::Context;

use super::{IncomingEvent, QueueDepth};
use crate::arguments::Arguments;
use crate::disconnect_reason::DisconnectReason;

/// A namespace session, whatever the socket's data.
pub(crate) trait AnyNamespaceSession {
    /// Runs handlers as far as they can go.
    fn poll(&mut self, context: &mut Context<'_>) -> Progress;

    /// Whether the client has its CONNECT answer and has not left.
    fn is_joined(&self) -> bool;

    /// Whether the server disconnected the client from the namespace.
    fn is_kicked(&self) -> bool;

    /// The events that wait for their handlers.
    fn queue_depth(&self) -> QueueDepth;

    /// Memory of the events that wait, and of the arguments of the one that is handled, in bytes.
    fn held_bytes(&self) -> usize;

    /// Queues an event.
    fn handle_event(&mut self, event: IncomingEvent);

    /// Completes a pending acknowledgement.
    fn handle_ack(&mut self, id: u64, arguments: Arguments);

    /// Disconnects a client that floods the server.
    fn kick(&mut self);

    /// The client left the namespace, or its session closed.
    fn disconnect(&mut self, reason: DisconnectReason);

    fn ping_sent(&self);

    fn ping_answered(&self);
}

/// The outcome of [`AnyNamespaceSession::poll`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It waits for events or for a handler.
    Running,
    /// All handlers have ended.
    Done,
    /// A handler panicked.
    Panicked,
    /// An event is not valid: the connection must be closed.
    Invalid,
}
