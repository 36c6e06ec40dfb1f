//! Errors as clients read them: one table of codes for REST, acknowledgements and `connect_error` (`decisions.md`,
//! "Envelope and errors").
//!
//! A code determines the HTTP status and whether a retry may succeed. The message is one readable sentence that apps
//! display; it never contains internal causes, which are logged.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::conversation::CommandError;
use crate::database::DatabaseError;
use crate::domain::Refusal;
use crate::limits::RateLimited;
use crate::read_marks::ReadMarkError;
use crate::store::SearchRefusal;
use crate::telemetry::Refused;

/// A stable identifier of an error, by which screens tell errors apart. docs/ERRORS.md is generated from these lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is malformed, or a field is invalid.
    ValidationError,
    /// The token is missing, invalid or expired.
    Unauthorized,
    /// The caller's role, or another agent's assignment, forbids it.
    Forbidden,
    /// The conversation or ticket belongs to another customer.
    AccessDenied,
    /// The guest's token in the body is invalid, expired, or void because its conversation belongs to an account.
    GuestTokenInvalid,
    /// The resource does not exist.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The conversation is closed.
    ConversationClosed,
    /// Another agent was first.
    AlreadyAssigned,
    /// The conversation is not closed yet.
    ConversationOpen,
    /// The conversation is rated already.
    AlreadyRated,
    /// Another handover of the conversation is pending.
    HandoverPending,
    /// The handover was resolved before.
    HandoverResolved,
    /// The conversation has a ticket already.
    TicketExists,
    /// The ticket is resolved or closed.
    TicketClosed,
    /// The ticket is still open.
    TicketOpen,
    /// The agent who holds the conversation is present.
    HolderPresent,
    /// The search term cannot be searched within the time limit; a longer one may.
    SearchTooBroad,
    /// The idempotency key was used for another message.
    Conflict,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body exceeds the size limit.
    PayloadTooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// The rate limit is exceeded; a later retry may succeed.
    RateLimited,
    /// The server cannot answer now; a retry may succeed.
    Unavailable,
    /// The server has a defect.
    ServerError,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 25] = [
        Self::ValidationError,
        Self::Unauthorized,
        Self::Forbidden,
        Self::AccessDenied,
        Self::GuestTokenInvalid,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::ConversationClosed,
        Self::AlreadyAssigned,
        Self::ConversationOpen,
        Self::AlreadyRated,
        Self::HandoverPending,
        Self::HandoverResolved,
        Self::TicketExists,
        Self::TicketClosed,
        Self::TicketOpen,
        Self::HolderPresent,
        Self::SearchTooBroad,
        Self::Conflict,
        Self::RequestTimeout,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RateLimited,
        Self::Unavailable,
        Self::ServerError,
    ];

    /// The identifier on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable)
    }

    fn row(self) -> (&'static str, u16) {
        match self {
            Self::ValidationError => ("VALIDATION_ERROR", 400),
            Self::Unauthorized => ("UNAUTHORIZED", 401),
            Self::Forbidden => ("FORBIDDEN", 403),
            Self::AccessDenied => ("ACCESS_DENIED", 400),
            Self::GuestTokenInvalid => ("GUEST_TOKEN_INVALID", 400),
            Self::NotFound => ("NOT_FOUND", 404),
            Self::MethodNotAllowed => ("METHOD_NOT_ALLOWED", 405),
            Self::ConversationClosed => ("CONVERSATION_CLOSED", 400),
            Self::AlreadyAssigned => ("ALREADY_ASSIGNED", 400),
            Self::ConversationOpen => ("CONVERSATION_OPEN", 400),
            Self::AlreadyRated => ("ALREADY_RATED", 400),
            Self::HandoverPending => ("HANDOVER_PENDING", 400),
            Self::HandoverResolved => ("HANDOVER_RESOLVED", 400),
            Self::TicketExists => ("TICKET_EXISTS", 400),
            Self::TicketClosed => ("TICKET_CLOSED", 400),
            Self::TicketOpen => ("TICKET_OPEN", 400),
            Self::HolderPresent => ("HOLDER_PRESENT", 409),
            Self::SearchTooBroad => ("SEARCH_TOO_BROAD", 400),
            Self::Conflict => ("CONFLICT", 409),
            Self::RequestTimeout => ("REQUEST_TIMEOUT", 408),
            Self::PayloadTooLarge => ("PAYLOAD_TOO_LARGE", 413),
            Self::UnsupportedMediaType => ("UNSUPPORTED_MEDIA_TYPE", 415),
            Self::RateLimited => ("RATE_LIMITED", 429),
            Self::Unavailable => ("UNAVAILABLE", 503),
            Self::ServerError => ("SERVER_ERROR", 500),
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A field that is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FieldError")]
pub struct FieldError {
    /// The field, in the client's spelling.
    pub field: Cow<'static, str>,
    /// The error, one sentence.
    pub message: String,
}

/// An error for a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The identifier.
    pub code: Code,
    /// One readable sentence.
    pub message: Cow<'static, str>,
    /// The invalid fields, for [`Code::ValidationError`].
    pub details: Vec<FieldError>,
    /// Seconds until a retry, if known.
    pub retry_after: Option<u64>,
}

impl ApiError {
    /// An error without details.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), retry_after: None }
    }

    /// Invalid fields; the first one's sentence is the message.
    #[must_use]
    pub fn validation(details: Vec<FieldError>) -> Self {
        let message = details
            .first()
            .map_or(Cow::Borrowed("The request is not valid"), |first| Cow::Owned(first.message.clone()));
        Self { details, ..Self::new(Code::ValidationError, message) }
    }

    /// A missing or invalid token.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "Unauthorized")
    }

    /// A conversation that does not exist.
    #[must_use]
    pub fn conversation_not_found() -> Self {
        Refusal::NotFound.into()
    }

    /// A defect of the server; the cause must have been logged.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::ServerError, "Something went wrong on our side")
    }

    /// A rate limit that is exceeded.
    #[must_use]
    pub fn rate_limited() -> Self {
        Self::new(Code::RateLimited, "Too many requests. Please wait a moment and try again.")
    }

    /// A temporary failure.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(Code::Unavailable, "The service is busy at the moment. Please try again.")
    }
}

