//! Tokens: signed with a shared secret (HS256), verified and read. Only that algorithm is accepted, whatever a token
//! says of itself.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Principal, TokenError};
use crate::config::AuthSettings;
use crate::domain::UserId;

/// Seconds by which the clocks of issuer and server may differ.
const LEEWAY_SECONDS: u64 = 30;

/// What a token says (`decisions.md`, "Who is who"). A claim that is no string counts as absent, as other issuers'
/// tokens may hold anything there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TokenClaims {
    /// The account.
    pub sub: String,
    /// Seconds since 1970 at which it expires.
    pub exp: u64,
    /// `user` where absent.
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
    /// Whole name.
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

/// A text that can be stored, or nothing.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) if !text.contains('\0') && !text.trim().is_empty() => Some(text),
        _ => None,
    })
}

/// Verifies tokens.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
    agent_roles: Vec<String>,
}

impl Verifier {
    /// Verifies against the configured secret.
    #[must_use]
    pub fn new(settings: &AuthSettings) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_aud = false;
        validation.validate_nbf = true;
        Self {
            key: DecodingKey::from_secret(settings.jwt_secret.expose_secret().as_bytes()),
            validation,
            agent_roles: settings.agent_roles.clone(),
        }
    }

    /// Who a token speaks for. It may stand alone or behind `Bearer `.
    ///
    /// # Errors
    /// [`TokenError`] when it is missing, malformed, signed by another or in another way, expired, or names no account.
    pub fn verify(&self, token: Option<&str>) -> Result<Principal, TokenError> {
        let token = token.map(without_scheme).filter(|token| !token.is_empty()).ok_or(TokenError::Missing)?;
        let claims = jsonwebtoken::decode::<TokenClaims>(token, &self.key, &self.validation)
            .map_err(|error| TokenError::Invalid(error.to_string()))?
            .claims;
        let role = claims.role.unwrap_or_else(|| "user".to_owned());
        Ok(Principal {
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
        })
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Verifier").field("agent_roles", &self.agent_roles).finish_non_exhaustive()
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

/// Signs a token, for trying things out.
///
/// # Errors
/// [`TokenError`] when it cannot be signed.
pub fn sign(claims: &TokenClaims, secret: &SecretString) -> Result<String, TokenError> {
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
        .map_err(|error| TokenError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::get_current_timestamp;
    use serde_json::json;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn verifier() -> Verifier {
        Verifier::new(&AuthSettings { jwt_secret: SECRET.into(), agent_roles: vec!["admin".to_owned()] })
    }

    fn token(claims: &serde_json::Value, algorithm: Algorithm, secret: &str) -> String {
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), claims, &key).expect("a token")
    }

    #[test]
    fn a_good_token_tells_who_calls() {
        let claims = json!({ "sub": "7", "exp": get_current_timestamp() + 60, "role": "admin", "email": "s@x.io" });
        let principal = verifier().verify(Some(&token(&claims, Algorithm::HS256, SECRET))).expect("a principal");
        assert_eq!((principal.id.as_str(), principal.is_agent), ("7", true));
        assert_eq!(principal.email.as_deref(), Some("s@x.io"));
    }

    #[test]
    fn the_role_is_user_where_absent_or_no_string() {
        for role in [json!(null), json!(1)] {
            let claims = json!({ "sub": "7", "exp": get_current_timestamp() + 60, "role": role, "phone_number": 5 });
            let principal = verifier().verify(Some(&token(&claims, Algorithm::HS256, SECRET))).expect("a principal");
            assert_eq!((principal.role.as_str(), principal.is_agent, principal.phone_number), ("user", false, None));
        }
    }

    #[test]
    fn the_scheme_may_stand_in_front() {
        let token = token(&json!({ "sub": "7", "exp": get_current_timestamp() + 60 }), Algorithm::HS256, SECRET);
        for spelling in [token.clone(), format!("Bearer {token}"), format!("bearer  {token} ")] {
            assert!(verifier().verify(Some(&spelling)).is_ok(), "{spelling}");
        }
    }

    #[test]
    fn a_bad_token_is_refused() {
        let now = get_current_timestamp();
        let good = json!({ "sub": "7", "exp": now + 60 });
        let none = format!(
            "{}.{}.",
            "eyJhbGciOiJub25lIn0",
            token(&good, Algorithm::HS256, SECRET).split('.').nth(1).unwrap_or_default()
        );
        for bad in [
            String::new(),
            "Bearer ".to_owned(),
            "x.y.z".to_owned(),
            none,
            token(&good, Algorithm::HS256, "another-secret-another-secret-another"),
            token(&good, Algorithm::HS512, SECRET),
            token(&json!({ "sub": "7", "exp": now - 31 }), Algorithm::HS256, SECRET),
            token(&json!({ "sub": "7" }), Algorithm::HS256, SECRET),
            token(&json!({ "exp": now + 60 }), Algorithm::HS256, SECRET),
            token(&json!({ "sub": "", "exp": now + 60 }), Algorithm::HS256, SECRET),
            token(&json!({ "sub": "7", "exp": now + 60, "nbf": now + 40 }), Algorithm::HS256, SECRET),
        ] {
            assert!(verifier().verify(Some(&bad)).is_err(), "{bad}");
        }
        assert_eq!(verifier().verify(None), Err(TokenError::Missing));
    }

    #[test]
    fn clocks_may_differ_by_30_seconds() {
        let claims = json!({ "sub": "7", "exp": get_current_timestamp() - 25 });
        assert!(verifier().verify(Some(&token(&claims, Algorithm::HS256, SECRET))).is_ok());
    }
}
