//! Verifies requests without a token (`decisions.md`, "People without an account").
//!
//! Depending on the mode a request needs nothing, the device headers, or also a signature under a secret that the apps
//! hold. A signed request is accepted once: its nonce is stored, for all servers, as long as its timestamp is valid.

use actix_web::http::header::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::config::{RequestSignatureSettings, SignatureMode};
use crate::domain::Timestamp;

/// Milliseconds by which a request's timestamp may differ from the server's clock, either way.
pub(super) const TIMESTAMP_WINDOW_MS: i64 = 5 * 60 * 1000;

/// Characters of a nonce.
const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 10..=128;

/// The only supported version of the signature.
const SIGNATURE_VERSION: &str = "v1";

/// Why a request is refused. The text, which clients see, names the header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// A header is missing, or empty.
    #[error("{0} header is required")]
    Required(&'static str),
    /// A header is malformed.
    #[error("{0} header is not valid")]
    Malformed(&'static str),
    /// The timestamp is too far from the server's clock.
    #[error("Request expired")]
    Expired,
    /// The signature does not match the request, or was made with another secret.
    #[error("Invalid signature")]
    Signature,
    /// The nonce has been used before.
    #[error("Nonce already used")]
    NonceUsed,
}

/// The parts of a request that its signature covers.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// In upper case.
    pub method: &'a str,
    /// Without the query string; a trailing slash is ignored.
    pub path: &'a str,
    /// As sent.
    pub headers: &'a HeaderMap,
    /// As sent.
    pub body: &'a [u8],
}

/// A nonce, which must not be used twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(pub(super) String);

/// Verifies requests as configured.
#[derive(Clone)]
pub struct RequestVerifier {
    mode: SignatureMode,
    key: Option<Hmac<Sha256>>,
}

impl RequestVerifier {
    /// A verifier with the configured mode and secret.
    #[must_use]
    pub fn new(settings: &RequestSignatureSettings) -> Self {
        let secret = settings.secret.expose_secret();
        // Never an error: HMAC takes keys of any length.
        Self { mode: settings.mode, key: Hmac::new_from_slice(secret.as_bytes()).ok() }
    }

    /// Checks the headers and the signature. The caller must pass a returned nonce to
    /// [`NonceStore::consume`](super::NonceStore::consume).
    ///
    /// # Errors
    /// [`RequestRefusal`], for the first violation.
    pub fn verify(&self, request: &SignedRequest<'_>, now: Timestamp) -> Result<Option<Nonce>, RequestRefusal> {
        match self.mode {
            SignatureMode::Off => Ok(None),
            SignatureMode::Device => device_headers(request.headers).map(|()| None),
            SignatureMode::Signed => {
                device_headers(request.headers)?;
                self.signed(request, now).map(Some)
            }
        }
    }

    fn signed(&self, request: &SignedRequest<'_>, now: Timestamp) -> Result<Nonce, RequestRefusal> {
        let timestamp = required(request.headers, "X-Timestamp")?;
        let nonce = required(request.headers, "X-Nonce")?;
        let version = required(request.headers, "X-Signature-Version")?;
        let signature = required(request.headers, "X-Signature")?;
        let signed_at: i64 = timestamp.parse().map_err(|_| RequestRefusal::Malformed("X-Timestamp"))?;
        if signed_at.abs_diff(now.timestamp_millis()) > TIMESTAMP_WINDOW_MS.unsigned_abs() {
            return Err(RequestRefusal::Expired);
        }
        if !NONCE_LENGTH.contains(&nonce.chars().count()) {
            return Err(RequestRefusal::Malformed("X-Nonce"));
        }
        if version != SIGNATURE_VERSION {
            return Err(RequestRefusal::Malformed("X-Signature-Version"));
        }
        let mut expected = self.key.clone().ok_or(RequestRefusal::Signature)?;
        expected.update(signed_text(request, timestamp, nonce).as_bytes());
        let signature = hex::decode(signature).map_err(|_| RequestRefusal::Signature)?;
        // Compares in constant time.
        expected.verify_slice(&signature).map_err(|_| RequestRefusal::Signature)?;
        Ok(Nonce(nonce.to_owned()))
    }
}

impl std::fmt::Debug for RequestVerifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RequestVerifier").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The signed text: `v1:METHOD:path:timestamp:nonce:hex(sha256(body))`.
fn signed_text(request: &SignedRequest<'_>, timestamp: &str, nonce: &str) -> String {
    let path = match request.path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let body = hex::encode(Sha256::digest(request.body));
    format!("{SIGNATURE_VERSION}:{}:{path}:{timestamp}:{nonce}:{body}", request.method)
}

fn device_headers(headers: &HeaderMap) -> Result<(), RequestRefusal> {
    ["X-Device-Id", "X-Device-Fingerprint", "X-Request-Id"]
        .into_iter()
        .try_for_each(|name| required(headers, name).map(|_| ()))
}

fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, RequestRefusal> {
    headers
        .get(name.to_ascii_lowercase().as_str())
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .ok_or(RequestRefusal::Required(name))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use chrono::{TimeDelta, TimeZone, Utc};

    use super::*;

    const SECRET: &str = "a-guard-secret-a-guard-secret-32";
    const PATH: &str = "/api/v1/support/chat/send-unauthenticated";
    const BODY: &[u8] = b"{\"message\":\"Hello\"}";

    fn now() -> Timestamp {
        Utc.timestamp_millis_opt(1_795_000_000_000).single().expect("a timestamp")
    }

    fn verifier(mode: SignatureMode) -> RequestVerifier {
        RequestVerifier::new(&RequestSignatureSettings { mode, secret: SECRET.into() })
    }

    /// The headers of a valid request, some replaced, or left out if empty.
    fn headers(replaced: &[(&str, &str)]) -> HeaderMap {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
        let timestamp = now().timestamp_millis().to_string();
        mac.update(format!("v1:POST:{PATH}:{timestamp}:0123456789:{}", hex::encode(Sha256::digest(BODY))).as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-device-id", "d"),
            ("x-device-fingerprint", "f"),
            ("x-request-id", "r"),
            ("x-timestamp", timestamp.as_str()),
            ("x-nonce", "0123456789"),
            ("x-signature-version", "v1"),
            ("x-signature", signature.as_str()),
        ] {
            let value = replaced.iter().find(|(other, _)| *other == name).map_or(value, |(_, value)| value);
            if !value.is_empty() {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
            }
        }
        headers
    }

    fn check(
        mode: SignatureMode,
        headers: &HeaderMap,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Nonce>, RequestRefusal> {
        verifier(mode).verify(&SignedRequest { method: "POST", path, headers, body }, now())
    }

    fn refusal(replaced: &[(&str, &str)]) -> String {
        check(SignatureMode::Signed, &headers(replaced), PATH, BODY).expect_err("a refusal").to_string()
    }

    #[test]
    fn with_mode_off_every_request_is_accepted() {
        assert_eq!(check(SignatureMode::Off, &HeaderMap::new(), PATH, BODY), Ok(None));
    }

    #[test]
    fn mode_device_requires_three_headers_and_no_signature() {
        assert_eq!(
            check(SignatureMode::Device, &headers(&[("x-signature", ""), ("x-nonce", "")]), PATH, BODY),
            Ok(None)
        );
        for (name, shown) in [
            ("x-device-id", "X-Device-Id"),
            ("x-device-fingerprint", "X-Device-Fingerprint"),
            ("x-request-id", "X-Request-Id"),
        ] {
            let refused = check(SignatureMode::Device, &headers(&[(name, "")]), PATH, BODY);
            assert_eq!(refused, Err(RequestRefusal::Required(shown)));
        }
    }

    #[test]
    fn a_signed_request_is_accepted_with_its_nonce() {
        let nonce = Ok(Some(Nonce("0123456789".to_owned())));
        assert_eq!(check(SignatureMode::Signed, &headers(&[]), PATH, BODY), nonce);
        assert_eq!(check(SignatureMode::Signed, &headers(&[]), &format!("{PATH}/"), BODY), nonce);
    }

    #[test]
    fn a_request_that_differs_from_the_signed_one_is_refused() {
        assert_eq!(check(SignatureMode::Signed, &headers(&[]), PATH, b"{}"), Err(RequestRefusal::Signature));
        assert_eq!(check(SignatureMode::Signed, &headers(&[]), "/other", BODY), Err(RequestRefusal::Signature));
        assert_eq!(refusal(&[("x-nonce", "another-nonce")]), "Invalid signature");
        for bad in ["00", "zz", "abc", "é"] {
            assert_eq!(
                refusal(&[("x-signature", bad)]).as_str(),
                if bad == "é" { "X-Signature header is required" } else { "Invalid signature" }
            );
        }
    }

    #[test]
    fn a_missing_header_of_a_signed_request_is_named() {
        for (name, shown) in [
            ("x-timestamp", "X-Timestamp"),
            ("x-nonce", "X-Nonce"),
            ("x-signature-version", "X-Signature-Version"),
            ("x-signature", "X-Signature"),
        ] {
            assert_eq!(refusal(&[(name, "")]), format!("{shown} header is required"));
        }
        assert_eq!(refusal(&[("x-nonce", "012345678")]), "X-Nonce header is not valid");
        assert_eq!(refusal(&[("x-signature-version", "v2")]), "X-Signature-Version header is not valid");
        assert_eq!(refusal(&[("x-timestamp", "soon")]), "X-Timestamp header is not valid");
    }

    #[test]
    fn a_timestamp_is_valid_for_five_minutes_either_way() {
        for (milliseconds, is_valid) in [(300_000, true), (300_001, false), (-300_000, true), (-300_001, false)] {
            let later = now() + TimeDelta::milliseconds(milliseconds);
            let headers = headers(&[]);
            let request = SignedRequest { method: "POST", path: PATH, headers: &headers, body: BODY };
            let outcome = verifier(SignatureMode::Signed).verify(&request, later);
            assert_eq!(outcome == Err(RequestRefusal::Expired), !is_valid, "{milliseconds}");
        }
    }
}
