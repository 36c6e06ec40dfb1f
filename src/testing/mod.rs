//! What the unit tests of several rooms share: people, a conversation told in memory, a database to throw away.

mod database;
mod people;
mod story;

pub(crate) use database::{Halt, TestDatabase, execute, on_both_databases, run};
pub(crate) use people::{
    account, agent, close, customer, guest, note, note_as, open, reply, reply_as, send, send_as, text,
};
pub(crate) use story::Story;
