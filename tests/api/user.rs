//! `/api/v1/support`.

mod conversations;
mod guest;
mod guest_token;
mod rate;
mod send;
mod text_rules;
mod tickets;