impl From<SearchRefusal> for ApiError {
    fn from(refusal: SearchRefusal) -> Self {
        match refusal {
            SearchRefusal::TooBroad => {
                Self::new(Code::SearchTooBroad, "Too much matches this search. Please search for something longer.")
            }
            SearchRefusal::Preparing => Self {
                retry_after: Some(30),
                ..Self::new(Code::Unavailable, "The search is being prepared after an upgrade. Please try again later.")
            },
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::NotFound
            | Refusal::HandoverNotFound
            | Refusal::TransferTargetUnknown
            | Refusal::TicketNotFound
            | Refusal::AssigneeUnknown => Code::NotFound,
            Refusal::GuestTokenInvalid => Code::GuestTokenInvalid,
            Refusal::AccessDenied
            | Refusal::EmailMismatch
            | Refusal::RateNotOwn
            | Refusal::TicketEmailMismatch
            | Refusal::TicketRateNotOwn => Code::AccessDenied,
            Refusal::SendToClosed
            | Refusal::ClaimClosed
            | Refusal::ReplyToClosed
            | Refusal::AlreadyClosed
            | Refusal::TransferClosed
            | Refusal::ReleaseClosed
            | Refusal::TakeOverClosed
            | Refusal::AssignClosed
            | Refusal::TicketOfClosed => Code::ConversationClosed,
            Refusal::ClaimedByAnother => Code::AlreadyAssigned,
            Refusal::AssignedToAnother
            | Refusal::TransferNotAssignee
            | Refusal::HandoverNotTarget
            | Refusal::HandoverNotRequester
            | Refusal::ReleaseNotAssignee
            | Refusal::TicketHeldByAnother => Code::Forbidden,
            Refusal::HolderPresent => Code::HolderPresent,
            Refusal::AlreadyRated | Refusal::TicketAlreadyRated => Code::AlreadyRated,
            Refusal::RateOpen | Refusal::NotClosed => Code::ConversationOpen,
            Refusal::TransferToSelf => Code::ValidationError,
            Refusal::TransferPending => Code::HandoverPending,
            Refusal::HandoverResolved => Code::HandoverResolved,
            Refusal::TicketExists(_) => Code::TicketExists,
            Refusal::TicketDone => Code::TicketClosed,
            Refusal::TicketRateOpen => Code::TicketOpen,
            Refusal::ClientMessageIdReused => Code::Conflict,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<RateLimited> for ApiError {
    fn from(refusal: RateLimited) -> Self {
        Refused::RateLimit.record("requests or messages");
        Self { retry_after: Some(refusal.retry_after_seconds()), ..Self::rate_limited() }
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        if error.is_passing() {
            tracing::warn!(%error, "a database query failed");
            Self::unavailable()
        } else {
            tracing::error!(%error, "a database query failed");
            Self::internal()
        }
    }
}

impl From<ReadMarkError> for ApiError {
    fn from(error: ReadMarkError) -> Self {
        match error {
            ReadMarkError::Overloaded => Self::unavailable(),
            ReadMarkError::Database(error) => error.into(),
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Unavailable | CommandError::Overloaded => Self::unavailable(),
            CommandError::Fault => Self::internal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_its_own_identifier() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn only_a_429_and_a_503_are_retryable() {
        for code in Code::ALL {
            assert_eq!(code.is_retryable(), [429, 503].contains(&code.status()), "{code:?}");
        }
    }

    #[test]
    fn an_error_message_reveals_no_internal_cause() {
        let error = ApiError::from(DatabaseError::Fault("relation \"messages\" does not exist".to_owned()));
        assert!(!error.message.contains("messages"));
    }
}
