//! Reads that an actor waits for without standing still.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::database::DatabaseError;

/// A read that panics has failed: polled by the actor's own context, it would take the actor and all that waits there
/// with it.
pub(super) async fn caught<T>(read: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
    AssertUnwindSafe(read)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(DatabaseError::Fault("a read panicked".to_owned())))
}
