//! Liveness and readiness, for orchestrators.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Mutex;

use super::Api;
use super::endpoint::{Access, Endpoint, Tag};
use crate::api_error::{ApiError, Code};
use crate::database::DatabaseError;
use crate::migrations;

/// How long a successful check of the database is cached, so that anyone may ask at next to no cost.
const CACHE_TIME: Duration = Duration::from_secs(1);

const CANNOT_STORE: &str = "The database is read-only or full";

#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
}

/// The time of the last successful check of the database.
#[derive(Clone, Debug, Default)]
pub struct ReadinessCache(Arc<Mutex<Option<Instant>>>);

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::get("/health/live", live)
            .operation(Tag::Health, Access::Public, "live", "The process answers")
            .answers_bare::<Health>(200, "It is alive"),
        Endpoint::get("/health/ready", ready)
            .operation(Tag::Health, Access::Public, "ready", "The server accepts work")
            .answers_bare::<Health>(
                200,
                "The database is reachable and takes writes, its schema is up to date, and the server is not stopping",
            )
            .error(ApiError::new(Code::Unavailable, "The server is stopping"))
            .error(ApiError::new(Code::Unavailable, "The database cannot be reached"))
            .error(ApiError::new(Code::Unavailable, CANNOT_STORE)),
    ]
}

/// What people try first; answered as `/health/ready`, and not part of the document.
pub(super) fn short() -> Endpoint {
    Endpoint::get("/health", ready)
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live" })
}

async fn ready(api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let outcome = if api.drain.is_draining() {
        Err("The server is stopping")
    } else if !api.services.registry.is_running() {
        Err("The server must be restarted")
    } else if api.services.registry.cannot_store() {
        Err(CANNOT_STORE)
    } else {
        check_database(&api).await
    };
    match outcome {
        Ok(()) => Ok(HttpResponse::Ok().json(Health { status: "ready" })),
        Err(reason) => Err(ApiError::new(Code::Unavailable, reason)),
    }
}

/// Reads from the database and writes to it, one caller at a time: concurrent callers wait for its outcome.
async fn check_database(api: &Api) -> Result<(), &'static str> {
    let mut last = api.readiness.0.lock().await;
    if last.is_some_and(|at| at.elapsed() < CACHE_TIME) {
        return Ok(());
    }
    let outcome = match migrations::pending(&api.services.database).await {
        Ok(pending) if pending.is_empty() => check_writable(api).await,
        Ok(_) => Err("The database's schema is not up to date"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err("The database cannot be reached")
        }
    };
    // A failure is not cached: recovery shows at once.
    *last = outcome.is_ok().then(Instant::now);
    outcome
}

/// A write that is slow, or meets another one, is no reason not to serve.
async fn check_writable(api: &Api) -> Result<(), &'static str> {
    match api.nonces.check_writable(api.services.clock.now()).await {
        Ok(()) | Err(DatabaseError::TimedOut(_) | DatabaseError::Conflict(_)) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            match error {
                DatabaseError::CannotStore(_) => Err(CANNOT_STORE),
                _ => Err("The database cannot be reached"),
            }
        }
    }
}
