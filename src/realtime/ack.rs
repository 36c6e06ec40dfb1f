//! Acknowledgements. On `/support`, `send_message` is acknowledged with the `data` of the REST answer and other events
//! with `success`; an error has the code and message of the REST error.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::api_error::{ApiError, Code, FieldError};

/// What an event is acknowledged with.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Ack {
    /// `{ success: true }`, or `{ success: false, error }`.
    Outcome(AckOutcome),
    /// The data that the event asked for.
    Data(Value),
    /// `{ error }` instead of data.
    Error { error: EventError },
}

/// Whether the event succeeded.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Ack")]
pub(super) struct AckOutcome {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<EventError>,
}

/// The error of an event.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AckError")]
pub(super) struct EventError {
    code: Code,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<FieldError>,
}

impl Ack {
    pub(super) fn outcome(outcome: Result<(), ApiError>) -> Self {
        let error = outcome.err().map(EventError::from);
        Self::Outcome(AckOutcome { success: error.is_none(), error })
    }

    pub(super) fn data(data: Result<Value, ApiError>) -> Self {
        match data {
            Ok(data) => Self::Data(data),
            Err(error) => Self::Error { error: error.into() },
        }
    }
}

impl From<ApiError> for EventError {
    fn from(error: ApiError) -> Self {
        Self { code: error.code, message: error.message.into_owned(), details: error.details }
    }
}
