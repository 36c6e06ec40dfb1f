//! Metadata of the device that a client runs on.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{DEVICE_METADATA_LIMIT, TextError};

/// Whether any string in the value contains U+0000.
fn contains_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(contains_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || contains_nul(value)),
        _ => false,
    }
}

/// Device metadata from a client: a JSON object of at most [`DEVICE_METADATA_LIMIT`] bytes of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DeviceMetadata(Map<String, Value>);

impl DeviceMetadata {
    /// Validates an object from a client.
    ///
    /// # Errors
    /// [`TextError::DeviceMetadata`] when it is too large, [`TextError::Nul`] when it cannot be stored.
    pub fn parse(object: Map<String, Value>) -> Result<Self, TextError> {
        let json = serde_json::to_string(&object).map_err(|_| TextError::DeviceMetadata)?;
        if json.len() > DEVICE_METADATA_LIMIT {
            return Err(TextError::DeviceMetadata);
        }
        // PostgreSQL cannot represent it in a text, so search and filters over the stored object would fail.
        if object.iter().any(|(key, value)| key.contains('\0') || contains_nul(value)) {
            return Err(TextError::Nul);
        }
        Ok(Self(object))
    }

    /// The object.
    #[must_use]
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// An object from the database. It was validated before it was stored.
    #[must_use]
    pub fn stored(object: Map<String, Value>) -> Self {
        Self(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_metadata_has_at_most_4096_bytes_of_json() {
        let object = |length: usize| Map::from_iter([("k".to_owned(), Value::from("x".repeat(length)))]);
        let frame = r#"{"k":""}"#.len();
        assert!(DeviceMetadata::parse(object(4096 - frame)).is_ok());
        assert_eq!(DeviceMetadata::parse(object(4097 - frame)), Err(TextError::DeviceMetadata));
    }
}
