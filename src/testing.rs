//! What the unit tests of several modules share: commands and their senders, a conversation in memory, a database.
//!
//! What exposes no type of this crate comes from `switchboard-testkit`, whose `switchboard` is another compilation.

mod commands;
mod database;
mod in_memory;

pub(crate) use commands::{
    account, agent, answer_handover, ask_handover, assign, assign_ticket, claim, close, create_ticket, customer, draft,
    enter, expire_handover, guest, note, note_as, note_on_ticket, open, open_ticket, rate, release, reopen, reply,
    reply_as, reply_to_ticket, send, send_as, send_to_ticket, set_ticket_status, take_over, withdraw_handover, write,
    write_as,
};
pub(crate) use database::{BlockedRuntime, TestDatabase, execute, on_both_databases, run};
pub(crate) use in_memory::InMemoryConversation;
