//! The claims of a token, and signing tokens for development and load tests.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};

use super::TokenError;
use crate::config::AuthSettings;
use crate::domain::is_blank;

/// The claims of a token (`decisions.md`, "Who is who"). A claim that should be a string and is not counts as absent:
/// other issuers may use it for something else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TokenClaims {
    /// Account id.
    pub sub: String,
    /// Expiry, in seconds since 1970. A fraction, which some issuers write, is rounded.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: u64,
    /// When it was issued, in milliseconds since 1970; the claim is in seconds.
    #[serde(default, with = "issued_at", skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Issuer.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Audience. Tokens of other issuers may name several; one that is signed here names one.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Role; `user` if absent.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// E-mail address.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// First name.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Full name.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Phone number.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// The account's tag.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub smipay_tag: Option<String>,
    /// Address of a picture.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// A string that a reader can see and that can be stored, or nothing.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) if !text.contains('\0') && !is_blank(&text) => Some(text),
        _ => None,
    })
}

/// Seconds since 1970, an integer or not (RFC 7519, section 2).
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let rounded =
        || number.as_f64().filter(|seconds| (0.0..MAX_EXACT_SECONDS).contains(seconds)).map(|it| it.round() as u64);
    number.as_u64().or_else(rounded).ok_or_else(|| serde::de::Error::custom("exp is no timestamp"))
}

/// `iat`: seconds since 1970, an integer or not. Anything else counts as absent, as other claims do.
mod issued_at {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        let seconds = Value::deserialize(deserializer)?.as_f64();
        let seconds = seconds.filter(|seconds| (0.0..super::MAX_EXACT_SECONDS / 1000.0).contains(seconds));
        Ok(seconds.map(|seconds| (seconds * 1000.0).round() as i64))
    }

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(milliseconds: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(milliseconds.unwrap_or_default() / 1000)
    }
}

/// The number up to which an `f64` represents every integer.
const MAX_EXACT_SECONDS: f64 = 9_007_199_254_740_992.0;

/// Signs a token with a shared secret (HS256).
///
/// # Errors
/// [`TokenError`] if signing fails.
pub fn sign(claims: &TokenClaims, secret: &SecretString) -> Result<String, TokenError> {
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
        .map_err(|error| TokenError::Invalid(error.to_string()))
}

/// Signs a token that a server with these settings accepts: with the configured `iss` and `aud`.
///
/// # Errors
/// [`TokenError::CannotSign`] if the settings have only a public key.
pub fn sign_as_configured(claims: &TokenClaims, settings: &AuthSettings) -> Result<String, TokenError> {
    if settings.algorithm.is_public() {
        return Err(TokenError::CannotSign(settings.algorithm.as_str()));
    }
    let claims = TokenClaims {
        iss: Some(settings.issuer.clone()).filter(|issuer| !issuer.is_empty()),
        aud: settings.audience.first().cloned(),
        ..claims.clone()
    };
    sign(&claims, &settings.jwt_secret)
}
