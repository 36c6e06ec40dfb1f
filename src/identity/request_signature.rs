//! The guard in front of what people without an account may do (`decisions.md`, "People without an account").
//!
//! Three settings: nothing, a device's own headers, or headers signed with a secret that the app holds. A signed
//! request is good once: its nonce is kept, for every server, as long as its timestamp is.

use actix_web::http::header::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::config::{RequestSignatureSettings, SignatureMode};
use crate::domain::Timestamp;

/// Milliseconds by which a request's timestamp may differ from the server's clock.
pub(super) const TIMESTAMP_WINDOW_MS: i64 = 5 * 60 * 1000;

/// Characters that a nonce has at least.
const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 10..=128;

/// The one version of the signature.
const SIGNATURE_VERSION: &str = "v1";

/// Why a request is turned away. Its text names the header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardRefusal {
    /// A header is missing, or empty.
    #[error("{0} header is required")]
    Required(&'static str),
    /// A header breaks its rule.
    #[error("{0} header is not valid")]
    Malformed(&'static str),
    /// The timestamp is too far from now.
    #[error("Request expired")]
    Expired,
    /// The signature is of other bytes, or by another secret.
    #[error("Invalid signature")]
    Signature,
    /// The nonce came before.
    #[error("Nonce already used")]
    NonceUsed,
}

/// What a guarded request is, for its signature.
#[derive(Clone, Copy, Debug)]
pub struct GuardedRequest<'a> {
    /// In capitals.
    pub method: &'a str,
    /// Without query string; a slash at its end is not looked at.
    pub path: &'a str,
    /// As sent.
    pub headers: &'a HeaderMap,
    /// As sent.
    pub body: &'a [u8],
}

/// A nonce that must not come twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(pub(super) String);

/// Looks at requests.
#[derive(Clone)]
pub struct Guard {
    mode: SignatureMode,
    key: Option<Hmac<Sha256>>,
}

impl Guard {
    /// A guard as configured.
    #[must_use]
    pub fn new(settings: &RequestSignatureSettings) -> Self {
        let secret = settings.secret.expose_secret();
        // HMAC takes keys of any length.
        Self { mode: settings.mode, key: Hmac::new_from_slice(secret.as_bytes()).ok() }
    }

    /// Looks at the headers and the signature; what comes back must then be kept from coming again.
    ///
    /// # Errors
    /// [`GuardRefusal`], for the first thing that is wrong.
    pub fn check(&self, request: &GuardedRequest<'_>, now: Timestamp) -> Result<Option<Nonce>, GuardRefusal> {
        match self.mode {
            SignatureMode::Off => Ok(None),
            SignatureMode::Device => device(request.headers).map(|()| None),
            SignatureMode::Signed => {
                device(request.headers)?;
                self.signed(request, now).map(Some)
            }
        }
    }

