//! `/api/v1/unified-admin/support`.

mod actions;
mod queue;
mod tickets;
