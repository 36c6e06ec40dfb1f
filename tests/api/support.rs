//! What tests need: a database, a server on it, and people who call.

mod connection;
pub(crate) mod documented;
mod people;
mod program;
mod rows;
#[path = "../../src/testing/scratch.rs"]
mod scratch;
mod server;
mod socket;
mod tickets;

pub(crate) use connection::ask;
pub(crate) use people::{Person, SECRET};
pub(crate) use program::Program;
pub(crate) use rows::{conversation_row, message_row, minute, ticket_row, user_row};
pub(crate) use scratch::Scratch as TestDatabase;
pub(crate) use server::{Answer, MINE, QUEUE, SEND, TestServer};
pub(crate) use socket::Socket;
pub(crate) use switchboard::database::Backend;
pub(crate) use tickets::{ADD_MESSAGE, CREATE_TICKET, MY_TICKETS, Made, REQUEST_SUPPORT, TICKET, TICKETS, about};

/// Runs a test on both databases, as `name::sqlite` and `name::postgres`.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($backend:ident: Backend) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn test($backend: Backend) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                test(Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                test(Backend::Postgres).await;
            }
        }
    )*};
}
pub(crate) use on_both_databases;
