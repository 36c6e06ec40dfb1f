//! CORS: the configured origins may call REST and sockets, and read error answers too.

use actix_cors::Cors;

use crate::config::CorsSettings;

/// Seconds for which a browser caches a preflight answer.
const MAX_AGE_SECONDS: usize = 3600;

/// The middleware for these settings. Any method and header is allowed, because apps send a dozen of their own.
pub fn cors(settings: &CorsSettings) -> Cors {
    let mut cors = Cors::default().allow_any_method().allow_any_header().expose_any_header().max_age(MAX_AGE_SECONDS);
    if settings.origins.iter().any(|origin| origin == "*") {
        cors = cors.allow_any_origin().send_wildcard();
    } else {
        for origin in &settings.origins {
            cors = cors.allowed_origin(origin);
        }
    }
    if settings.credentials { cors.supports_credentials() } else { cors }
}
