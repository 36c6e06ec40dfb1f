//! What the tests of this suite share beyond the test kit: a server with a REST client whose answers are checked against
//! the OpenAPI document, rows written past the server, and a socket whose packets are visible.

pub(crate) mod api_document;
mod http_connection;
mod rows;
mod server;
mod session;
mod tickets;

pub(crate) use http_connection::exchange;
pub(crate) use rows::{conversation_row, message_row, minute, ticket_row, user_row};
pub(crate) use server::{Answer, ApiServer};
pub(crate) use session::SupportSession;
pub(crate) use switchboard_testkit::paths::{
    ADD_MESSAGE, CREATE_TICKET, MY_CONVERSATIONS, MY_TICKETS, QUEUE, REQUEST_SUPPORT, SEND, TICKET, TICKETS,
};
pub(crate) use switchboard_testkit::{Backend, SECRET, ScratchDatabase, ServerOptions, TestServer, TestUser};
pub(crate) use tickets::{TicketRef, ticket_body};

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
