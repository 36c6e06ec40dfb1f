//! How one operation is written down. What every operation of a kind shares — who may call, what is answered to a bad
//! body, what an error looks like — is said here once.

#![expect(
    clippy::indexing_slicing,
    reason = "by key into JSON objects made here: one that is read gives null, one that is written is put in"
)]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::api::error::ErrorBody;
use crate::api_error::{ApiError, Code, FieldError};
use crate::domain::Refusal;
use crate::identity::RequestRefusal;
use crate::json_schema::Schemas;

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Anybody.
    Anybody,
    /// Whoever has a token.
    Customer,
    /// An agent.
    Agent,
    /// Whoever has a token, and without one whoever passes the guard.
    Guest,
}

/// The document while it is written.
pub(super) struct Draft {
    schemas: Schemas,
    paths: BTreeMap<String, Map<String, Value>>,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self { schemas: Schemas::new(), paths: BTreeMap::new() }
    }

    /// Begins an operation; it is in the document when it is [`Operation::done`].
    pub(super) fn operation(&mut self, tag: &'static str, who: Who, id: &str, summary: &str) -> Operation<'_> {
        let mut operation = Operation {
            schemas: &mut self.schemas,
            paths: &mut self.paths,
            written: Map::new(),
            parameters: Vec::new(),
            answer: None,
            failures: BTreeMap::new(),
        };
        operation.say("tags", json!([tag]));
        operation.say("operationId", json!(id));
        operation.say("summary", json!(summary));
        operation.called_by(who)
    }

    /// The paths and the shapes that they name.
    pub(super) fn finish(mut self) -> (Value, Map<String, Value>) {
        self.schemas.sent::<ErrorBody<'_>>();
        (json!(self.paths), self.schemas.definitions())
    }
}

/// One method of one path.
pub(super) struct Operation<'a> {
    schemas: &'a mut Schemas,
    paths: &'a mut BTreeMap<String, Map<String, Value>>,
    written: Map<String, Value>,
    parameters: Vec<Value>,
    answer: Option<(u16, Value)>,
    failures: BTreeMap<u16, Vec<ApiError>>,
}

