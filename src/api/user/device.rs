//! The device headers that apps send with every request.

use actix_web::http::header::HeaderMap;
use serde_json::{Map, Value};

use crate::domain::DeviceMetadata;

/// The device as the headers describe it, under the keys that a body uses.
pub(super) fn device_metadata(headers: &HeaderMap) -> Option<DeviceMetadata> {
    const HEADERS: [(&str, &str); 8] = [
        ("x-device-id", "device_id"),
        ("x-device-fingerprint", "device_fingerprint"),
        ("x-device-name", "device_name"),
        ("x-device-model", "device_model"),
        ("platform", "platform"),
        ("x-os-name", "os_name"),
        ("x-os-version", "os_version"),
        ("x-app-version", "app_version"),
    ];
    let object: Map<String, Value> = HEADERS
        .into_iter()
        .filter_map(|(header, key)| {
            let value = headers.get(header)?.to_str().ok()?;
            let value = if key == "platform" { value.to_lowercase() } else { value.to_owned() };
            Some((key.to_owned(), Value::from(value)))
        })
        .collect();
    if object.is_empty() { None } else { DeviceMetadata::parse(object).ok() }
}
