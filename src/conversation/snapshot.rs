//! Conversions between the store's types and the machine's.

use super::core::{EventsAfter, LoadedState, StoredSend};
use crate::store::{self, EventRange};

impl From<store::Snapshot> for LoadedState {
    fn from(snapshot: store::Snapshot) -> Self {
        let store::Snapshot { conversation, sends, events } = snapshot;
        Self { conversation, sends: sends.into_iter().map(StoredSend::from).collect(), events }
    }
}

impl From<store::FoundSend> for StoredSend {
    fn from(send: store::FoundSend) -> Self {
        let store::FoundSend { key, message, conversation } = send;
        Self { key, message, conversation }
    }
}

impl From<EventsAfter> for EventRange {
    fn from(EventsAfter { position, limit }: EventsAfter) -> Self {
        Self { position, most: limit }
    }
}
