//! Emitting an event under the name that its payload has.

use schemars::JsonSchema;
use serde::Serialize;

use socketio::{Broadcast, Socket};

/// The payload of an event, with the event's name.
pub(super) trait EmittedEvent: Serialize + JsonSchema {
    const NAME: &'static str;
}

/// Emits an event under its own name.
pub(super) trait EmitEvent {
    fn emit_event<E: EmittedEvent>(self, event: &E);
}

/// Emits an event to the selected sockets, and `variant` instead of it to those of them that are in `room`. Each is
/// rendered once, whatever the number of receivers.
pub(super) fn emit_variants<E: EmittedEvent>(to: Broadcast<'_>, event: &E, room: &str, variant: &E) {
    to.emit_with_variant(E::NAME, event, room, variant);
}

impl<User: Send + Sync + 'static> EmitEvent for &Socket<User> {
    fn emit_event<E: EmittedEvent>(self, event: &E) {
        self.emit(E::NAME, event);
    }
}

impl EmitEvent for Broadcast<'_> {
    fn emit_event<E: EmittedEvent>(self, event: &E) {
        self.emit(E::NAME, event);
    }
}
