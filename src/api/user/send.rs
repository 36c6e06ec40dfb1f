//! `POST /api/v1/support/chat/send`: begins a conversation, or goes on with one.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value};

use crate::api::Api;
use crate::api::body::Json;
use crate::api::envelope::created;
use crate::api::extractors::{Caller, ClientInfo};
use crate::api::ids::client_message_id;
use crate::api_error::ApiError;
use crate::domain::{Customer, DeviceMetadata};
use crate::wire::Validator;
use crate::wire::send::{self, Send, SendBody, Source};

pub(in crate::api) async fn send(
    api: web::Data<Api>,
    Caller(caller): Caller,
    request: HttpRequest,
    observed: ClientInfo,
    Json(body): Json<SendBody>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Validator::default();
    let send = form(&mut fields, body, request.headers());
    let send = fields.finish(send)?;
    carry_out(&api, caller.as_customer(), send, observed, request.headers()).await
}

/// What is wrong with it goes into `fields`.
pub(super) fn form(fields: &mut Validator, body: SendBody, headers: &HeaderMap) -> Option<Send> {
    let client_message_id = client_message_id(fields, body.client_message_id.as_deref(), headers);
    body.read(fields, client_message_id)
}

/// Begins a conversation, or goes on with the one that is named: for whoever it is that writes.
pub(super) async fn carry_out(
    api: &Api,
    from: Customer,
    send: Send,
    observed: ClientInfo,
    headers: &HeaderMap,
) -> Result<HttpResponse, ApiError> {
    let ClientInfo { ip_address, user_agent } = observed;
    let source = || Source { device_metadata: device_of(headers), ip_address, user_agent };
    let sent = send::carry_out(&api.registry, &api.limits, from, send, source).await?;
    Ok(created("Message sent", sent.view()))
}

/// What the headers tell of the device, where the body does not: those that came, under their keys.
pub(super) fn device_of(headers: &HeaderMap) -> Option<DeviceMetadata> {
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
