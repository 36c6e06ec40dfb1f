//! A server in this process and a REST client for it.

use std::fmt::Write as _;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use switchboard_testkit::OffsetClock;

use super::{QUEUE, SEND, ScratchDatabase, ServerOptions, TestServer, TestUser, api_document};

/// A server and a client. Every answer is checked against the OpenAPI document.
pub(crate) struct ApiServer {
    pub(crate) url: String,
    pub(crate) http: Client,
    #[expect(dead_code, reason = "dropping it stops the server")]
    server: TestServer,
}

impl ApiServer {
    pub(crate) async fn start(database: &ScratchDatabase) -> Self {
        Self::start_with(database, &[]).await
    }

    /// Starts a server with these environment variables.
    pub(crate) async fn start_with(database: &ScratchDatabase, variables: &[(&str, &str)]) -> Self {
        let server = TestServer::start(&ServerOptions::new(database).set_all(variables)).await.unwrap();
        Self { url: server.url(), http: Client::new(), server }
    }

    /// Starts a server with another clock.
    pub(crate) async fn start_with_clock(
        database: &ScratchDatabase,
        variables: &[(&str, &str)],
        clock: OffsetClock,
    ) -> Self {
        let options = ServerOptions::new(database).set_all(variables);
        let server = TestServer::start_with_clock(&options, clock).await.unwrap();
        Self { url: server.url(), http: Client::new(), server }
    }

    pub(crate) async fn get(&self, user: &TestUser, path: &str) -> Answer {
        self.request(Method::GET, user, path).send(None).await
    }

    pub(crate) async fn post(&self, user: &TestUser, path: &str, body: Value) -> Answer {
        self.request(Method::POST, user, path).send(Some(body)).await
    }

    pub(crate) fn request(&self, method: Method, user: &TestUser, path: &str) -> Request {
        let request = self.http.request(method, format!("{}{path}", self.url));
        Request(if user.token.is_empty() { request } else { request.bearer_auth(&user.token) })
    }

    /// Opens a conversation of this customer with the message "Hello". Returns its id.
    pub(crate) async fn open_conversation(&self, customer: &TestUser) -> String {
        let answer = self.post(customer, SEND, json!({ "message": "Hello" })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["data"]["conversation"]["id"].as_str().unwrap().to_owned()
    }

    /// An agent's action on a conversation: `claim`, `reply`, `close` and so on.
    pub(crate) async fn agent_action(&self, agent: &TestUser, id: &str, action: &str, body: Option<Value>) -> Answer {
        self.request(Method::POST, agent, &format!("{QUEUE}/{id}/{action}")).send(body).await
    }
}

pub(crate) struct Request(reqwest::RequestBuilder);

impl Request {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.body(body))
    }

    pub(crate) async fn send(self, body: Option<Value>) -> Answer {
        let request = match body {
            Some(body) => self.0.json(&body),
            None => self.0,
        };
        let (http, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = http.execute(request).await.unwrap();
        let status = response.status();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        api_document::check(&method, &path, status, &body);
        Answer { status, headers, body }
    }
}

/// An answer of the server; its body as text where it is not JSON.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The status, the relevant headers and the body for a snapshot. What differs between runs is redacted.
    pub(crate) fn snapshot(&self) -> String {
        let mut snapshot = self.status.to_string();
        for name in ["allow", "retry-after", "www-authenticate", "content-type"] {
            if let Some(value) = self.headers.get(name) {
                write!(snapshot, "\n{name}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        let mut body = self.body.clone();
        redact(&mut body);
        write!(snapshot, "\n\n{}", serde_json::to_string_pretty(&body).unwrap()).unwrap();
        snapshot
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// Replaces ids, timestamps and years of ticket numbers. What is not well-formed stays and fails the snapshot.
fn redact(value: &mut Value) {
    match value {
        Value::String(text) if text.len() == 36 && uuid::Uuid::parse_str(text).is_ok() => *text = "[id]".to_owned(),
        Value::String(text) if is_ticket_number(text) => text.replace_range(4..8, "year"),
        Value::String(text) if is_timestamp(text) => *text = "[timestamp]".to_owned(),
        Value::String(text) if is_token(text) => *text = "[token]".to_owned(),
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => fields.values_mut().for_each(redact),
        _ => {}
    }
}

/// ISO 8601 in UTC, with milliseconds and `Z`.
fn is_timestamp(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// A JWT.
fn is_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.split('.').count() == 3
}

/// Such as `SMI-2026-000001`.
fn is_ticket_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], ["SMI", year, number] if (year.len(), number.len()) == (4, 6))
}
