//! How much one connection may say: what an application lets through, before anything is done with it.

use std::sync::Arc;

use super::handshake::ConnectRefusal;

/// Watches one connection, on its worker, for as long as it lasts: what joins and leaves namespaces on it is one
/// client.
pub trait Pace {
    /// The client wants to join a namespace, one that there is or not.
    ///
    /// # Errors
    /// [`Violation`]; the middleware is not asked.
    fn connect(&mut self) -> Result<(), Violation>;

    /// The client says something in a namespace that it has joined, or was put out of a moment ago. Counted is every
    /// event, also one that nobody asked for.
    ///
    /// # Errors
    /// [`Violation`]; the event's handler does not run.
    fn event(&mut self, namespace: &Arc<str>) -> Result<(), Violation>;

    /// What a client hears that [`Self::connect`] refuses.
    fn refusal(&self) -> ConnectRefusal;
}

/// A client says too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// It is told so: by the refusal of its CONNECT, or as [`Namespace::on_too_many`](super::Namespace::on_too_many)
    /// has it.
    Refused,
    /// It is not answered any more: it is put out of the namespace, and its connection is closed.
    Flood,
}

/// Makes the [`Pace`] of a connection; `None` where nothing is counted.
pub(super) type MakePace = dyn Fn() -> Option<Box<dyn Pace>> + Send + Sync;
