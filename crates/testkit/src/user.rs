//! Users with tokens that a [`TestServer`](crate::TestServer) accepts.

use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::SecretString;
use switchboard::identity::{TokenClaims, sign};

/// The HS256 secret that test servers and test users share.
pub const SECRET: &str = "a-secret-for-tests-a-secret-for-tests";

/// How long a token is valid, in seconds.
const LIFETIME: u64 = 3600;

/// A caller of the server.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// The bearer token; empty for a caller without one.
    pub token: String,
}

impl TestUser {
    /// The customer John Doe.
    #[must_use]
    pub fn customer(sub: &str) -> Self {
        Self::with_role(sub, "user", "John", "Doe")
    }

    /// The agent Sarah Johnson.
    #[must_use]
    pub fn agent(sub: &str) -> Self {
        Self::with_role(sub, "admin", "Sarah", "Johnson")
    }

    /// A caller without a token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { token: String::new() }
    }

    /// A user of this role and name.
    #[must_use]
    pub fn with_role(sub: &str, role: &str, first_name: &str, last_name: &str) -> Self {
        Self::with_claims(sub, role, first_name, last_name, TokenClaims::default())
    }

    /// A customer whose token contains the URL of a picture.
    #[must_use]
    pub fn with_picture(sub: &str, picture: &str) -> Self {
        let claims = TokenClaims { picture: Some(picture.to_owned()), ..TokenClaims::default() };
        Self::with_claims(sub, "user", "John", "Doe", claims)
    }

    /// A customer whose token contains no name but this full one.
    #[must_use]
    pub fn with_full_name(sub: &str, name: &str) -> Self {
        let claims = TokenClaims {
            sub: sub.to_owned(),
            exp: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + LIFETIME,
            name: Some(name.to_owned()),
            ..TokenClaims::default()
        };
        Self { token: sign(&claims, &SecretString::from(SECRET)).unwrap() }
    }

    fn with_claims(sub: &str, role: &str, first_name: &str, last_name: &str, claims: TokenClaims) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = TokenClaims {
            sub: sub.to_owned(),
            exp: now + LIFETIME,
            role: Some(role.to_owned()),
            email: Some(format!("{sub}@example.com")),
            first_name: Some(first_name.to_owned()),
            last_name: Some(last_name.to_owned()),
            phone_number: Some("+2348012345678".to_owned()),
            ..claims
        };
        Self { token: sign(&claims, &SecretString::from(SECRET)).unwrap() }
    }
}
