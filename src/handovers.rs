//! Handovers that wait for an answer: who still has to be notified of them, and their end when no agent answers
//! (`additions.md`, 5). Both hold for any number of servers that share a database, and across restarts.

mod announcement;
mod expiry;

pub(crate) use announcement::take_unannounced;
pub(crate) use expiry::HandoverExpiry;
