//! People who call, each with a token.

use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::SecretString;
use switchboard::identity::{TokenClaims, sign};

/// The secret that the tests' servers and people share.
pub(crate) const SECRET: &str = "a-secret-for-tests-a-secret-for-tests";

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) token: String,
}

impl Person {
    pub(crate) fn customer(sub: &str) -> Self {
        Self::with(sub, "user", "John", "Doe")
    }

    pub(crate) fn agent(sub: &str) -> Self {
        Self::with(sub, "admin", "Sarah", "Johnson")
    }

    pub(crate) fn nobody() -> Self {
        Self { token: String::new() }
    }

    pub(crate) fn with(sub: &str, role: &str, first_name: &str, last_name: &str) -> Self {
        Self::claiming(sub, role, first_name, last_name, TokenClaims::default())
    }

    /// A customer whose token names a picture.
    pub(crate) fn with_picture(sub: &str, picture: &str) -> Self {
        let picture = TokenClaims { picture: Some(picture.to_owned()), ..TokenClaims::default() };
        Self::claiming(sub, "user", "John", "Doe", picture)
    }

    fn claiming(sub: &str, role: &str, first_name: &str, last_name: &str, more: TokenClaims) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = TokenClaims {
            sub: sub.to_owned(),
            exp: now + 3600,
            role: Some(role.to_owned()),
            email: Some(format!("{sub}@example.com")),
            first_name: Some(first_name.to_owned()),
            last_name: Some(last_name.to_owned()),
            phone_number: Some("+2348012345678".to_owned()),
            ..more
        };
        Self { token: sign(&claims, &SecretString::from(SECRET)).unwrap() }
    }
}
