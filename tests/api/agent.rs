//! `/api/v1/unified-admin/support`.

mod actions;
mod agents;
mod handovers;
mod lists;
mod list_model;
mod queue;
mod search;
mod tickets;
mod timeline;
