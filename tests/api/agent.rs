//! `/api/v1/unified-admin/support`.

mod actions;
mod agents;
mod handovers;
mod lists;
mod model;
mod queue;
mod search;
mod tickets;
mod timeline;
