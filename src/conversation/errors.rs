//! A failed command's way from the database to the client.

use super::core::CommandError;
use crate::api_error::ApiError;
use crate::database::DatabaseError;

impl From<DatabaseError> for CommandError {
    fn from(error: DatabaseError) -> Self {
        if error.is_passing() {
            Self::Unavailable
        } else {
            tracing::error!(%error, "a conversation could not be read");
            Self::Fault
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
