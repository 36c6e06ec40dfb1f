//! What the unit tests of several rooms share: people, a conversation told in memory, a database to throw away.

mod database;
mod people;
mod scratch;
mod story;

use crate::database::Backend;

pub(crate) use database::{Halt, TestDatabase, execute, on_both_databases, run};
pub(crate) use people::{
    account, agent, answer_handover, ask_handover, close, create_ticket, customer, draft, enter, guest, note, note_as,
    open, open_ticket, reply, reply_as, send, send_as, set_ticket_status, text, write, write_as,
};
pub(crate) use story::Story;
