//! What agents ask (`support-admin.md`).

pub(super) mod actions;
pub(super) mod agents;
pub(super) mod display_name;
pub(super) mod filter;
pub(super) mod handover;
pub(super) mod queue;
pub(super) mod tickets;
pub(super) mod timeline;
pub(super) mod view;

pub(super) use actions::{claim, close, reply};
pub(super) use agents::agents;
pub(super) use handover::{ask as ask_handover, respond as respond_to_handover};
pub(super) use queue::{detail, list};
pub(super) use timeline::timeline;
