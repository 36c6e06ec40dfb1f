//! Panics in reads become errors.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::database::DatabaseError;

/// Turns a panic of a read into an error. The actor's own context polls the read, so a panic would end the actor and
/// every command that waits in it.
pub(super) async fn catch_panic<T>(read: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
    AssertUnwindSafe(read)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(DatabaseError::Fault("a read panicked".to_owned())))
}
