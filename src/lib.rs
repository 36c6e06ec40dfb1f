//! Switchboard: a support-chat server. Customers write, agents claim conversations and answer, and every participant
//! sees every message immediately.
//!
//! **Each live conversation is one actor** that executes its commands sequentially. A message's way: [`api`] or
//! [`realtime`] turn a request into a [`domain::Command`]; [`conversation::Registry`] passes it to the conversation's
//! actor, which decides it by [`domain::decide`] and appends the resulting events to the [`journal`]. When they are
//! stored, the caller is answered and [`realtime`] publishes the events to every subscriber.
//!
//! Imports point one way: [`cli`] → [`server`] → [`api`], [`realtime`] → `use_cases` → [`services`], `dto` →
//! [`help_center`] → [`conversation`] → [`store`], [`identity`], [`journal`], [`cluster`] → `event_codec` → [`domain`]; and
//! [`realtime`] → [`socketio`] → [`engineio`]. `domain` imports nothing of ours; `engineio` and `socketio` know nothing
//! of chat. Any module may import the ground: [`config`], [`database`], [`migrations`], [`api_error`], [`limits`],
//! [`timestamp`], [`client_ip`], `client_info`, `json_schema` and [`telemetry`]. `failpoints` are defects that only a
//! build for tests contains.

pub mod api;
pub mod api_error;
pub mod cli;
mod client_info;
pub mod client_ip;
pub mod cluster;
pub mod config;
pub mod conversation;
pub mod database;
pub mod domain;
mod dto;
mod event_codec;
mod failpoints;
pub mod help_center;
pub mod identity;
pub mod journal;
mod json_schema;
pub mod limits;
pub mod migrations;
pub mod realtime;
pub mod server;
pub mod services;
pub mod store;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod timestamp;
mod use_cases;
