//! Tokens that the load test signs for its accounts, as the deployment's own backend would.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// The claims of a load test account, by the names that the server reads.
#[derive(Debug, Serialize)]
pub(super) struct Claims<'a> {
    /// The account's id.
    pub(super) sub: &'a str,
    /// Expiry, in seconds since 1970.
    pub(super) exp: u64,
    pub(super) role: &'a str,
    pub(super) email: &'a str,
    pub(super) first_name: &'a str,
    pub(super) last_name: &'a str,
}

/// Signs a token with the deployment's shared secret (HS256).
pub(super) fn sign(claims: &Claims<'_>, secret: &SecretString) -> Result<String, jsonwebtoken::errors::Error> {
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
}
