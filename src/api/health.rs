//! What an orchestrator asks: whether the server is alive, and whether it may be sent work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Mutex;

use super::Api;
use crate::api_error::{ApiError, Code};
use crate::migrations;

/// How long it is taken for true that the database is well, so that a stranger's asking costs next to nothing.
const REMEMBERED: Duration = Duration::from_secs(1);

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub(super) struct Health {
    status: &'static str,
}

/// When the database last said that all is well.
#[derive(Clone, Debug, Default)]
pub struct LastLook(Arc<Mutex<Option<Instant>>>);

/// `GET /health/live`: the process answers.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live" })
}

/// `GET /health/ready`: the database is reachable, its schema is up to date, and the server is not going away.
pub(super) async fn ready(api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let outcome = if api.readiness.is_draining() {
        Err("The server is stopping")
    } else if !api.registry.is_running() {
        Err("The server must be restarted")
    } else {
        look(&api).await
    };
    match outcome {
        Ok(()) => Ok(HttpResponse::Ok().json(Health { status: "ready" })),
        Err(reason) => Err(ApiError::new(Code::Unavailable, reason)),
    }
}

/// One look at a time: who asks meanwhile waits for its outcome.
async fn look(api: &Api) -> Result<(), &'static str> {
    let mut last = api.last_look.0.lock().await;
    if last.is_some_and(|at| at.elapsed() < REMEMBERED) {
        return Ok(());
    }
    let outcome = match migrations::pending(&api.database).await {
        Ok(pending) if pending.is_empty() => Ok(()),
        Ok(_) => Err("The database's schema is not up to date"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err("The database cannot be reached")
        }
    };
    // Only what is well is remembered: recovery shows at once.
    *last = outcome.is_ok().then(Instant::now);
    outcome
}
