//! What agents ask (`support-admin.md`).

mod actions;
mod handover;
mod queue;
pub(super) mod tickets;
mod view;

pub(super) use actions::{claim, close, reply};
pub(super) use handover::{ask as ask_handover, respond as respond_to_handover};
pub(super) use queue::{detail, list};
