//! `/api/v1/support`.

mod conversations;
mod send;
