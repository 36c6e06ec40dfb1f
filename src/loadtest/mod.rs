//! `switchboard loadtest`.
pub mod checker;
pub mod history;
pub mod listener;
