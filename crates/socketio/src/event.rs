//! What clients say, and what handlers answer.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::encode::{self, Content, EncodeError, EncodedMessage};
use super::packet::Arguments;

/// An event from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its arguments; where binary data belongs they have a placeholder, see [`Arguments`].
    pub arguments: Vec<Value>,
    /// Binary data, by the placeholders' numbers.
    pub attachments: Vec<Bytes>,
    /// Whether the client waits for an answer.
    pub wants_ack: bool,
}

/// An argument is missing, or is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum BadArgument {
    /// There is none at this place.
    #[error("argument {0} is missing")]
    Missing(usize),
    /// It is something else.
    #[error(transparent)]
    Invalid(#[from] serde_json::Error),
}

impl Event {
    /// The first argument.
    ///
    /// # Errors
    /// [`BadArgument`] where there is none or it is no `T`.
    pub fn first<T: DeserializeOwned>(&self) -> Result<T, BadArgument> {
        self.argument(0)
    }

    /// An argument by its place, from 0.
    ///
    /// # Errors
    /// [`BadArgument`] where there is none or it is no `T`.
    pub fn argument<T: DeserializeOwned>(&self, place: usize) -> Result<T, BadArgument> {
        let value = self.arguments.get(place).ok_or(BadArgument::Missing(place))?;
        Ok(T::deserialize(value)?)
    }

    /// All arguments with their binary data, to be sent on.
    #[must_use]
    pub fn into_arguments(self) -> Arguments {
        Arguments { values: self.arguments, attachments: self.attachments }
    }
}

/// What a handler may return.
///
/// - `Some(reply)`: the reply is the acknowledgement's one argument; `None`: there is no acknowledgement;
/// - [`Arguments`]: the acknowledgement's arguments, binary data included;
/// - `()`: the acknowledgement has no argument.
///
/// None is sent where the client did not ask for one.
pub trait IntoReply {
    /// Encodes the answer to the event `id` of the namespace that stands as `prefix` in packets.
    #[doc(hidden)]
    fn encode(self, prefix: &str, id: u64) -> Option<Result<EncodedReply, EncodeError>>;
}

/// An encoded acknowledgement.
#[derive(Debug)]
pub struct EncodedReply(pub(crate) EncodedMessage);

impl IntoReply for () {
    fn encode(self, prefix: &str, id: u64) -> Option<Result<EncodedReply, EncodeError>> {
        Arguments::default().encode(prefix, id)
    }
}

impl IntoReply for Arguments {
    fn encode(self, prefix: &str, id: u64) -> Option<Result<EncodedReply, EncodeError>> {
        Some(encode::ack::<()>(prefix, id, &Content::Many(&self)).map(EncodedReply))
    }
}

impl<T: Serialize> IntoReply for Option<T> {
    fn encode(self, prefix: &str, id: u64) -> Option<Result<EncodedReply, EncodeError>> {
        self.map(|reply| encode::ack(prefix, id, &Content::One(&reply)).map(EncodedReply))
    }
}
