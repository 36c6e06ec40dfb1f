//! CORS: the configured origins may call REST and sockets, and read error answers too.

use actix_cors::Cors;
use actix_web::http::header::{ALLOW, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};

use super::request_id::X_REQUEST_ID;
use crate::config::CorsSettings;

/// Seconds for which a browser caches a preflight answer.
const MAX_AGE_SECONDS: usize = 3600;

/// Headers of our answers that a page cannot read without permission, and has a use for.
const EXPOSED_HEADERS: [HeaderName; 4] = [ALLOW, RETRY_AFTER, WWW_AUTHENTICATE, X_REQUEST_ID];

/// The middleware for these settings. Any method and header is allowed, because apps send a dozen of their own.
pub fn cors(settings: &CorsSettings) -> Cors {
    // A fixed list: `expose_any_header` collects the names from every answer, which costs more than the rest of CORS.
    let mut cors =
        Cors::default().allow_any_method().allow_any_header().expose_headers(EXPOSED_HEADERS).max_age(MAX_AGE_SECONDS);
    if settings.origins.iter().any(|origin| origin == "*") {
        cors = cors.allow_any_origin().send_wildcard();
    } else {
        for origin in &settings.origins {
            cors = cors.allowed_origin(origin);
        }
    }
    if settings.credentials { cors.supports_credentials() } else { cors }
}
