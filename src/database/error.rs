//! Errors of the database, and which of them are transient.

use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Why the database did not answer a query.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It cannot be reached, or is out of resources. Transient: the query may be repeated.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// It is read-only or its disk is full or fails. Nothing was stored. Transient: an operator can repair it.
    #[error("the database cannot store anything: {0}")]
    CannotStore(String),
    /// It did not answer in time. A write may still take effect.
    #[error("the database did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// Rolled back because of another transaction: a unique violation, a deadlock or a failed serialisation.
    #[error("rolled back because of another transaction: {0}")]
    Conflict(String),
    /// It refused the statement or returned an invalid value: a defect.
    #[error("the database refused: {0}")]
    Fault(String),
}

impl DatabaseError {
    /// Whether what was to be stored may be the cause, so that something else may succeed now.
    #[must_use]
    pub fn may_be_caused_by_data(&self) -> bool {
        matches!(self, Self::Fault(_) | Self::Conflict(_))
    }

    /// Whether the same query may succeed later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        !matches!(self, Self::Fault(_))
    }
}

impl From<DbErr> for DatabaseError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(_) => Self::Unavailable(error.to_string()),
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => Self::from(inner.as_ref()),
            _ => Self::Fault(error.to_string()),
        }
    }
}

impl From<&sqlx::Error> for DatabaseError {
    fn from(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(inner) if inner.code().as_deref() == Some("3D000") => {
                Self::Fault(inner.message().to_owned())
            }
            sqlx::Error::Database(inner)
                if inner.is_unique_violation() || is_rollback_code(inner.code().as_deref().unwrap_or_default()) =>
            {
                Self::Conflict(error.to_string())
            }
            sqlx::Error::Database(inner) if is_storage_code(inner.code().as_deref().unwrap_or_default()) => {
                Self::CannotStore(error.to_string())
            }
            sqlx::Error::Database(inner) if is_passing_code(inner.code().as_deref().unwrap_or_default()) => {
                Self::Unavailable(error.to_string())
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            _ => Self::Fault(error.to_string()),
        }
    }
}

/// Whether PostgreSQL rolled back because of another transaction (class 40): a deadlock, or a failed serialisation.
fn is_rollback_code(code: &str) -> bool {
    code.len() == 5 && code.starts_with("40")
}

/// Whether the database is read-only or its disk is full or fails. PostgreSQL: a read-only transaction, which is what a
/// standby offers too (25006), and a full disk (53100). SQLite, in the low byte of an extended code: read-only, I/O error,
/// full.
fn is_storage_code(code: &str) -> bool {
    if code.len() == 5 {
        return ["25006", "53100"].contains(&code);
    }
    code.parse::<u32>().is_ok_and(|code| [8, 10, 13].contains(&(code & 0xff)))
}

/// Whether a database's error code is transient. PostgreSQL, by class: connection (08), resources (53), object not in the
/// required state (55), operator intervention (57), system error (58). SQLite, in the low byte of an extended code: busy,
/// locked, cannot open, protocol.
fn is_passing_code(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| [5, 6, 14, 15].contains(&(code & 0xff)))
}
