//! The server as its clients see it: started for real, on a database of its own, spoken to over HTTP.
//!
//! One program for all of it, so that it is linked once. The folders have the shape of the URL tree.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod agent;
mod client_message_id;
mod connections;
mod cors;
mod descriptors;
mod documents;
mod errors;
mod guest_limits;
mod headers;
mod health;
mod help_center;
mod idempotency;
mod identity;
mod idle_memory;
mod join_conversation;
mod keep_alive;
mod limits;
mod loadtest;
mod logging;
mod model;
mod reading;
mod socket_handshake;
mod socket_rate_limits;

mod query_plans;
mod races;
mod socket_settings;
mod sqlite_open;
mod storage;
mod support;
mod unjoined_memory;
mod upgrade;
mod user;
mod websocket_close;
