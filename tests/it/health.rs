//! What an orchestrator asks.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;

use crate::support::{Backend, Person, TestDatabase, TestServer, on_both_databases};

on_both_databases! {
    async fn a_server_that_serves_is_live_and_ready(backend: Backend) {
        let database = TestDatabase::create(backend).await;
        let server = TestServer::start(&database).await;
        let answer = server.get(&Person::nobody(), "/health/live").await;
        allow_duplicates! { assert_snapshot!(answer.shown(), @r#"
            200 OK
            content-type: application/json

            {
              "status": "live"
            }
            "#) };
        let answer = server.get(&Person::nobody(), "/health/ready").await;
        allow_duplicates! { assert_snapshot!(answer.shown(), @r#"
            200 OK
            content-type: application/json

            {
              "status": "ready"
            }
            "#) };
    }

    async fn a_schema_that_is_behind_makes_it_unready(backend: Backend) {
        use sea_orm::ConnectionTrait;
        let database = TestDatabase::create(backend).await;
        let server = TestServer::start(&database).await;
        let connection = sea_orm::Database::connect(&database.url).await.unwrap();
        connection.execute_unprepared("DELETE FROM seaql_migrations").await.unwrap();
        connection.close().await.unwrap();
        let answer = server.get(&Person::nobody(), "/health/ready").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.body["reason"], "the database's schema is not up to date");
    }
}
