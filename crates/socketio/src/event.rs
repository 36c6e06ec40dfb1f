//! Events from clients.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments::Arguments;

/// An event from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The event's name.
    pub name: String,
    /// The arguments, with a placeholder for each piece of binary data, see [`Arguments`].
    pub arguments: Vec<Value>,
    /// Binary data, indexed by the placeholders' numbers.
    pub attachments: Vec<Bytes>,
    /// Whether the client waits for an acknowledgement.
    pub wants_ack: bool,
}

/// Why an argument cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// There is no argument at this index.
    #[error("argument {0} is missing")]
    Missing(usize),
    /// The argument has a different type.
    #[error(transparent)]
    Invalid(#[from] serde_json::Error),
}

impl Event {
    /// Deserializes the first argument.
    ///
    /// # Errors
    /// [`ArgumentError`] if it is missing or not a `T`.
    pub fn first<T: DeserializeOwned>(&self) -> Result<T, ArgumentError> {
        self.argument(0)
    }

    /// Deserializes the argument at an index, counted from 0.
    ///
    /// # Errors
    /// [`ArgumentError`] if it is missing or not a `T`.
    pub fn argument<T: DeserializeOwned>(&self, index: usize) -> Result<T, ArgumentError> {
        let value = self.arguments.get(index).ok_or(ArgumentError::Missing(index))?;
        Ok(T::deserialize(value)?)
    }

    /// Converts the event into its arguments with their binary data, for example to forward them.
    #[must_use]
    pub fn into_arguments(self) -> Arguments {
        Arguments { values: self.arguments, attachments: self.attachments }
    }
}
