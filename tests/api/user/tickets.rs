//! The ticket endpoints of the apps that came before conversations.

mod add_message;
mod create;
mod limits;
mod rate;
mod read;
