//! Switchboard: a support-chat server. Customers write, agents claim conversations and answer, and every participant
//! sees every message immediately.
//!
//! **Each live conversation is one actor** that executes its commands sequentially. A message's way: [`api`] or
//! [`realtime`] turn a request into a [`domain::Command`]; [`conversation::Registry`] passes it to the conversation's
//! actor, which decides it by [`domain::decide`] and appends the resulting events to the `journal`. When they are
//! stored, the caller is answered and [`realtime`] publishes the events to every subscriber.
//!
//! Imports point one way: [`cli`] → [`server`] → [`api`], [`realtime`] → `use_cases` → `services` → `help_center` →
//! `dto` → [`api_error`] → [`conversation`] → [`store`], [`identity`], `journal`, `cluster` → `event_codec` → [`domain`];
//! and [`realtime`] → [`socketio`] → [`engineio`]. `domain` imports nothing of ours; `engineio` and `socketio` know
//! nothing of chat. All of these may import the ground: [`config`], [`database`], `migrations`, `limits`, `telemetry`,
//! `timestamp`, `client_ip` and `client_info`. `failpoints` are defects that only a build for tests contains.
//! `crates/lint/rules/layers.txt` has the complete order, which `make lint` checks.
//!
//! Public is what the binary, the tests and the benchmark use.

pub mod api;
pub mod api_error;
pub mod cli;
mod client_info;
mod client_ip;
mod cluster;
pub mod config;
pub mod conversation;
pub mod database;
pub mod domain;
mod dto;
mod event_codec;
mod failpoints;
mod handovers;
mod help_center;
pub mod identity;
mod journal;
mod json_schema;
mod limits;
mod migrations;
mod own_origin;
mod read_marks;
mod reads;
pub mod realtime;
pub mod server;
mod services;
pub mod store;
mod telemetry;
#[cfg(test)]
mod testing;
mod timestamp;
mod use_cases;
