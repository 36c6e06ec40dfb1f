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
