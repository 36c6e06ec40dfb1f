//! `GET …/conversations?search=`.

use std::time::Duration;

use entity::{conversations, messages};
use reqwest::StatusCode;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, IntoActiveModel, Statement,
};
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use crate::support::{
    ApiServer, Backend, QUEUE, SEND, ScratchDatabase, TestUser, conversation_row, message_row, on_both_databases,
    user_row,
};

async fn found(server: &ApiServer, term: &str, more: &str) -> Vec<String> {
    let term: String = byte_serialize(term.as_bytes()).collect();
    let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?search={term}{more}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let found: Vec<String> = answer.body["data"]["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["user_id"].as_str().unwrap_or("guest").to_owned())
        .collect();
    assert_eq!(answer.body["data"]["meta"]["total"], found.len());
    found
}

async fn count(connection: &DatabaseConnection, table: &str) -> i64 {
    let statement =
        Statement::from_string(connection.get_database_backend(), format!("SELECT count(*) AS n FROM {table}"));
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// Waits until the search indexer has copied everything.
async fn copied(connection: &DatabaseConnection) {
    while connection.get_database_backend() == DbBackend::Postgres
        && count(connection, "unsearchable_messages").await + count(connection, "unsearchable_rows").await > 0
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both_databases! {
    async fn everything_that_agents_see_of_a_conversation_is_searched(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let connection = database.connection().await;
        let mut rows = [conversation_row("u-1", 1), conversation_row("u-2", 2), conversation_row("u-3", 3)];
        (rows[0].email, rows[0].phone_number) = (Some("Ann.Lee@mail.test".to_owned()), Some("+2348012345678".to_owned()));
        (rows[2].email, rows[2].phone_number) = (Some("x@y.zz".to_owned()), None);
        let mut user = user_row("u-2", false);
        (user.first_name, user.last_name) = (Some("José".to_owned()), Some("Okafor".to_owned()));
        (user.smipay_tag, user.email) = (Some("@bigjoe".to_owned()), Some("joe@other.test".to_owned()));
        user.into_active_model().insert(&connection).await.unwrap();
        let bodies = [
            message_row(&rows[2], 2, r"It is 100% sure_thing \o/ for ABC"),
            message_row(&rows[0], 2, "No surething, 100 times"),
            message_row(&rows[2], 3, "Ünïcode"),
        ];
        messages::Entity::insert_many(bodies.map(messages::Model::into_active_model)).exec_without_returning(&connection).await.unwrap();
        let rows = rows.map(conversations::Model::into_active_model);
        conversations::Entity::insert_many(rows).exec_without_returning(&connection).await.unwrap();
        let expectations = [
            ("ann.lee", vec!["u-1"]),
            ("ANN.LEE@MAIL", vec!["u-1"]),
            ("8012345", vec!["u-1"]),
            ("okafor", vec!["u-2"]),
            ("josé okafor", vec!["u-2"]),
            ("JOSÉ", vec!["u-2"]),
            ("@BigJoe", vec!["u-2"]),
            ("joe@other.test", vec!["u-2"]),
            ("surething", vec!["u-1"]),
            ("SURE_thing", vec!["u-3"]),
            ("100%", vec!["u-3"]),
            ("100", vec!["u-3", "u-1"]),
            ("%", vec!["u-3"]),
            ("_", vec!["u-3"]),
            (r"\", vec!["u-3"]),
            (r"\o/", vec!["u-3"]),
            ("bc", vec!["u-3"]),
            ("j", vec!["u-2"]),
            ("  abc  ", vec!["u-3"]),
            ("ünïcode", vec!["u-3"]),
            ("nowhere", vec![]),
            ("'; --", vec![]),
            // Across the boundary of two messages.
            ("abcün", vec![]),
        ];
        // New messages are searched directly, and later through the index.
        for has_been_copied in [false, true] {
            if has_been_copied {
                copied(&connection).await;
            }
            for (term, expected) in &expectations {
                assert_eq!(found(&server, term, "").await, *expected, "{term}, copied: {has_been_copied}");
            }
        }
        assert_eq!(found(&server, "100", "&user_id=u-1").await, ["u-1"]);
        assert_eq!(found(&server, "bc", "&user_id=u-1").await, [""; 0]);
        assert_eq!(found(&server, "100", "&limit=100&sort_order=asc").await, ["u-1", "u-3"]);
    }

    async fn a_message_and_a_note_are_found_as_soon_as_they_are_acknowledged(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        let (connection, mut number) = (database.connection().await, 0);
        // Longer than the indexer takes to copy them.
        while number < 20 || backend == Backend::Postgres && count(&connection, "searchable_texts").await < 3 {
            number += 1;
            let (word, noted) = (format!("word{number}x"), format!("noted{number}x"));
            server.post(&john, SEND, json!({ "message": word, "conversation_id": id })).await;
            assert_eq!(found(&server, &word, "").await, ["john"]);
            server.agent_action(&sarah, &id, "reply", Some(json!({ "message": noted, "is_internal": true }))).await;
            assert_eq!(found(&server, &noted, "").await, ["john"]);
        }
        assert_eq!(found(&server, "john@example.com", "").await, ["john"]);
    }
}

/// However many newer conversations there are.
#[tokio::test]
async fn a_short_term_finds_everything() {
    let database = ScratchDatabase::create(Backend::Postgres).await;
    let server = ApiServer::start(&database).await;
    let connection = database.connection().await;
    let rows: Vec<_> = (0..=1000).map(|at| conversation_row("ann", at)).collect();
    let (oldest, next) = (rows[0].clone(), rows[1].clone());
    conversations::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
        .exec_without_returning(&connection)
        .await
        .unwrap();
    for row in [&oldest, &next] {
        message_row(row, 2, "zq zqx 转账").into_active_model().insert(&connection).await.unwrap();
    }
    for has_been_copied in [false, true] {
        if has_been_copied {
            copied(&connection).await;
        }
        for term in ["zq", "q", "zqx", "转账", "账"] {
            assert_eq!(found(&server, term, "").await.len(), 2, "{term}, copied: {has_been_copied}");
        }
        let until = crate::support::minute(0).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        assert_eq!(found(&server, "zq", &format!("&date_to={until}")).await.len(), 1);
    }
}

/// A database role that may not create extensions: the migrations succeed, and search is slower.
#[tokio::test]
async fn without_trigrams_search_still_finds() {
    let database = ScratchDatabase::create(Backend::Postgres).await;
    let server = ApiServer::start(&database).await;
    let connection = database.connection().await;
    connection.execute_unprepared("DROP EXTENSION pg_trgm CASCADE").await.unwrap();
    let john = TestUser::customer("john");
    let id = server.open_conversation(&john).await;
    server.post(&john, SEND, json!({ "message": "needle", "conversation_id": id })).await;
    assert_eq!(found(&server, "NEEDLE", "").await, ["john"]);
}
