//! What the unit tests of several rooms share: people, a conversation told in memory, a database to throw away.

mod database;
mod people;
mod scratch;
mod story;

use crate::database::Backend;

pub(crate) use database::{Halt, TestDatabase, execute, on_both_databases, run};
pub(crate) use people::{
    account, agent, answer_handover, ask_handover, claim, close, create_ticket, customer, draft, enter, guest, note,
    note_as, note_on_ticket, open, open_ticket, rate, reply, reply_as, reply_to_ticket, send, send_as, send_to_ticket,
    set_ticket_status, write, write_as,
};
pub(crate) use story::Story;
