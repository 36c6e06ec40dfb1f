//! Rate limiting of one connection: a hook that the application implements.

use std::sync::Arc;

use crate::handshake::ConnectRefusal;

/// Limits the CONNECT packets and events of one connection.
///
/// It lives on the connection's worker for as long as the connection does, so leaving and rejoining a namespace does
/// not reset it.
///
/// ```
/// use std::sync::Arc;
///
/// use actix_socketio::{ConnectRefusal, EngineConfig, RateLimiter, SocketIo, SocketIoConfig, Violation};
///
/// /// At most 1000 events for each connection; a client that keeps sending is disconnected.
/// struct Budget(u32);
///
/// impl RateLimiter for Budget {
///     fn check_connect(&mut self) -> Result<(), Violation> {
///         Ok(())
///     }
///
///     fn check_event(&mut self, _namespace: &Arc<str>) -> Result<(), Violation> {
///         self.0 += 1;
///         match self.0 {
///             0..=1000 => Ok(()),
///             1001..=2000 => Err(Violation::Excess),
///             _ => Err(Violation::Flood),
///         }
///     }
///
///     fn refusal(&self) -> ConnectRefusal {
///         ConnectRefusal::new("Too many requests")
///     }
/// }
///
/// let io = SocketIo::builder(EngineConfig::default(), SocketIoConfig::default())
///     .rate_limit(|| Some(Box::new(Budget(0))))
///     .build();
/// # assert_eq!(io.session_count(), 0);
/// ```
pub trait RateLimiter {
    /// Counts a CONNECT packet, whether or not its namespace exists.
    ///
    /// # Errors
    /// [`Violation`]; the namespace's middleware does not run.
    fn check_connect(&mut self) -> Result<(), Violation>;

    /// Counts an event in a namespace that the client has joined or was just disconnected from. Events without a
    /// handler count too.
    ///
    /// # Errors
    /// [`Violation`]; the event's handler does not run.
    fn check_event(&mut self, namespace: &Arc<str>) -> Result<(), Violation>;

    /// The refusal that the client receives when [`Self::check_connect`] returns [`Violation::Excess`].
    fn refusal(&self) -> ConnectRefusal;
}

/// How a client exceeds its rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// The packet is refused: a CONNECT with [`RateLimiter::refusal`], an event by the handler of
    /// [`Namespace::on_rate_limited`](crate::Namespace::on_rate_limited).
    Excess,
    /// The client is disconnected from the namespace and its connection is closed, without an answer.
    Flood,
}

/// Makes the [`RateLimiter`] of a connection; `None` for no limit.
pub(super) type RateLimiterFactory = dyn Fn() -> Option<Box<dyn RateLimiter>> + Send + Sync;