    fn signed(&self, request: &GuardedRequest<'_>, now: Timestamp) -> Result<Nonce, GuardRefusal> {
        let timestamp = required(request.headers, "X-Timestamp")?;
        let nonce = required(request.headers, "X-Nonce")?;
        let version = required(request.headers, "X-Signature-Version")?;
        let signature = required(request.headers, "X-Signature")?;
        let moment: i64 = timestamp.parse().map_err(|_| GuardRefusal::Malformed("X-Timestamp"))?;
        if moment.abs_diff(now.timestamp_millis()) > TIMESTAMP_WINDOW_MS.unsigned_abs() {
            return Err(GuardRefusal::Expired);
        }
        if !NONCE_LENGTH.contains(&nonce.chars().count()) {
            return Err(GuardRefusal::Malformed("X-Nonce"));
        }
        if version != SIGNATURE_VERSION {
            return Err(GuardRefusal::Malformed("X-Signature-Version"));
        }
        let mut expected = self.key.clone().ok_or(GuardRefusal::Signature)?;
        expected.update(signed_text(request, timestamp, nonce).as_bytes());
        let signature = from_hex(signature).ok_or(GuardRefusal::Signature)?;
        // In constant time.
        expected.verify_slice(&signature).map_err(|_| GuardRefusal::Signature)?;
        Ok(Nonce(nonce.to_owned()))
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Guard").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// What is signed: `v1:METHOD:path:timestamp:nonce:hex(sha256(body))`.
fn signed_text(request: &GuardedRequest<'_>, timestamp: &str, nonce: &str) -> String {
    let path = match request.path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let body = to_hex(&Sha256::digest(request.body));
    format!("{SIGNATURE_VERSION}:{}:{path}:{timestamp}:{nonce}:{body}", request.method)
}

fn device(headers: &HeaderMap) -> Result<(), GuardRefusal> {
    ["X-Device-Id", "X-Device-Fingerprint", "X-Request-Id"]
        .into_iter()
        .try_for_each(|name| required(headers, name).map(|_| ()))
}

fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, GuardRefusal> {
    headers
        .get(name.to_ascii_lowercase().as_str())
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .ok_or(GuardRefusal::Required(name))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
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
        Utc.timestamp_millis_opt(1_795_000_000_000).single().expect("a moment")
    }

    fn guard(mode: SignatureMode) -> Guard {
        Guard::new(&RequestSignatureSettings { mode, secret: SECRET.into() })
    }

    /// The headers of a good request, some replaced or, where empty, left out.
    fn headers(replaced: &[(&str, &str)]) -> HeaderMap {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
        let timestamp = now().timestamp_millis().to_string();
        mac.update(format!("v1:POST:{PATH}:{timestamp}:0123456789:{}", to_hex(&Sha256::digest(BODY))).as_bytes());
        let signature = to_hex(&mac.finalize().into_bytes());
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

    fn check(mode: SignatureMode, headers: &HeaderMap, path: &str, body: &[u8]) -> Result<Option<Nonce>, GuardRefusal> {
        guard(mode).check(&GuardedRequest { method: "POST", path, headers, body }, now())
    }

    fn refusal(replaced: &[(&str, &str)]) -> String {
        check(SignatureMode::Signed, &headers(replaced), PATH, BODY).expect_err("a refusal").to_string()
    }

    #[test]
    fn off_lets_everything_through() {
        assert_eq!(check(SignatureMode::Off, &HeaderMap::new(), PATH, BODY), Ok(None));
    }

    #[test]
    fn device_wants_three_headers_and_no_signature() {
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
            assert_eq!(refused, Err(GuardRefusal::Required(shown)));
        }
    }

    #[test]
    fn a_signed_request_is_let_through_with_its_nonce() {
        let nonce = Ok(Some(Nonce("0123456789".to_owned())));
        assert_eq!(check(SignatureMode::Signed, &headers(&[]), PATH, BODY), nonce);
        assert_eq!(check(SignatureMode::Signed, &headers(&[]), &format!("{PATH}/"), BODY), nonce);
    }

    #[test]
    fn what_was_not_signed_is_refused() {
        assert_eq!(check(SignatureMode::Signed, &headers(&[]), PATH, b"{}"), Err(GuardRefusal::Signature));
        assert_eq!(check(SignatureMode::Signed, &headers(&[]), "/other", BODY), Err(GuardRefusal::Signature));
        assert_eq!(refusal(&[("x-nonce", "another-nonce")]), "Invalid signature");
        for bad in ["00", "zz", "abc", "é"] {
            assert_eq!(
                refusal(&[("x-signature", bad)]).as_str(),
                if bad == "é" { "X-Signature header is required" } else { "Invalid signature" }
            );
        }
    }

    #[test]
    fn each_header_of_a_signed_request_is_named_when_it_is_missing() {
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
    fn a_timestamp_is_good_for_five_minutes_either_way() {
        for (milliseconds, is_good) in [(300_000, true), (300_001, false), (-300_000, true), (-300_001, false)] {
            let later = now() + TimeDelta::milliseconds(milliseconds);
            let headers = headers(&[]);
            let request = GuardedRequest { method: "POST", path: PATH, headers: &headers, body: BODY };
            let outcome = guard(SignatureMode::Signed).check(&request, later);
            assert_eq!(outcome == Err(GuardRefusal::Expired), !is_good, "{milliseconds}");
        }
    }
}
