//! Conversion of database errors into command errors.

use super::core::CommandError;
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
