//! The dependencies that a registry shares with its actors.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Clock;
use super::core::MachineLimits;
use super::event_publisher::EventPublisher;
use super::id_derivation::ConversationIds;
use super::watermarks::Watermarks;
use crate::config::ConversationSettings;
use crate::database::Database;
use crate::journal::Journal;

/// Dependencies and settings of a registry and its actors.
pub struct RegistryParts {
    /// Actors read from it.
    pub database: Database,
    /// Actors store events through it.
    pub journal: Journal,
    /// Receives stored events.
    pub publisher: Arc<dyn EventPublisher>,
    /// The time of events.
    pub clock: Arc<dyn Clock>,
    /// Ids of new conversations.
    pub ids: ConversationIds,
    /// Limits and times.
    pub settings: ConversationSettings,
    /// How long a caller waits for an answer.
    pub request_timeout: Duration,
}

/// The parts, and the watermarks of this server.
pub(super) struct ActorServices {
    pub(super) parts: RegistryParts,
    pub(super) watermarks: Watermarks,
}

impl ActorServices {
    pub(super) fn new(parts: RegistryParts) -> Self {
        Self { watermarks: Watermarks::new(parts.settings.watermark_cache_size), parts }
    }

    /// The limits of every machine.
    pub(super) fn limits(&self) -> MachineLimits {
        let settings = &self.parts.settings;
        MachineLimits {
            in_flight: settings.in_flight,
            idempotency_cache: settings.idempotency_cache_size,
            catch_up_events: settings.catch_up_max_events,
            in_doubt: Duration::from_secs(settings.in_doubt_seconds),
            trim_after: Duration::from_secs(settings.trim_after_seconds),
            passivate_after: Duration::from_secs(settings.passivate_after_seconds),
        }
    }
}
