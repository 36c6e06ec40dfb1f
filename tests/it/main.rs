//! The server as its clients see it: started for real, on a database of its own, spoken to over HTTP.
//!
//! One program for all of it, so that it is linked once. The folders have the shape of the URL tree.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod agent;
mod configuration;
mod connections;
mod cors;
mod descriptors;
mod documents;
mod errors;
mod flooding;
mod health;
mod help_center;
mod identity;
mod idle_memory;
mod joining;
mod limits;
mod loadtest;
mod model;
mod once;

mod opening;
mod plans;
mod races;
mod sockets;
mod support;
mod ticket_races;
mod user;
