//! What agents ask (`support-admin.md`).

mod actions;
mod agents;
mod filter;
mod name;
mod queue;
mod timeline;
mod view;

pub(super) use actions::{claim, close, reply};
pub(super) use agents::agents;
pub(super) use queue::{detail, list};
pub(super) use timeline::timeline;
