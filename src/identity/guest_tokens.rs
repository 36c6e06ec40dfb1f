//! Tokens of people without an account (`additions.md`, 6): each serves one conversation, or one ticket without a
//! conversation, and the e-mail address that owns it.
//!
//! They are JWTs under a key of their own, derived from `auth.jwt_secret`, so that none of them verifies as a user's token, and
//! no user's token as one of them, whatever `auth.algorithm` is. A token states what it was issued for; that the
//! conversation still belongs to the address is for the conversation's state to say.

#[cfg(test)]
mod tests;

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::TokenError;
use super::guest::{Guest, GuestPlace};
use crate::config::GuestSettings;
use crate::domain::{EmailAddress, Timestamp};

/// What a key derived by HKDF (RFC 5869) is for.
const SALT: &[u8] = b"switchboard";
const PURPOSE: &[u8] = b"guest token v1";

/// The header's `typ`, which a reader can tell these tokens by (RFC 8725, section 3.11).
const TYPE: &str = "guest+jwt";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    place: GuestPlace,
    email: String,
    /// Seconds since 1970.
    iat: i64,
    /// The first second at which it is not valid any more.
    exp: i64,
    /// `guest.token_version`.
    version: u32,
}

/// Issues and verifies guests' tokens.
pub struct GuestTokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    seconds: f64,
    version: u32,
}

impl GuestTokens {
    /// Derives the key from the server's secret, which is the same on every server of a cluster.
    ///
    /// # Errors
    /// Never: HMAC takes a key of any length.
    pub fn new(secret: &SecretString, settings: &GuestSettings) -> Result<Self, hmac::digest::InvalidLength> {
        let mac = |key: &[u8], parts: [&[u8]; 2]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
            for part in parts {
                mac.update(part);
            }
            Ok::<_, hmac::digest::InvalidLength>(mac.finalize().into_bytes())
        };
        let extracted = mac(SALT, [secret.expose_secret().as_bytes(), b""])?;
        let key = mac(&extracted, [PURPOSE, &[1]])?;
        Ok(Self {
            signing: EncodingKey::from_secret(&key),
            verifying: DecodingKey::from_secret(&key),
            seconds: settings.token_seconds(),
            version: settings.token_version,
        })
    }

    /// A token for this guest, valid from now on.
    ///
    /// # Errors
    /// [`TokenError`] if signing fails.
    pub fn issue(&self, guest: &Guest, now: Timestamp) -> Result<String, TokenError> {
        let iat = now.timestamp();
        let claims = Claims {
            place: guest.place,
            email: guest.email.as_str().to_owned(),
            iat,
            exp: iat.saturating_add(self.seconds.ceil() as i64),
            version: self.version,
        };
        let header = Header { typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &self.signing).map_err(|error| TokenError::Invalid(error.to_string()))
    }

    /// What a token states, with or without the scheme `Bearer `; `None` if it is no valid one.
    #[must_use]
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Guest> {
        let token = super::verifier::without_scheme(token);
        if token.len() > super::verifier::MAX_TOKEN_LENGTH {
            return None;
        }
        // The expiry is compared with the server's own clock.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.verifying, &validation).ok()?;
        let Claims { place, email, exp, version, .. } = decoded.claims;
        let is_valid = decoded.header.typ.as_deref() == Some(TYPE)
            && decoded.header.crit.is_none()
            && version == self.version
            && now.timestamp() < exp;
        is_valid.then(|| Guest { place, email: EmailAddress::stored(&email) })
    }
}

impl std::fmt::Debug for GuestTokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GuestTokens").field("version", &self.version).finish_non_exhaustive()
    }
}
