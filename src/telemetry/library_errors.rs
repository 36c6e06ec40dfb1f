//! Errors that libraries log and that are none of the server's.

use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Whether a server of this process has stopped listening.
static IS_LISTENER_CLOSED: AtomicBool = AtomicBool::new(false);

/// From now on errors of accepting connections are not logged. actix-server learns of its pause and of the closed listening
/// socket at the same time; in one of the two orders it deregisters the socket twice, and reports an error.
pub(crate) fn listener_closes() {
    IS_LISTENER_CLOSED.store(true, Ordering::Release);
}

/// Where actix-server accepts connections.
const ACCEPT: &str = "actix_server::accept";

/// Where actix-http logs how a connection ended: as an error for each malformed request. The server records these
/// ([`super::Refused::Malformed`]).
const DISPATCHER: &str = "actix_http::h1::dispatcher";
const CONNECTION_END: &str = "stream error: ";

/// Leaves these errors out of the log. Filters the events of the complete subscriber: a filter of one layer would be asked
/// at every entry of every span.
#[derive(Clone, Copy, Debug)]
pub(super) struct LibraryErrors;

impl<S: Subscriber> Layer<S> for LibraryErrors {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        match event.metadata().target() {
            ACCEPT => !IS_LISTENER_CLOSED.load(Ordering::Acquire),
            DISPATCHER => {
                let mut message = Message(String::new());
                event.record(&mut message);
                !message.0.starts_with(CONNECTION_END)
            }
            _ => true,
        }
    }
}

/// The message of an event.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // A string takes everything.
            let _ = write!(self.0, "{value:?}");
        }
    }
}
