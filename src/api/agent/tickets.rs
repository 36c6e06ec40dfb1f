//! Tickets, as agents ask for them and change them (`support-admin.md`, "Tickets").

pub(in crate::api) mod actions;
pub(in crate::api) mod create;
pub(in crate::api) mod list;
pub(in crate::api) mod query;
pub(in crate::api) mod reply;
pub(in crate::api) mod view;

pub(in crate::api) use actions::{assign, prioritise, set_status};
pub(in crate::api) use create::create;
pub(in crate::api) use list::{detail, list};
pub(in crate::api) use reply::reply;
