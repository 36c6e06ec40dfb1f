//! An event that clients emit, described once: the namespace registers its handler, and the AsyncAPI document describes
//! its payload and acknowledgement.

use std::sync::Arc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use serde_json::{Map, Value};

use super::Realtime;
use super::ack::Ack;
use crate::json_schema::SchemaFn;
use socketio::{Event, Namespace, Socket};

type EventHandler<User> =
    Box<dyn Fn(Arc<Realtime>, Socket<User>, Event) -> LocalBoxFuture<'static, Option<Ack>> + Send + Sync>;

/// An event with its handler; `User` is what the namespace knows about a socket.
pub(super) struct EventDescription<User: Send + Sync + 'static> {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) payload: SchemaFn,
    pub(super) ack: AckDescription,
    handler: EventHandler<User>,
}

/// An acknowledgement in the AsyncAPI document.
#[derive(Clone, Copy)]
pub(super) struct AckDescription {
    /// The key of the message object; events with the same acknowledgement share it.
    pub(super) key: &'static str,
    pub(super) summary: &'static str,
    pub(super) schema: SchemaFn,
}

impl<User: Send + Sync + 'static> EventDescription<User> {
    pub(super) fn new<F>(
        name: &'static str,
        summary: &'static str,
        payload: SchemaFn,
        ack: AckDescription,
        handler: F,
    ) -> Self
    where
        F: AsyncFn(&Realtime, &Socket<User>, &Event) -> Option<Ack> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        let handler = move |realtime: Arc<Realtime>, socket, event| {
            let handler = Arc::clone(&handler);
            async move { handler(&realtime, &socket, &event).await }.boxed_local()
        };
        Self { name, summary, payload, ack, handler: Box::new(handler) }
    }

    /// Registers the handler.
    pub(super) fn register(self, namespace: Namespace<User>, realtime: &Arc<Realtime>) -> Namespace<User> {
        let (realtime, handler) = (Arc::clone(realtime), self.handler);
        namespace.on(self.name, move |socket, event| handler(Arc::clone(&realtime), socket, event))
    }
}

/// The payload as a JSON object; anything else counts as an empty one.
// A struct would also be deserialized from an array.
pub(super) fn payload(event: &Event) -> Map<String, Value> {
    event.first().unwrap_or_default()
}
