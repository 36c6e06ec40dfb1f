//! Tickets, as agents ask for them and change them (`support-admin.md`, "Tickets").

mod actions;
mod create;
mod list;
mod query;
mod reply;
mod view;

pub(in crate::api) use actions::{assign, prioritise, set_status};
pub(in crate::api) use create::create;
pub(in crate::api) use list::{detail, list};
pub(in crate::api) use reply::reply;
