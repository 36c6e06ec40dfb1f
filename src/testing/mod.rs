//! What the unit tests of several rooms share: people, a conversation told in memory, a database to throw away.

mod people;
mod story;

pub(crate) use people::{account, agent, close, customer, guest, note, open, reply, send, send_as, text};
pub(crate) use story::Story;
