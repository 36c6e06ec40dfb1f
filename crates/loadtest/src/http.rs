//! A REST client of one account: one keep-alive connection, which is replaced when it breaks.
//!
//! On hyper itself: a pool, redirects and cookies would cost more than the request.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;

use super::endpoint::Endpoint;

/// An answer that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of an answer that are read.
const ANSWER_LIMIT: usize = 16 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    #[error("the connection broke")]
    Broken,
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TimedOut,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// What a refusal asks to be waited.
    pub(super) retry_after: Option<Duration>,
}

/// See the module.
pub(super) struct Http {
    endpoint: Rc<Endpoint>,
    host: HeaderValue,
    authorization: Option<HeaderValue>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Http {
    pub(super) fn new(endpoint: &Rc<Endpoint>, token: &str) -> Self {
        let host = HeaderValue::from_str(&endpoint.authority).unwrap_or(HeaderValue::from_static("localhost"));
        let authorization = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| !token.is_empty());
        Self { endpoint: Rc::clone(endpoint), host, authorization, sender: None }
    }

    pub(super) async fn get(&mut self, path: &Uri) -> Result<Answer, HttpError> {
        self.request(Method::GET, path, Bytes::new()).await
    }

    pub(super) async fn post(&mut self, path: &Uri, body: Bytes) -> Result<Answer, HttpError> {
        self.request(Method::POST, path, body).await
    }

    async fn request(&mut self, method: Method, path: &Uri, body: Bytes) -> Result<Answer, HttpError> {
        match tokio::time::timeout(PATIENCE, self.exchange(method, path, body)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.sender = None;
                Err(error)
            }
            Err(_) => {
                self.sender = None;
                Err(HttpError::TimedOut)
            }
        }
    }

    async fn exchange(&mut self, method: Method, path: &Uri, body: Bytes) -> Result<Answer, HttpError> {
        let has_body = !body.is_empty();
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let response = self.connection().await?.send_request(request).await.map_err(|_| HttpError::Broken)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await.map_err(|_| HttpError::Broken)?;
        Ok(Answer { status, body: body.to_bytes(), retry_after: retry_after.map(Duration::from_secs) })
    }

    /// The connection. Opens a new one if the server closed the last one between two requests.
    async fn connection(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, HttpError> {
        let usable = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let stream = self.endpoint.connect().await?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| HttpError::Broken)?;
            // Ends when the sender is dropped, or the server closes.
            tokio::task::spawn_local(connection);
            self.sender = Some(sender);
        }
        self.sender.as_mut().ok_or(HttpError::Broken)
    }
}
