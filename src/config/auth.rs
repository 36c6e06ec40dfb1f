//! Who may come in.

use secrecy::SecretString;
use serde::Deserialize;

use super::UnknownWord;

/// Who may come in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// Secret of 32 bytes or more, the same on every server. With `HS256` tokens are signed with it; the ids of
    /// conversations are derived under it whatever the algorithm is. Also `JWT_SECRET`.
    pub jwt_secret: SecretString,
    /// The one algorithm that tokens may be signed with. Default `HS256`.
    pub algorithm: TokenAlgorithm,
    /// Where the public key is, for every algorithm but `HS256`: a PEM file, or a JWKS file with several. Read at the
    /// start. Default none.
    pub public_key_file: String,
    /// What `iss` must be; empty: anything, or nothing. Default empty.
    pub issuer: String,
    /// What `aud` must hold one of; none: anything, or nothing. Default none.
    pub audience: Vec<String>,
    /// Roles in a token that make an agent. Default `admin`.
    pub agent_roles: Vec<String>,
    /// Tokens that are known to be good until they expire, without being checked again. Default 50 000.
    pub remembered_tokens: u64,
}

/// An algorithm that tokens are signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256: `auth.jwt_secret` signs and verifies.
    Hs256,
    /// RSA (PKCS #1 v1.5) with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl TokenAlgorithm {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Hs256, Self::Rs256, Self::Es256, Self::EdDsa];

    /// As a token's `alg` spells it, and the setting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Whether the server holds a public key alone, and cannot sign.
    #[must_use]
    pub fn is_public(self) -> bool {
        self != Self::Hs256
    }
}

impl TryFrom<String> for TokenAlgorithm {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == word)
            .ok_or(UnknownWord { got: word, allowed: "`HS256`, `RS256`, `ES256`, `EdDSA`" })
    }
}
