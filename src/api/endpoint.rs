//! An endpoint, described once: [`super::routes`] mounts it and [`super::openapi`] documents it.
//!
//! Each handler has its [`Endpoint`] right above it. Facts that hold for every endpoint of a kind — who may call, how a
//! bad body is answered — are added by the builder methods here, so that a description names only what is particular.

use std::collections::BTreeMap;

use actix_web::dev::Handler;
use actix_web::http::Method;
use actix_web::{FromRequest, Responder, Route, web};
use schemars::JsonSchema;
use serde_json::Value;

use crate::api_error::{ApiError, Code, FieldError};
use crate::domain::Refusal;
use crate::identity::RequestRefusal;
use crate::json_schema::{QueryKey, SchemaFn, Schemas};

/// One method of one path.
pub(super) struct Endpoint {
    pub(super) method: Method,
    /// In actix's syntax, which is OpenAPI's: `/conversations/{id}`.
    pub(super) path: &'static str,
    /// Makes the route; each worker mounts its own.
    pub(super) route: Box<dyn Fn() -> Route>,
    pub(super) operation: OperationDescription,
}

/// What the OpenAPI document contains about an endpoint.
#[derive(Default)]
pub(super) struct OperationDescription {
    pub(super) tag: Tag,
    pub(super) access: Access,
    /// Whether it serves guests' tokens, too.
    pub(super) serves_guests: bool,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) is_deprecated: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) request: Option<RequestDescription>,
    pub(super) response: Option<ResponseDescription>,
    /// By HTTP status, in the order in which they were added.
    pub(super) errors: BTreeMap<u16, Vec<ApiError>>,
}

/// A parameter, or the keys of a query string.
pub(super) enum Parameter {
    Header {
        name: &'static str,
        description: &'static str,
    },
    Path {
        name: &'static str,
        description: &'static str,
    },
    Query {
        keys: fn(&mut Schemas) -> Vec<QueryKey>,
        /// A key that this endpoint does not read.
        except: Option<&'static str>,
    },
}

/// A JSON body that the endpoint reads.
pub(super) struct RequestDescription {
    pub(super) schema: SchemaFn,
    pub(super) example: Value,
    pub(super) is_required: bool,
}

/// The answer of a success.
pub(super) struct ResponseDescription {
    pub(super) status: u16,
    pub(super) schema: SchemaFn,
    pub(super) body: ResponseBody,
}

/// Whether the data is wrapped.
pub(super) enum ResponseBody {
    /// In the envelope, with one of these messages; examples are of the data, by their names.
    Enveloped { messages: &'static [&'static str], examples: Vec<(&'static str, Value)> },
    /// The data alone.
    Bare { description: &'static str },
}

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone, without a token.
    #[default]
    Public,
    /// A caller with a token.
    Customer,
    /// An agent.
    Agent,
    /// A caller with a token, or one without an account that passes the guard.
    Guest,
}

/// The chapter of the document that an endpoint is listed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tag {
    Customers,
    Guests,
    CustomerTickets,
    Agents,
    AgentTickets,
    HelpCenter,
    #[default]
    Health,
}

impl Tag {
    /// All chapters, in the document's order.
    pub(super) const ALL: [Self; 7] = [
        Self::Customers,
        Self::Guests,
        Self::CustomerTickets,
        Self::Agents,
        Self::AgentTickets,
        Self::HelpCenter,
        Self::Health,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Customers => "Customers",
            Self::Guests => "Guests",
            Self::CustomerTickets => "Customers' tickets",
            Self::Agents => "Agents",
            Self::AgentTickets => "Agents' tickets",
            Self::HelpCenter => "Help center",
            Self::Health => "Health",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Customers => "A customer's conversations",
            Self::Guests => "For people without an account, protected by the guard",
            Self::CustomerTickets => "A customer's tickets, for apps that predate conversations",
            Self::Agents => "The agents' queue",
            Self::AgentTickets => "Tickets, as agents work on them",
            Self::HelpCenter => "One conversation per customer, answered without an envelope",
            Self::Health => "For orchestrators",
        }
    }
}

impl Endpoint {
    pub(super) fn get<F, Args>(path: &'static str, handler: F) -> Self
    where
        F: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        Self::new(Method::GET, path, handler)
    }

    pub(super) fn post<F, Args>(path: &'static str, handler: F) -> Self
    where
        F: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        Self::new(Method::POST, path, handler)
    }

    pub(super) fn put<F, Args>(path: &'static str, handler: F) -> Self
    where
        F: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        Self::new(Method::PUT, path, handler)
    }

    fn new<F, Args>(method: Method, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        let route = Box::new(move || web::route().to(handler.clone()));
        Self { method, path, route, operation: OperationDescription::default() }
    }

    /// Names the operation and its callers, and adds the errors that follow from the latter.
    pub(super) fn operation(self, tag: Tag, access: Access, id: &'static str, summary: &'static str) -> Self {
        let endpoint = Self { operation: OperationDescription { tag, access, id, summary, ..self.operation }, ..self };
        // What an account reads is limited: see `reading`.
        let endpoint = match (&endpoint.method, access) {
            (&Method::GET, Access::Customer | Access::Agent) => endpoint.rate_limited(),
            _ => endpoint,
        };
        match access {
            Access::Public => endpoint,
            Access::Customer => endpoint.error(ApiError::unauthorized()).error(ApiError::unavailable()),
            Access::Agent => endpoint
                .error(ApiError::new(Code::Forbidden, "Admin access required"))
                .error(ApiError::unauthorized())
                .error(ApiError::unavailable()),
            Access::Guest => endpoint.guarded().error(ApiError::unavailable()),
        }
    }

