//! `/api/v1/support`.

mod conversations;
mod guest;
mod rate;
mod send;
mod text_rules;
mod tickets;
