//! What every connection of a server shares.

use std::collections::HashMap;
use std::sync::Arc;

use crate::any_namespace::AnyNamespace;
use crate::config::SocketIoConfig;
use crate::rate_limit::RateLimiterFactory;
use crate::received::ReceivedMemory;

/// Configuration, namespaces by name, and the rate limiter factory, fixed when the server is built; and what its
/// connections hold together.
pub(super) struct ServerState {
    pub(super) config: Arc<SocketIoConfig>,
    pub(super) namespaces: HashMap<Arc<str>, Arc<dyn AnyNamespace>>,
    pub(super) rate_limiter: Box<RateLimiterFactory>,
    pub(super) received: Arc<ReceivedMemory>,
}