    /// The headers and errors of the guard (`decisions.md`, "People without an account").
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
            self = self.error(refusal.into());
        }
        self.rate_limited()
    }

    fn header(mut self, name: &'static str, description: &'static str) -> Self {
        self.operation.parameters.push(Parameter::Header { name, description });
        self
    }

    /// It is counted within a limit.
    pub(super) fn rate_limited(self) -> Self {
        self.error(ApiError { retry_after: Some(1), ..ApiError::rate_limited() })
    }

    /// Serves, besides its other callers, guests with a token for the conversation or ticket (`additions.md`, 6), within the
    /// limits of guests.
    pub(super) fn serves_guests(mut self) -> Self {
        self.operation.serves_guests = true;
        self.rate_limited()
    }

    /// It posts a message: idempotent under the client's key, and counted within the limit of sends.
    pub(super) fn posts_message(self) -> Self {
        self.header("idempotency-key", "As `client_message_id` in the body, at most 64 characters")
            .refusals([Refusal::ClientMessageIdReused])
            .rate_limited()
    }

    /// The headers that describe the device if the body does not.
    pub(super) fn device_headers(mut self) -> Self {
        for name in ["x-device-name", "x-device-model", "platform", "x-os-name", "x-os-version", "x-app-version"] {
            self = self.header(name, "Of the device, where the body has no `device_metadata`");
        }
        self
    }

    /// A segment of the path, `{name}`.
    pub(super) fn path_parameter(mut self, name: &'static str, description: &'static str) -> Self {
        self.operation.parameters.push(Parameter::Path { name, description });
        self
    }

    /// The keys of a query string.
    pub(super) fn query<T: JsonSchema>(self) -> Self {
        self.query_keys(Parameter::Query { keys: Schemas::query_keys::<T>, except: None })
    }

    /// The keys of a query string without `except`, which another endpoint reads.
    pub(super) fn query_except<T: JsonSchema>(self, except: &'static str) -> Self {
        self.query_keys(Parameter::Query { keys: Schemas::query_keys::<T>, except: Some(except) })
    }

    fn query_keys(mut self, keys: Parameter) -> Self {
        self.operation.parameters.push(keys);
        let message = "limit must be a whole number of at least 1".to_owned();
        self.error(ApiError::validation(vec![FieldError { field: "limit".into(), message }]))
    }

    /// The JSON body, with an example.
    pub(super) fn body<T: JsonSchema>(mut self, example: Value) -> Self {
        self.operation.request =
            Some(RequestDescription { schema: Schemas::deserialized::<T>, example, is_required: true });
        self.error(ApiError::new(Code::ValidationError, "The request body is not valid JSON"))
            .error(ApiError::new(Code::RequestTimeout, "The request's body did not arrive in time"))
            .error(ApiError::new(Code::PayloadTooLarge, "The request body must be at most 262144 bytes"))
            .error(ApiError::new(Code::UnsupportedMediaType, "The request body must be application/json"))
    }

    /// As [`Self::body`], for a request that may come without one.
    pub(super) fn optional_body<T: JsonSchema>(self, example: Value) -> Self {
        let mut endpoint = self.body::<T>(example);
        if let Some(request) = &mut endpoint.operation.request {
            request.is_required = false;
        }
        endpoint
    }

    /// The data of a success, in the envelope with one of these messages.
    pub(super) fn answers<T: JsonSchema>(self, status: u16, messages: &'static [&'static str]) -> Self {
        self.answers_with::<T>(status, messages, Vec::new())
    }

    /// As [`Self::answers`], with examples of the data by their names.
    pub(super) fn answers_with<T: JsonSchema>(
        self,
        status: u16,
        messages: &'static [&'static str],
        examples: Vec<(&'static str, Value)>,
    ) -> Self {
        self.response::<T>(status, ResponseBody::Enveloped { messages, examples })
    }

    /// The body of a success without an envelope.
    pub(super) fn answers_bare<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.response::<T>(status, ResponseBody::Bare { description })
    }

    fn response<T: JsonSchema>(mut self, status: u16, body: ResponseBody) -> Self {
        self.operation.response = Some(ResponseDescription { status, schema: Schemas::serialized::<T>, body });
        self
    }

    /// Refusals of the domain.
    pub(super) fn refusals(mut self, refusals: impl IntoIterator<Item = Refusal>) -> Self {
        for refusal in refusals {
            self = self.error(refusal.into());
        }
        self
    }

    /// Another error.
    pub(super) fn error(mut self, error: ApiError) -> Self {
        let known = self.operation.errors.entry(error.code.status()).or_default();
        if !known.contains(&error) {
            known.push(error);
        }
        self
    }

    /// Kept for older apps.
    pub(super) fn deprecated(mut self) -> Self {
        self.operation.is_deprecated = true;
        self
    }
}
