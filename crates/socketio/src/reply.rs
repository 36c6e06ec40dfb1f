//! What event handlers return.

use serde::Serialize;

use crate::arguments::Arguments;
use crate::encode::{self, Content, EncodeError, EncodedMessage};

/// The return type of an event handler.
///
/// - `Some(value)` is an acknowledgement with one argument; `None` sends no acknowledgement;
/// - [`Arguments`] is an acknowledgement with any number of arguments, including binary data;
/// - `()` is an acknowledgement without arguments.
///
/// Nothing is sent if the client did not ask for an acknowledgement. The trait is sealed.
///
/// ```
/// use actix_socketio::{ConnectRefusal, Event, Namespace, Socket};
///
/// let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
///     .on("add", |_: Socket<()>, event: Event| async move {
///         let (a, b) = (event.argument::<i64>(0).ok()?, event.argument::<i64>(1).ok()?);
///         Some(a + b)
///     })
///     .on("echo", |_: Socket<()>, event: Event| async move { event.into_arguments() })
///     .on("ping", |_: Socket<()>, _: Event| async {});
/// ```
pub trait IntoReply: EncodeAck {}

impl<T: EncodeAck> IntoReply for T {}

/// Encodes an acknowledgement. Not exported, which seals [`IntoReply`].
pub trait EncodeAck {
    /// Encodes the acknowledgement `id` for the namespace that packets spell as `prefix`. `None` for no acknowledgement.
    fn encode(self, prefix: &str, id: u64) -> Option<Result<EncodedMessage, EncodeError>>;
}

impl EncodeAck for () {
    fn encode(self, prefix: &str, id: u64) -> Option<Result<EncodedMessage, EncodeError>> {
        Arguments::default().encode(prefix, id)
    }
}

impl EncodeAck for Arguments {
    fn encode(self, prefix: &str, id: u64) -> Option<Result<EncodedMessage, EncodeError>> {
        Some(encode::ack::<()>(prefix, id, &Content::Many(&self)))
    }
}

impl<T: Serialize> EncodeAck for Option<T> {
    fn encode(self, prefix: &str, id: u64) -> Option<Result<EncodedMessage, EncodeError>> {
        self.map(|value| encode::ack(prefix, id, &Content::One(&value)))
    }
}
