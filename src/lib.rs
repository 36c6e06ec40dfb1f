//! Switchboard
pub mod api;
pub mod config;
pub mod conversation;
pub mod database;
pub mod domain;
pub mod failure;
pub mod identity;
pub mod journal;
pub mod store;
#[cfg(test)]
pub(crate) mod testing;
