//! What agents ask (`support-admin.md`).

mod actions;
mod queue;
mod view;

pub(super) use actions::{claim, close, reply};
pub(super) use queue::{detail, list};
