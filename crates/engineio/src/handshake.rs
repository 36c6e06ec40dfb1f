//! Classifies requests, refuses invalid ones, and encodes the open packet.
//!
//! Clients rely on the order of the checks: transport, then session id. Without a session id: method, upgrade header,
//! origin and the application's check, and only then the protocol version. With a session id the version is ignored.

use std::time::Duration;

use actix_web::http::header::{self, ContentType};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use url::form_urlencoded;

use crate::config::EngineConfig;
use crate::frame::{PacketWriter, SharedPacket};
use crate::registry::{Registry, SessionEntry};
use crate::session_id::SessionId;

/// A transport of Engine.IO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Polling,
    WebSocket,
}

/// What a valid request asks for.
pub(crate) enum RequestKind {
    /// A new session.
    Open(Transport),
    /// The packets queued for a polling session (GET).
    Poll(SessionEntry),
    /// To deliver packets to a polling session (POST).
    Post(SessionEntry),
    /// To move a polling session to a WebSocket.
    Upgrade(SessionEntry),
}

/// Why a request is refused. The texts are those of the reference server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Transport unknown")]
    UnknownTransport,
    #[error("Session ID unknown")]
    UnknownSession,
    #[error("Bad handshake method")]
    BadMethod,
    #[error("Bad request")]
    BadRequest,
    /// The application, the origin or a limit refuses the session.
    #[error("{0}")]
    Forbidden(String),
    #[error("Unsupported protocol version")]
    UnsupportedVersion,
}

impl Refusal {
    /// A refusal without a particular reason.
    pub(crate) fn forbidden() -> Self {
        Self::Forbidden("Forbidden".to_owned())
    }

    const fn code(&self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::UnknownSession => 1,
            Self::BadMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden(_) => 4,
            Self::UnsupportedVersion => 5,
        }
    }

    /// The response: JSON, or for an upgrade request text and the end of the connection.
    pub(crate) fn response(&self, upgrade: bool) -> HttpResponse {
        let message = self.to_string();
        if upgrade {
            return HttpResponse::BadRequest().force_close().insert_header(ContentType::html()).body(message);
        }
        #[derive(Serialize)]
        struct Body {
            code: u8,
            message: String,
        }
        let status = match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        HttpResponseBuilder::new(status)
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .json(Body { code: self.code(), message })
    }
}

/// The query parameters of the protocol. The last one of repeated parameters counts.
#[derive(Debug, Default)]
struct Parameters {
    transport: Option<Transport>,
    session: Option<String>,
    version_is_4: bool,
}

impl Parameters {
    fn parse(query: &str) -> Self {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "transport" => {
                    parameters.transport = match value.as_ref() {
                        "polling" => Some(Transport::Polling),
                        "websocket" => Some(Transport::WebSocket),
                        _ => None,
                    };
                }
                // The reference server treats an empty session id as none.
                "sid" => {
                    parameters.session = Some(value.into_owned()).filter(|id| !id.is_empty());
                }
                "EIO" => parameters.version_is_4 = value == "4",
                _ => {}
            }
        }
        parameters
    }
}

/// Whether a request asks for a WebSocket. Other upgrades are ignored: Java's HTTP client offers `h2c` with every GET.
pub(crate) fn is_upgrade(request: &HttpRequest) -> bool {
    request.head().upgrade()
        && request
            .headers()
            .get(header::UPGRADE)
            .and_then(|protocol| protocol.to_str().ok())
            .is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Classifies a request. `allow` checks the origin and asks the application, when it is their turn.
pub(crate) fn check(
    request: &HttpRequest,
    config: &EngineConfig,
    registry: &Registry,
    allow: impl FnOnce(&HttpRequest) -> Result<(), Refusal>,
) -> Result<RequestKind, Refusal> {
    if request.query_string().len() > config.max_query {
        return Err(Refusal::BadRequest);
    }
    let parameters = Parameters::parse(request.query_string());
    let transport = parameters.transport.ok_or(Refusal::UnknownTransport)?;
    let upgrade = is_upgrade(request);
    if upgrade && transport != Transport::WebSocket {
        return Err(Refusal::BadRequest);
    }
    if let Some(id) = parameters.session {
        let entry = SessionId::parse(&id).and_then(|id| registry.find(id)).ok_or(Refusal::UnknownSession)?;
        return continue_session(request, transport, upgrade, config, entry);
    }
    if request.method() != Method::GET {
        return Err(Refusal::BadMethod);
    }
    if transport == Transport::WebSocket && !upgrade {
        return Err(Refusal::BadRequest);
    }
    allow(request)?;
    if !parameters.version_is_4 {
        return Err(Refusal::UnsupportedVersion);
    }
    Ok(RequestKind::Open(transport))
}

fn continue_session(
    request: &HttpRequest,
    transport: Transport,
    upgrade: bool,
    config: &EngineConfig,
    entry: SessionEntry,
) -> Result<RequestKind, Refusal> {
    if upgrade {
        return if config.allow_upgrades { Ok(RequestKind::Upgrade(entry)) } else { Err(Refusal::BadRequest) };
    }
    if transport == Transport::WebSocket || entry.outbox.is_websocket() {
        return Err(Refusal::BadRequest);
    }
    match *request.method() {
        Method::GET => Ok(RequestKind::Poll(entry)),
        Method::POST => Ok(RequestKind::Post(entry)),
        _ => Err(Refusal::BadRequest),
    }
}

/// The open packet, which a new session sends first.
pub(crate) fn open_packet(id: SessionId, transport: Transport, config: &EngineConfig) -> SharedPacket {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Open<'a> {
        sid: String,
        upgrades: &'a [&'a str],
        ping_interval: u64,
        ping_timeout: u64,
        max_payload: usize,
    }
    let upgrades: &[&str] = match transport {
        Transport::Polling if config.allow_upgrades => &["websocket"],
        _ => &[],
    };
    let open = Open {
        sid: id.to_string(),
        upgrades,
        ping_interval: milliseconds(config.ping_interval),
        ping_timeout: milliseconds(config.ping_timeout),
        max_payload: config.max_payload,
    };
    let mut writer = PacketWriter::with_capacity(128);
    writer.push_str("0");
    // Strings and numbers always serialise, and a write to a vector cannot fail.
    let _ = serde_json::to_writer(writer.writer(), &open);
    writer.into_text()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
