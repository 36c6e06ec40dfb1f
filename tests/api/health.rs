//! Health endpoints.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;

use crate::support::{ApiServer, Backend, ScratchDatabase, TestUser, on_both_databases};

on_both_databases! {
    async fn a_server_that_serves_is_live_and_ready(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let answer = server.get(&TestUser::anonymous(), "/health/live").await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "status": "live"
            }
            "#) };
        let answer = server.get(&TestUser::anonymous(), "/health/ready").await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "status": "ready"
            }
            "#) };
        let short = server.http.get(format!("{}/health", server.url)).send().await.unwrap();
        assert_eq!((short.status(), short.json::<serde_json::Value>().await.unwrap()), (answer.status, answer.body));
    }

    async fn a_newer_schema_leaves_the_server_ready(backend: Backend) {
        use sea_orm::ConnectionTrait;
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let connection = sea_orm::Database::connect(&database.url).await.unwrap();
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_newer', 0)";
        connection.execute_unprepared(newer).await.unwrap();
        connection.close().await.unwrap();
        assert_eq!(server.get(&TestUser::anonymous(), "/health/ready").await.status, StatusCode::OK);
        // A server that starts on it serves too.
        drop(server);
        let server = ApiServer::start(&database).await;
        assert_eq!(server.get(&TestUser::anonymous(), "/health/ready").await.status, StatusCode::OK);
    }

    async fn servers_that_start_together_on_a_new_database_all_serve(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let servers = futures_util::future::join_all((0..4).map(|_| ApiServer::start(&database))).await;
        for server in &servers {
            assert_eq!(server.get(&TestUser::anonymous(), "/health/ready").await.status, StatusCode::OK);
        }
    }

    async fn an_outdated_schema_makes_the_server_unready(backend: Backend) {
        use sea_orm::ConnectionTrait;
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let connection = sea_orm::Database::connect(&database.url).await.unwrap();
        connection.execute_unprepared("DELETE FROM seaql_migrations").await.unwrap();
        connection.close().await.unwrap();
        let answer = server.get(&TestUser::anonymous(), "/health/ready").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.message(), "The database's schema is not up to date");
        assert_eq!(answer.headers["retry-after"], "1");
    }
}

#[tokio::test]
async fn health_endpoints_answer_head() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    for path in ["/health/live", "/health/ready"] {
        let answer = server.request(reqwest::Method::HEAD, &TestUser::anonymous(), path).send(None).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, serde_json::json!("")), "{path}");
    }
}
