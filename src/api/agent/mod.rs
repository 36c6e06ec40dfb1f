//! What agents ask (`support-admin.md`).

mod actions;
mod agents;
mod filter;
mod handover;
mod name;
mod queue;
pub(super) mod tickets;
mod timeline;
mod view;

pub(super) use actions::{claim, close, reply};
pub(super) use agents::agents;
pub(super) use handover::{ask as ask_handover, respond as respond_to_handover};
pub(super) use queue::{detail, list};
pub(super) use timeline::timeline;
