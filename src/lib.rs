//! Switchboard
pub mod config;
pub mod conversation;
pub mod database;
pub mod domain;
pub mod journal;
pub mod store;
