//! `/api/v1/unified-admin/support`.

mod actions;
mod agents;
mod badges;
mod handovers;
mod list_model;
mod lists;
mod ownership;
mod queue;
mod search;
mod search_folding;
mod take_over;
mod tickets;
mod timeline;
