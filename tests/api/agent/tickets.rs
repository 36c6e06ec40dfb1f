//! The agents' tickets: `/api/v1/unified-admin/support` itself.

mod actions;
mod create;
mod list;
mod read;
