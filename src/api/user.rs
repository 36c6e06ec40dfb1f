//! What customers ask (`support-user.md`).

pub(super) mod conversations;
pub(super) mod guest;
pub(super) mod rate;
pub(super) mod send;
pub(super) mod tickets;

pub(super) use conversations::{detail, list};
pub(super) use guest::send_unauthenticated;
pub(super) use rate::rate;
pub(super) use send::send;
