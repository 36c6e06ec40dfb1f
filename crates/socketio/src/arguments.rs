//! The arguments of an event or an acknowledgement.

use bytes::Bytes;
use serde_json::Value;

/// Arguments with binary data.
///
/// Binary data is kept apart from the JSON values. In its place a value has a placeholder,
/// `{"_placeholder":true,"num":0}`, whose `num` is the index of the attachment.
///
/// ```
/// use actix_socketio::Arguments;
/// use serde_json::json;
///
/// let picture = Arguments {
///     values: vec![json!({"name": "cat.png", "data": {"_placeholder": true, "num": 0}})],
///     attachments: vec![vec![0x89, b'P', b'N', b'G'].into()],
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arguments {
    /// JSON values, with placeholders.
    pub values: Vec<Value>,
    /// Binary data, indexed by the placeholders' numbers.
    pub attachments: Vec<Bytes>,
}
