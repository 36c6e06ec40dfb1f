//! A server on a free port, in a thread of its own.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::thread::JoinHandle;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use switchboard::config::{Settings, Sources};
use switchboard::server::Server;
use tokio::sync::oneshot;

use super::documented;
use super::people::SECRET;
use super::{Person, TestDatabase};

pub(crate) const SEND: &str = "/api/v1/support/chat/send";
pub(crate) const MINE: &str = "/api/v1/support/conversations";
pub(crate) const QUEUE: &str = "/api/v1/unified-admin/support/conversations";

/// Stopped, and waited for, when dropped.
pub(crate) struct TestServer {
    pub(crate) url: String,
    pub(crate) http: Client,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, &[]).await
    }

    /// With settings as environment variables.
    pub(crate) async fn start_with(database: &TestDatabase, variables: &[(&str, &str)]) -> Self {
        let mut all: HashMap<String, String> = [
            ("PORT", "0"),
            ("JWT_SECRET", SECRET),
            ("DATABASE_URL", database.url.as_str()),
            ("SWITCHBOARD__SERVER__WORKERS", "2"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let (_, settings) = Settings::load(&Sources { folder: None, variables: all }).unwrap();
        let (started, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = Server::start(settings, true).await.unwrap();
                started.send(server.address()).unwrap();
                let _ = stopped.await;
                server.stop().await;
            });
        });
        let url = format!("http://{}", address.await.unwrap());
        Self { url, http: Client::new(), stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) async fn get(&self, person: &Person, path: &str) -> Answer {
        self.request(Method::GET, person, path).send(None).await
    }

    pub(crate) async fn post(&self, person: &Person, path: &str, body: Value) -> Answer {
        self.request(Method::POST, person, path).send(Some(body)).await
    }

    pub(crate) fn request(&self, method: Method, person: &Person, path: &str) -> Request {
        let request = self.http.request(method, format!("{}{path}", self.url));
        Request(if person.token.is_empty() { request } else { request.bearer_auth(&person.token) })
    }

    /// A conversation of this customer; its id.
    pub(crate) async fn conversation(&self, customer: &Person) -> String {
        let answer = self.post(customer, SEND, json!({ "message": "Hello" })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["data"]["conversation"]["id"].as_str().unwrap().to_owned()
    }

    /// Does something with a conversation as an agent: claim, reply, close.
    pub(crate) async fn agent_does(&self, agent: &Person, id: &str, action: &str, body: Option<Value>) -> Answer {
        self.request(Method::POST, agent, &format!("{QUEUE}/{id}/{action}")).send(body).await
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
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
        documented::check(&method, &path, status, &body);
        Answer { status, headers, body }
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Status, the headers that matter and the body, with what differs from run to run replaced, for a snapshot.
    pub(crate) fn shown(&self) -> String {
        let mut shown = self.status.to_string();
        for name in ["allow", "retry-after", "www-authenticate", "content-type"] {
            if let Some(value) = self.headers.get(name) {
                write!(shown, "\n{name}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        let mut body = self.body.clone();
        redact(&mut body);
        write!(shown, "\n\n{}", serde_json::to_string_pretty(&body).unwrap()).unwrap();
        shown
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// Ids and moments differ from run to run; that they have their form is looked at here.
fn redact(value: &mut Value) {
    match value {
        Value::String(text) if text.len() == 36 && uuid::Uuid::parse_str(text).is_ok() => *text = "[id]".to_owned(),
        Value::String(text) if is_ticket_number(text) => text.replace_range(4..8, "year"),
        Value::String(text) if is_moment(text) => *text = "[moment]".to_owned(),
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => fields.values_mut().for_each(redact),
        _ => {}
    }
}

/// ISO 8601, UTC, with milliseconds and `Z`.
fn is_moment(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// `SMI-2026-000001`; a year later it is another.
fn is_ticket_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], ["SMI", year, number] if (year.len(), number.len()) == (4, 6))
}