impl Operation<'_> {
    fn say(&mut self, key: &str, value: Value) {
        self.written.insert(key.to_owned(), value);
    }

    fn called_by(mut self, who: Who) -> Self {
        let bearer = json!({ "token": [] });
        match who {
            Who::Anybody => {
                self.say("security", json!([]));
                return self;
            }
            Who::Customer => self.say("security", json!([bearer])),
            Who::Agent => {
                self.say("security", json!([bearer]));
                self = self.fails(ApiError::new(Code::Forbidden, "Admin access required"));
            }
            Who::Guest => {
                self.say("security", json!([{}, bearer]));
                self = self.guarded();
            }
        }
        if who != Who::Guest {
            self = self.fails(ApiError::unauthorized());
        }
        self.fails(ApiError::unavailable())
    }

    /// What the guard asks of people without an account (`decisions.md`, "People without an account").
    fn guarded(mut self) -> Self {
        const HEADERS: [(&str, &str); 7] = [
            ("x-device-id", "Needed without a token where guard.mode is `device` or `signed`"),
            ("x-device-fingerprint", "Likewise"),
            ("x-request-id", "Likewise"),
            ("x-timestamp", "Milliseconds since 1970; needed without a token where guard.mode is `signed`"),
            ("x-nonce", "10 characters or more, never used before; likewise"),
            ("x-signature-version", "`v1`; likewise"),
            (
                "x-signature",
                "Hex HMAC-SHA256 of `v1:METHOD:path:timestamp:nonce:hex(sha256(body))` under guard.secret; likewise",
            ),
        ];
        for (name, description) in HEADERS {
            self = self.header(name, description);
        }
        for refusal in [RequestRefusal::Expired, RequestRefusal::Signature, RequestRefusal::NonceUsed] {
            self = self.fails(refusal.into());
        }
        self.limited()
    }

    fn header(mut self, name: &str, description: &str) -> Self {
        self.parameters
            .push(json!({ "name": name, "in": "header", "description": description, "schema": { "type": "string" } }));
        self
    }

    /// It may be asked too often.
    fn limited(self) -> Self {
        self.fails(ApiError { retry_after: Some(1), ..ApiError::rate_limited() })
    }

    /// It is a send: it happens once under its name, and counts within the limit of sends.
    pub(super) fn send(self) -> Self {
        self.header("idempotency-key", "As `client_message_id` in the body, at most 64 characters")
            .refuses([Refusal::ClientMessageIdReused])
            .limited()
    }

    /// The device data that is taken from headers where the body has none.
    pub(super) fn device(mut self) -> Self {
        for name in ["x-device-name", "x-device-model", "platform", "x-os-name", "x-os-version", "x-app-version"] {
            self = self.header(name, "Of the device, where the body has no `device_metadata`");
        }
        self
    }

    /// A part of the path.
    pub(super) fn part(mut self, name: &str, description: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": description, "schema": { "type": "string" },
        }));
        self
    }

    /// The keys of a query string.
    pub(super) fn query<T: JsonSchema>(self) -> Self {
        self.keys::<T>(|_| true)
    }

    /// Some of them.
    pub(super) fn keys<T: JsonSchema>(mut self, wanted: impl Fn(&str) -> bool) -> Self {
        for (name, schema, required) in self.schemas.keys::<T>() {
            if wanted(&name) {
                self.parameters.push(json!({ "name": name, "in": "query", "required": required, "schema": schema }));
            }
        }
        let field =
            FieldError { field: "limit".into(), message: "limit must be a whole number of at least 1".to_owned() };
        self.fails(ApiError::validation(vec![field]))
    }

    /// The body that it wants, with an example.
    pub(super) fn takes<T: JsonSchema>(mut self, example: Value) -> Self {
        let schema = self.schemas.received::<T>();
        let content = json!({ "application/json": { "schema": schema, "examples": { "one": { "value": example } } } });
        self.say("requestBody", json!({ "required": true, "content": content }));
        self.fails(ApiError::new(Code::ValidationError, "The request body is not valid JSON"))
            .fails(ApiError::new(Code::PayloadTooLarge, "The request body must be at most 262144 bytes"))
            .fails(ApiError::new(Code::UnsupportedMediaType, "The request body must be application/json"))
    }

    /// What it answers when all is well: the envelope around `T`, under one of these messages.
    pub(super) fn answers<T: JsonSchema>(self, status: u16, messages: &[&str]) -> Self {
        self.answers_with::<T>(status, messages, &[])
    }

    /// Likewise, with examples of `T` by their names.
    pub(super) fn answers_with<T: JsonSchema>(
        mut self,
        status: u16,
        messages: &[&str],
        examples: &[(&str, Value)],
    ) -> Self {
        let data = self.schemas.sent::<T>();
        let schema = json!({
            "type": "object",
            "properties": {
                "success": { "const": true }, "message": { "type": "string", "enum": messages }, "data": data,
            },
            "required": ["success", "message", "data"],
            "additionalProperties": false,
        });
        let examples: Map<String, Value> = examples
            .iter()
            .map(|(name, data)| {
                let value = json!({ "success": true, "message": messages.first(), "data": data });
                ((*name).to_owned(), json!({ "value": value }))
            })
            .collect();
        self.answer = Some((status, answer(&messages.join(", "), &schema, examples)));
        self
    }

    /// What it answers where there is no envelope.
    pub(super) fn answers_bare<T: JsonSchema>(mut self, status: u16, description: &str) -> Self {
        let schema = self.schemas.sent::<T>();
        self.answer = Some((status, answer(description, &schema, Map::new())));
        self
    }

    /// What the rules forbid.
    pub(super) fn refuses(mut self, refusals: impl IntoIterator<Item = Refusal>) -> Self {
        for refusal in refusals {
            self = self.fails(refusal.into());
        }
        self
    }

    /// What else may go wrong.
    pub(super) fn fails(mut self, failure: ApiError) -> Self {
        let known = self.failures.entry(failure.code.status()).or_default();
        if !known.contains(&failure) {
            known.push(failure);
        }
        self
    }

    /// It is there for apps from before.
    pub(super) fn deprecated(mut self) -> Self {
        self.say("deprecated", Value::Bool(true));
        self
    }

    /// Puts it into the document.
    pub(super) fn done(mut self, method: &str, path: &str) {
        let mut responses: Map<String, Value> =
            self.failures.iter().map(|(status, failures)| (status.to_string(), refusal(*status, failures))).collect();
        if let Some((status, answer)) = self.answer.take() {
            responses.insert(status.to_string(), answer);
        }
        self.say("responses", Value::Object(responses));
        let parameters = std::mem::take(&mut self.parameters);
        self.say("parameters", Value::Array(parameters));
        self.paths.entry(path.to_owned()).or_default().insert(method.to_owned(), Value::Object(self.written));
    }
}

fn answer(description: &str, schema: &Value, examples: Map<String, Value>) -> Value {
    let mut content = json!({ "schema": schema });
    if !examples.is_empty() {
        content["examples"] = Value::Object(examples);
    }
    json!({
        "description": description,
        "headers": { "x-request-id": { "$ref": "#/components/headers/RequestId" } },
        "content": { "application/json": content },
    })
}

/// An error answer: one shape, of which this status has these codes.
fn refusal(status: u16, failures: &[ApiError]) -> Value {
    let mut codes: Vec<&str> = failures.iter().map(|failure| failure.code.as_str()).collect();
    codes.dedup();
    let schema = json!({
        "allOf": [{ "$ref": "#/components/schemas/Error" }],
        "properties": { "statusCode": { "const": status }, "code": { "enum": codes } },
    });
    let mut examples = Map::new();
    for failure in failures {
        let name = format!("{}{}", failure.code.as_str().to_lowercase(), examples.len() + 1);
        examples.insert(name, json!({ "summary": failure.message, "value": ErrorBody::new(failure) }));
    }
    let description = failures.iter().map(|failure| failure.message.as_ref()).collect::<Vec<_>>().join("\n\n");
    let mut written = answer(&description, &schema, examples);
    if failures.iter().any(|failure| failure.code.is_retryable()) {
        written["headers"]["retry-after"] = json!({ "$ref": "#/components/headers/RetryAfter" });
    }
    if status == Code::Unauthorized.status() {
        written["headers"]["www-authenticate"] = json!({ "$ref": "#/components/headers/Challenge" });
    }
    written
}
