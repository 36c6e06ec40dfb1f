//! The OpenAPI document of the REST API, made from the program: paths are compared with [`super::routes`], shapes come
//! from the structs that handlers read and write, errors from [`crate::failure`]. A file for each kind of caller says
//! which belongs to which.

mod agents;
mod builder;
mod examples;
mod guests;
mod help_center;
mod page;
mod tickets;
mod users;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Value, json};

use super::health;
use crate::api_error::{ApiError, Code};
use builder::{Draft, Who};

pub(super) use page::{file, openapi, page};

const ABOUT: &str = "\
A support-chat server. Customers write, agents claim conversations and answer.

- A success is `{ success: true, message, data }`; an error is `{ success: false, statusCode, error, message, code }`, and \
where fields break their rules it has `details`. `message` is one readable sentence; screens tell errors apart by `code`.
- What is listed for an operation is what it answers by itself. Besides, an unknown path is 404 and a known one with another \
method 405 with `Allow`, a body over the limit is 413 wherever it is sent, and a defect of the server is 500 `SERVER_ERROR`.
- 429 and 503 bear `Retry-After`: the same request may be sent again.
- What answers GET answers HEAD too. Every answer bears `x-request-id`.
- What happens live is on Socket.IO: see the AsyncAPI document, docs/asyncapi.json.";

/// The document, as it is served.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_string()));

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut draft = Draft::new();
    users::describe(&mut draft);
    guests::describe(&mut draft);
    agents::describe(&mut draft);
    tickets::describe(&mut draft);
    help_center::describe(&mut draft);
    orchestrators(&mut draft);
    let (paths, schemas) = draft.finish();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": [
            { "name": users::TAG, "description": "Conversations, as customers have them" },
            { "name": guests::TAG, "description": "For people without an account, behind the guard" },
            { "name": tickets::OWN, "description": "Tickets, as apps from before there were conversations have them" },
            { "name": agents::TAG, "description": "The agents' queue" },
            { "name": tickets::DESK, "description": "Tickets, as agents have them" },
            { "name": help_center::TAG, "description": "One conversation a customer, without an envelope" },
            { "name": "Health", "description": "For orchestrators" },
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            "headers": {
                "RequestId": { "description": "In the server's log lines too", "required": true, "schema": { "type": "string" } },
                "RetryAfter": {
                    "description": "Seconds after which the same may be sent again",
                    "required": true, "schema": { "type": "integer", "minimum": 0 },
                },
                "Challenge": { "required": true, "schema": { "const": "Bearer" } },
            },
        },
    })
}

fn orchestrators(draft: &mut Draft) {
    const TAG: &str = "Health";
    draft
        .operation(TAG, Who::Anybody, "live", "The process answers")
        .answers_bare::<health::Health>(200, "It is alive")
        .done("get", "/health/live");
    draft
        .operation(TAG, Who::Anybody, "ready", "The server may be sent work")
        .answers_bare::<health::Health>(
            200,
            "The database is reachable, its schema up to date, and the server not stopping",
        )
        .fails(ApiError::new(Code::Unavailable, "The server is stopping"))
        .fails(ApiError::new(Code::Unavailable, "The database cannot be reached"))
        .done("get", "/health/ready");
}
