//! A database that is read-only or full, or has another encoding: writes get a 503 that may be repeated, `/health/ready`
//! shows it, and no request is answered 500.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use url::Url;

use crate::support::{
    ADD_MESSAGE, CREATE_TICKET, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, ServerOptions, TICKETS, TestServer,
    TestUser, ticket_body,
};
use switchboard_testkit::PostgresCluster;

const GUEST_SEND: &str = "/api/v1/support/chat/send-unauthenticated";
const CANNOT_STORE: &str = "The database is read-only or full";

struct Client503 {
    http: Client,
    url: String,
}

impl Client503 {
    fn request(&self, method: Method, user: &TestUser, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        if user.token.is_empty() { request } else { request.bearer_auth(&user.token) }
    }

    async fn post(&self, user: &TestUser, path: &str, body: Value) -> (StatusCode, Value, Option<u64>) {
        let answer = self.request(Method::POST, user, path).json(&body).send().await.unwrap();
        let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
        (answer.status(), answer.json().await.unwrap(), retry_after)
    }

    async fn ready(&self) -> (StatusCode, String) {
        let answer = self.http.get(format!("{}/health/ready", self.url)).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        (status, body["message"].as_str().unwrap_or_default().to_owned())
    }

    /// Readiness is checked once a second, and a failed commit is remembered for a few seconds.
    async fn wait_until_ready_is(&self, status: StatusCode) -> String {
        loop {
            let (found, message) = self.ready().await;
            if found == status {
                return message;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A conversation with a ticket, to write to while nothing can be stored.
struct Written {
    conversation: String,
    ticket: Value,
}

async fn write(client: &Client503) -> Written {
    let john = TestUser::customer("john");
    let (status, opened, _) = client.post(&john, SEND, json!({ "message": "Hello" })).await;
    assert_eq!(status, StatusCode::CREATED, "{opened}");
    let (status, created, _) = client.post(&john, CREATE_TICKET, ticket_body("x")).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let conversation = opened["data"]["conversation"]["id"].as_str().unwrap().to_owned();
    Written { conversation, ticket: created["data"]["ticket"].clone() }
}

/// Every kind of write is a 503 with `Retry-After`; reads are served.
async fn assert_writes_are_unavailable(client: &Client503, written: &Written) {
    let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
    let id = &written.conversation;
    let number = &written.ticket["ticket_number"];
    for round in 0..3 {
        for (user, path, body) in [
            (&john, SEND.to_owned(), json!({ "message": "x" })),
            (&john, SEND.to_owned(), json!({ "message": "x", "conversation_id": id })),
            (&sarah, format!("{QUEUE}/{id}/reply"), json!({ "message": "x" })),
            (&sarah, format!("{QUEUE}/{id}/claim"), json!({})),
            (&sarah, format!("{QUEUE}/{id}/close"), json!({})),
            (&john, CREATE_TICKET.to_owned(), ticket_body("y")),
            (&john, ADD_MESSAGE.to_owned(), json!({ "ticket_number": number, "message": "x" })),
            (&john, "/api/help-center/messages".to_owned(), json!({ "text": "x" })),
            (&TestUser::anonymous(), GUEST_SEND.to_owned(), json!({ "message": "x", "email": "jane@example.com" })),
        ] {
            let (status, answer, retry_after) = client.post(user, &path, body).await;
            assert_eq!(
                (status, &answer["code"]),
                (StatusCode::SERVICE_UNAVAILABLE, &json!("UNAVAILABLE")),
                "{path} {round}: {answer}"
            );
            assert!(retry_after.is_some_and(|seconds| seconds > 0), "{path}");
        }
    }
    for (user, path) in
        [(&john, MY_CONVERSATIONS.to_owned()), (&sarah, format!("{QUEUE}/{id}")), (&sarah, TICKETS.to_owned())]
    {
        assert_eq!(client.request(Method::GET, user, &path).send().await.unwrap().status(), StatusCode::OK, "{path}");
    }
}

/// After the database takes writes again, everything continues, and nothing that was refused is there twice.
async fn assert_recovers(client: &Client503, written: &Written) {
    client.wait_until_ready_is(StatusCode::OK).await;
    let john = TestUser::customer("john");
    let body = json!({ "message": "Again", "conversation_id": written.conversation });
    let (status, answer, _) = client.post(&john, SEND, body).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let path = format!("{MY_CONVERSATIONS}/{}", written.conversation);
    let seen: Value = client.request(Method::GET, &john, &path).send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["data"]["conversation"]["total_messages"], 2);
}

/// Runs a statement on another database of the server, and ends the connections to this one, which take the change then.
async fn reconfigure(database: &ScratchDatabase, change: &str) {
    let url = Url::parse(&database.url).unwrap();
    let name = url.path().trim_start_matches('/').to_owned();
    let maintenance = sea_orm::Database::connect(PostgresCluster::shared().url().as_str()).await.unwrap();
    let terminate = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    for statement in [format!("ALTER DATABASE {name} {change}"), terminate] {
        maintenance.execute_unprepared(&statement).await.unwrap();
    }
    maintenance.close().await.unwrap();
}

#[tokio::test]
async fn a_read_only_postgresql_is_shown_and_nothing_is_answered_500() {
    let database = ScratchDatabase::postgres(&PostgresCluster::shared()).await;
    let server = TestServer::start(&ServerOptions::new(&database)).await.unwrap();
    let client = Client503 { http: Client::new(), url: server.url() };
    let written = write(&client).await;
    assert_eq!(client.ready().await.0, StatusCode::OK);
    reconfigure(&database, "SET default_transaction_read_only = on").await;
    assert_eq!(client.wait_until_ready_is(StatusCode::SERVICE_UNAVAILABLE).await, CANNOT_STORE);
    assert_writes_are_unavailable(&client, &written).await;
    assert_eq!(client.ready().await, (StatusCode::SERVICE_UNAVAILABLE, CANNOT_STORE.to_owned()));
    reconfigure(&database, "RESET default_transaction_read_only").await;
    assert_recovers(&client, &written).await;
}

/// The guard stores nonces past the journal.
#[tokio::test]
async fn a_signed_call_to_a_read_only_postgresql_is_a_503() {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::{Digest as _, Sha256};
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let database = ScratchDatabase::postgres(&PostgresCluster::shared()).await;
    let options = ServerOptions::new(&database)
        .set_all(&[("SWITCHBOARD__GUARD__MODE", "signed"), ("SWITCHBOARD__GUARD__SECRET", SECRET)]);
    let server = TestServer::start(&options).await.unwrap();
    let client = Client503 { http: Client::new(), url: server.url() };
    reconfigure(&database, "SET default_transaction_read_only = on").await;
    client.wait_until_ready_is(StatusCode::SERVICE_UNAVAILABLE).await;
    let body = json!({ "message": "x", "email": "jane@example.com" }).to_string();
    let (timestamp, nonce) = (chrono::Utc::now().timestamp_millis(), "0123456789abcdef");
    let signed = format!("v1:POST:{GUEST_SEND}:{timestamp}:{nonce}:{}", hex::encode(Sha256::digest(&body)));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let answer = client
        .request(Method::POST, &TestUser::anonymous(), GUEST_SEND)
        .header("content-type", "application/json")
        .header("x-device-id", "d")
        .header("x-device-fingerprint", "f")
        .header("x-request-id", "r")
        .header("x-timestamp", timestamp.to_string())
        .header("x-nonce", nonce)
        .header("x-signature-version", "v1")
        .header("x-signature", hex::encode(mac.finalize().into_bytes()))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
}

/// The codes of a full disk and of a standby, as PostgreSQL reports them.
#[tokio::test]
async fn a_full_postgresql_is_shown_and_nothing_is_answered_500() {
    let database = ScratchDatabase::postgres(&PostgresCluster::shared()).await;
    let server = TestServer::start(&ServerOptions::new(&database)).await.unwrap();
    let client = Client503 { http: Client::new(), url: server.url() };
    let written = write(&client).await;
    let hand = database.connection().await;
    let function = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$";
    hand.execute_unprepared(function).await.unwrap();
    for table in ["conversations", "messages", "conversation_events", "tickets"] {
        let trigger = format!(
            "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()"
        );
        hand.execute_unprepared(&trigger).await.unwrap();
    }
    assert_writes_are_unavailable(&client, &written).await;
    assert_eq!(client.ready().await, (StatusCode::SERVICE_UNAVAILABLE, CANNOT_STORE.to_owned()));
    hand.execute_unprepared("DROP FUNCTION full_disk CASCADE").await.unwrap();
    assert_recovers(&client, &written).await;
}

/// The process may not write, as on a full disk.
#[tokio::test]
async fn a_full_disk_under_sqlite_is_shown_and_nothing_is_answered_500() {
    let database = ScratchDatabase::sqlite();
    let binary = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    let server = TestServer::spawn(binary, &ServerOptions::new(&database)).await.unwrap();
    let client = Client503 { http: Client::new(), url: server.url() };
    let written = write(&client).await;
    let allow = |limit: &str| {
        let pid = format!("--pid={}", server.pid());
        assert!(Command::new("prlimit").args([pid, format!("--fsize={limit}:")]).status().unwrap().success());
    };
    allow("4096");
    assert_writes_are_unavailable(&client, &written).await;
    assert_eq!(client.wait_until_ready_is(StatusCode::SERVICE_UNAVAILABLE).await, CANNOT_STORE);
    allow("unlimited");
    assert_recovers(&client, &written).await;
}

#[tokio::test]
async fn a_postgresql_database_that_is_not_utf8_is_refused_at_the_start() {
    let maintenance = PostgresCluster::shared();
    let hand = sea_orm::Database::connect(maintenance.url().as_str()).await.unwrap();
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let name = format!("encoded_{}", uuid::Uuid::now_v7().simple());
        let create =
            format!("CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
        hand.execute_unprepared(&create).await.unwrap();
        let mut url = maintenance.url().clone();
        url.set_path(&name);
        let failure = TestServer::start(&ServerOptions::with_database_url(url.as_str())).await.map(drop).unwrap_err();
        assert!(failure.log.contains(&format!("its encoding is {encoding}, and it must be UTF8")), "{}", failure.log);
        hand.execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
    }
}
