//! What every connection of a server shares.

use std::collections::HashMap;
use std::sync::Arc;

use crate::any_namespace::AnyNamespace;
use crate::config::SocketIoConfig;
use crate::rate_limit::RateLimiterFactory;

/// Configuration, namespaces by name, and the rate limiter factory. Fixed when the server is built.
pub(super) struct ServerState {
    pub(super) config: Arc<SocketIoConfig>,
    pub(super) namespaces: HashMap<Arc<str>, Arc<dyn AnyNamespace>>,
    pub(super) rate_limiter: Box<RateLimiterFactory>,
}
