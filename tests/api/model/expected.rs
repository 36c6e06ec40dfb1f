//! The expected answer to a call, over REST and in an acknowledgement.

use serde_json::{Value, json};

use super::placeholders::anything;
use super::state::Writer;

#[derive(Clone, Debug)]
pub(super) enum Expected {
    Done {
        status: u16,
        message: String,
        data: Value,
    },
    Refused {
        code: &'static str,
        message: String,
    },
    /// 400 that names the field.
    Invalid(&'static str),
}

pub(super) fn created(message: &str, data: Value) -> Expected {
    Expected::Done { status: 201, message: message.to_owned(), data }
}

/// What a guest's message or ticket is answered with: also a token that opens it (`additions.md`, 6).
pub(super) fn created_by(writer: &Writer, message: &str, mut data: Value) -> Expected {
    if matches!(writer, Writer::Guest(_)) {
        data["guest_token"] = anything();
    }
    created(message, data)
}

pub(super) fn fetched(message: &str, data: Value) -> Expected {
    Expected::Done { status: 200, message: message.to_owned(), data }
}

pub(super) fn refused(code: &'static str, message: impl Into<String>) -> Expected {
    Expected::Refused { code, message: message.into() }
}

pub(super) fn not_found(noun: &str) -> Expected {
    refused("NOT_FOUND", format!("{noun} not found"))
}

pub(super) fn reused() -> Expected {
    refused("CONFLICT", "client_message_id was already used for another message")
}

impl Expected {
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Done { status, .. } => *status,
            Self::Invalid(_) => 400,
            Self::Refused { code, .. } => match *code {
                "UNAUTHORIZED" => 401,
                "FORBIDDEN" => 403,
                "NOT_FOUND" => 404,
                "CONFLICT" | "HOLDER_PRESENT" => 409,
                _ => 400,
            },
        }
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> Value {
        let status = self.status();
        let error = match status {
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            409 => "Conflict",
            _ => "Bad Request",
        };
        match self {
            Self::Done { message, data, .. } => json!({ "success": true, "message": message, "data": data }),
            Self::Refused { code, message } => {
                json!({ "success": false, "statusCode": status, "error": error, "message": message, "code": code })
            }
            Self::Invalid(field) => json!({
                "success": false, "statusCode": status, "error": error, "message": anything(),
                "code": "VALIDATION_ERROR", "details": [{ "field": field, "message": anything() }],
            }),
        }
    }

    /// The acknowledgement of `send_message`.
    pub(super) fn ack(&self) -> Value {
        match self {
            Self::Done { data, .. } => data.clone(),
            Self::Refused { code, message } => json!({ "error": { "code": code, "message": message } }),
            Self::Invalid(field) => json!({ "error": {
                "code": "VALIDATION_ERROR", "message": anything(), "details": [{ "field": field, "message": anything() }],
            } }),
        }
    }

    /// The acknowledgement of every other event.
    pub(super) fn plain_ack(&self) -> Value {
        match self {
            Self::Done { .. } => json!({ "success": true }),
            _ => json!({ "success": false, "error": self.ack()["error"] }),
        }
    }
}
