//! Tokens, verified and read. Only the configured algorithm is accepted, whatever a token says of itself, and each key
//! is bound to it: a public key can never be taken for a secret.

use jsonwebtoken::{Algorithm, Validation, decode_header, get_current_timestamp};

use super::keys::{KeyFileError, Keys};
use super::principal::{Identity, Principal, TokenError};
use super::token::TokenClaims;
use super::token_cache::{Fingerprint, Proof, Remembered};
use crate::config::{AuthSettings, TokenAlgorithm};
use crate::domain::UserId;

/// Seconds by which the clocks of issuer and server may differ.
const LEEWAY_SECONDS: u64 = 30;

/// Bytes of the longest token that is looked at: more than fits into the headers of most servers.
const LONGEST: usize = 8192;

/// Verifies tokens.
pub struct Verifier {
    keys: Keys,
    validation: Validation,
    agent_roles: Vec<String>,
    remembered: Remembered,
}

impl Verifier {
    /// Verifies against the configured secret or public keys, which are read here.
    ///
    /// # Errors
    /// [`KeyFileError`] where there are none that can be used.
    pub fn new(settings: &AuthSettings) -> Result<Self, KeyFileError> {
        let mut validation = Validation::new(algorithm(settings.algorithm));
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.required_spec_claims.insert("sub".to_owned());
        if !settings.issuer.is_empty() {
            validation.set_issuer(&[&settings.issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        // Without it a token that names an audience would be refused.
        validation.validate_aud = !settings.audience.is_empty();
        if validation.validate_aud {
            validation.set_audience(&settings.audience);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        Ok(Self {
            keys: Keys::load(settings)?,
            validation,
            agent_roles: settings.agent_roles.clone(),
            remembered: Remembered::new(settings.token_cache_size),
        })
    }

    /// Who a token speaks for. It may stand alone or behind `Bearer `. One that was good before is not checked again
    /// until it expires.
    ///
    /// # Errors
    /// [`TokenError`] when it is missing, malformed, signed by another or in another way, meant for others, expired, or
    /// names no account.
    pub fn verify(&self, token: Option<&str>) -> Result<Principal, TokenError> {
        self.verify_at(token, get_current_timestamp())
    }

    /// As [`Verifier::verify`], at a second since 1970.
    pub(super) fn verify_at(&self, token: Option<&str>, now: u64) -> Result<Principal, TokenError> {
        let token = token.map(without_scheme).filter(|token| !token.is_empty()).ok_or(TokenError::Missing)?;
        if token.len() > LONGEST {
            return Err(TokenError::TooLong);
        }
        let fingerprint = Fingerprint::of(token);
        let (proof, is_new) = match self.remembered.get(fingerprint) {
            Some(proof) => (proof, false),
            None => (self.prove(token)?, true),
        };
        if now > proof.last_second {
            return Err(TokenError::Expired);
        }
        if is_new {
            self.remembered.insert(fingerprint, proof.clone(), now);
        }
        Ok(proof.principal)
    }

    fn prove(&self, token: &str) -> Result<Proof, TokenError> {
        let invalid = |error: jsonwebtoken::errors::Error| TokenError::Invalid(error.to_string());
        let header = decode_header(token).map_err(invalid)?;
        // What it says is critical must be understood, and nothing is (RFC 7515, section 4.1.11).
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
            email: claims.email,
            first_name: claims.first_name,
            last_name: claims.last_name,
            name: claims.name,
            phone_number: claims.phone_number,
            smipay_tag: claims.smipay_tag,
            picture: claims.picture,
        });
        Ok(Proof { principal, last_second: claims.exp.saturating_add(LEEWAY_SECONDS) })
    }

    #[cfg(test)]
    pub(super) fn remembered_count(&self) -> u64 {
        self.remembered.count()
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Verifier").field("agent_roles", &self.agent_roles).finish_non_exhaustive()
    }
}

pub(super) fn algorithm(configured: TokenAlgorithm) -> Algorithm {
    match configured {
        TokenAlgorithm::Hs256 => Algorithm::HS256,
        TokenAlgorithm::Rs256 => Algorithm::RS256,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

/// Schemes are compared without case (RFC 9110, section 11.1).
fn without_scheme(token: &str) -> &str {
    let token = token.trim();
    match token.split_at_checked("Bearer ".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Bearer ") => rest.trim(),
        _ => token,
    }
}

#[cfg(test)]
#[path = "verifier_tests.rs"]
mod tests;
