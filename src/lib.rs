//! Switchboard: a support-chat server. People write, agents claim the conversation and answer, everyone sees it at
//! once, nothing is lost and nobody writes into what is not theirs.
//!
//! **Each live conversation is one actor**, and whatever happens to it happens there, one thing after another. A
//! message's way: [`api`] or [`realtime`] make a [`domain::Command`] of a request; [`conversation::Registry`] gives it
//! to the conversation's actor; that one decides by [`domain::decide`], hands the events to the [`journal`] and goes
//! on; when they are stored, the caller is answered and [`realtime`] tells everyone who listens.
//!
//! Imports run one way, from the shell inwards: [`cli`] → [`server`] → [`api`], [`realtime`] → [`wire`],
//! [`help_center`] → [`conversation`] → [`store`], [`identity`], [`journal`], [`cluster`] → [`domain`], and
//! [`realtime`] → [`socketio`] → [`engineio`]. `domain` imports nothing of ours; `engineio` and `socketio` know nothing
//! of chat. [`loadtest`] is a client of all of it, for [`cli`] and for tests: it takes tokens from [`identity`] and
//! nothing else. [`config`], [`database`] and [`schema`], [`failure`], [`limits`], [`moment`], [`proxies`], `schemas`
//! and [`telemetry`] are the ground that the rooms stand on. `mutants` are defects that only a build for tests can
//! have.

pub mod api;
pub mod api_error;
pub mod cli;
pub mod client_ip;
pub mod cluster;
pub mod config;
pub mod conversation;
pub mod database;
pub mod domain;
mod event_codec;
mod failpoints;
pub mod help_center;
pub mod identity;
pub mod journal;
pub(crate) mod json_schema;
pub mod limits;
pub mod migrations;
pub mod realtime;
pub mod server;
pub mod store;
pub mod telemetry;
#[cfg(test)]
pub(crate) mod testing;
pub mod timestamp;
pub mod wire;
