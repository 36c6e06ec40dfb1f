//! What customers ask (`support-user.md`).

mod conversations;
mod guest;
mod rate;
mod send;
pub(super) mod tickets;

pub(super) use conversations::{detail, list};
pub(super) use guest::send_unauthenticated;
pub(super) use rate::rate;
pub(super) use send::send;
