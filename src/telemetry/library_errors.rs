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

/// Where actix-http logs how connections end, as errors even if clients cause that at will.
const DISPATCHER: &str = "actix_http::h1::dispatcher";
const CAUSED_BY_CLIENTS: [&str; 2] = [
    // A malformed request, which the server records (`Refused::Malformed`).
    "stream error: ",
    // An answer that is dropped because it is not read (`crate::reads`); no other body fails.
    "Response payload stream error: ",
];

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
                !CAUSED_BY_CLIENTS.iter().any(|cause| message.0.starts_with(cause))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Keeps the messages that reach it.
    struct Messages(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Messages {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.lock().push(message.0);
        }
    }

    #[test]
    fn only_errors_that_clients_cause_are_left_out() {
        let messages = Arc::default();
        let subscriber = tracing_subscriber::registry().with(LibraryErrors).with(Messages(Arc::clone(&messages)));
        tracing::subscriber::with_default(subscriber, || {
            let error = "request parse error";
            tracing::error!(target: DISPATCHER, "stream error: {error}");
            tracing::error!(target: DISPATCHER, "Response payload stream error: {error:?}");
            tracing::error!(target: DISPATCHER, "write zero; closing");
            tracing::error!(target: DISPATCHER, field = "stream error: ", "Internal server error: unexpected eof");
            tracing::error!("stream error: {error}");
        });
        let kept =
            ["write zero; closing", "Internal server error: unexpected eof", "stream error: request parse error"];
        assert_eq!(*messages.lock(), kept);
    }
}
