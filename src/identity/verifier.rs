//! Verifies tokens. Only the configured algorithm is accepted, whatever a token's header names, and each key is bound to
//! it: a public key is never used as an HMAC secret.

#[cfg(test)]
mod tests;

use chrono::Utc;
use jsonwebtoken::{Validation, decode_header, get_current_timestamp};

use super::keys::{KeyFileError, Keys, jwt_algorithm};
use super::principal::{Identity, Principal, TokenError};
use super::token::TokenClaims;
use super::token_cache::{Fingerprint, TokenCache, VerifiedToken};
use crate::config::AuthSettings;
use crate::domain::{EmailAddress, UserId};

/// Seconds by which the clocks of issuer and server may differ.
const LEEWAY_SECONDS: u64 = 30;

/// Bytes of a token. Most servers refuse headers of that size.
pub(super) const MAX_TOKEN_LENGTH: usize = 8192;

/// Verifies tokens.
pub struct Verifier {
    keys: Keys,
    validation: Validation,
    agent_roles: Vec<String>,
    cache: TokenCache,
}

impl Verifier {
    /// Reads the configured secret or key file.
    ///
    /// # Errors
    /// [`KeyFileError`] if the key file cannot be used.
    pub fn new(settings: &AuthSettings) -> Result<Self, KeyFileError> {
        let mut validation = Validation::new(jwt_algorithm(settings.algorithm));
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.required_spec_claims.insert("sub".to_owned());
        if !settings.issuer.is_empty() {
            validation.set_issuer(&[&settings.issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        // Otherwise the library refuses every token that names an audience.
        validation.validate_aud = !settings.audience.is_empty();
        if validation.validate_aud {
            validation.set_audience(&settings.audience);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        Ok(Self {
            keys: Keys::load(settings)?,
            validation,
            agent_roles: settings.all_agent_roles(),
            cache: TokenCache::new(settings.token_cache_size),
        })
    }

    /// The principal that a token identifies, with or without the scheme `Bearer `. A cached token's signature is not
    /// verified again.
    ///
    /// # Errors
    /// [`TokenError`] if the token is missing, malformed, expired, signed with another key or algorithm, for another
    /// audience, or without an account id.
    pub fn verify(&self, token: Option<&str>) -> Result<Principal, TokenError> {
        self.verify_token(token).map(|verified| verified.principal)
    }

    /// As [`Verifier::verify`], with what the token proves besides.
    pub(crate) fn verify_token(&self, token: Option<&str>) -> Result<VerifiedToken, TokenError> {
        self.verify_at(token, get_current_timestamp())
    }

    /// As [`Verifier::verify_token`], at a second since 1970.
    pub(super) fn verify_at(&self, token: Option<&str>, now: u64) -> Result<VerifiedToken, TokenError> {
        let token = token.map(without_scheme).filter(|token| !token.is_empty()).ok_or(TokenError::Missing)?;
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(TokenError::TooLong);
        }
        let fingerprint = Fingerprint::of(token);
        let (verified, is_new) = match self.cache.get(fingerprint) {
            Some(verified) => (verified, false),
            None => (self.verify_signature(token, fingerprint)?, true),
        };
        if now > verified.last_second {
            return Err(TokenError::Expired);
        }
        if is_new {
            let seen_before = Some(Utc::now().timestamp_millis());
            self.cache.insert(fingerprint, VerifiedToken { seen_before, ..verified.clone() }, now);
        }
        Ok(verified)
    }

    fn verify_signature(&self, token: &str, fingerprint: Fingerprint) -> Result<VerifiedToken, TokenError> {
        let invalid = |error: jsonwebtoken::errors::Error| TokenError::Invalid(error.to_string());
        let header = decode_header(token).map_err(invalid)?;
        // A critical header that is not supported must be refused, and none is (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        let key = self.keys.of(header.kid.as_deref()).ok_or(TokenError::Key)?;
        let claims = jsonwebtoken::decode::<TokenClaims>(token, key, &self.validation).map_err(invalid)?.claims;
        let role = claims.role.unwrap_or_else(|| "user".to_owned());
        let principal = Principal::from(Identity {
            id: UserId::parse(&claims.sub).map_err(|_| TokenError::Subject)?,
            is_agent: self.agent_roles.contains(&role),
            role,
            // An implausible address counts as absent: nothing could be compared with it.
            email: claims.email.as_deref().and_then(EmailAddress::as_written),
            first_name: claims.first_name,
            last_name: claims.last_name,
            name: claims.name,
            phone_number: claims.phone_number,
            smipay_tag: claims.smipay_tag,
            picture: claims.picture,
        });
        Ok(VerifiedToken {
            principal,
            last_second: claims.exp.saturating_add(LEEWAY_SECONDS),
            issued_at: claims.iat.unwrap_or_default(),
            fingerprint: fingerprint.short(),
            seen_before: None,
        })
    }

    #[cfg(test)]
    pub(super) fn cached_count(&self) -> u64 {
        self.cache.count()
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Verifier").field("agent_roles", &self.agent_roles).finish_non_exhaustive()
    }
}

/// Schemes are case-insensitive (RFC 9110, section 11.1).
pub(super) fn without_scheme(token: &str) -> &str {
    let token = token.trim();
    match token.split_at_checked("Bearer ".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Bearer ") => rest.trim(),
        _ => token,
    }
}
