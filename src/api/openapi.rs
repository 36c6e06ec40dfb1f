//! The OpenAPI document, generated from the program: operations come from [`super::endpoint_table`], shapes from the
//! structs that handlers read and write, error answers from [`crate::api_error`].

mod operation;
mod page;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::endpoint::Tag;
use super::endpoint_table;
use super::error::ErrorBody;
use crate::json_schema::Schemas;

pub(super) use page::endpoints;

const ABOUT: &str = "\
A support-chat server. Customers write, agents claim conversations and answer.

- A success is `{ success: true, message, data }`; an error is `{ success: false, statusCode, error, message, code }`, with \
`details` where fields are invalid. `message` is one readable sentence; screens tell errors apart by `code`.
- An operation lists its own answers. In addition, an unknown path is 404, a known path with another method is 405 with \
`Allow`, a body over the limit is 413 and one that arrives too slowly 408 on any path, and a defect of the server is 500 `SERVER_ERROR`.
- 429 and 503 have `Retry-After`: the same request may be sent again.
- Every GET also answers HEAD. Every answer has `x-request-id`.
- Live events are on Socket.IO: see the AsyncAPI document, `/asyncapi.json`.
- A token is a JWT that your own backend issues to its users. To try this page, sign one with the server's secret: `switchboard token \
--sub jane` for a customer, `switchboard token --sub sarah --role admin` for an agent; a development server prints one of each at its \
start. Paste it under \"Authorize\".";

/// The document, as it is served.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_string()));

/// The complete document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for endpoint in endpoint_table::endpoints() {
        let method = endpoint.method.as_str().to_lowercase();
        let operation = operation::operation(&endpoint, &mut schemas);
        paths.entry(endpoint.path).or_default().insert(method, operation);
    }
    schemas.serialized::<ErrorBody<'_>>();
    let tags = Tag::ALL.map(|tag| json!({ "name": tag.name(), "description": tag.description() }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The server that serves this document" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.definitions(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "guestToken": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "`guest_token` of an answer, for that conversation or ticket alone",
                },
            },
            "headers": {
                "RequestId": { "description": "Also in the server's log", "required": true, "schema": { "type": "string" } },
                "RetryAfter": {
                    "description": "Seconds after which the same request may be sent again",
                    "required": true, "schema": { "type": "integer", "minimum": 0 },
                },
                "Challenge": { "required": true, "schema": { "const": "Bearer" } },
            },
        },
    })
}
