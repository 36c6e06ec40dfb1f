//! What an orchestrator asks: whether the server is alive, and whether it may be sent work.

use actix_web::{HttpResponse, web};
use migration::{Migrator, MigratorTrait};
use serde::Serialize;

use super::Api;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// `GET /health/live`: the process answers.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live", reason: None })
}

/// `GET /health/ready`: the database is reachable, its schema is up to date, and the server is not going away.
pub(super) async fn ready(api: web::Data<Api>) -> HttpResponse {
    let unready = |reason| HttpResponse::ServiceUnavailable().json(Health { status: "unready", reason: Some(reason) });
    if api.readiness.is_draining() {
        return unready("the server is stopping");
    }
    let pending = api
        .database
        .read(async |connection| Migrator::get_pending_migrations(&connection).await.map(|pending| pending.len()))
        .await;
    match pending {
        Ok(0) => HttpResponse::Ok().json(Health { status: "ready", reason: None }),
        Ok(_) => unready("the database's schema is not up to date"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            unready("the database cannot be reached")
        }
    }
}
