//! Who may come in: with a token, or without an account.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{DEVELOPMENT_SECRET, Environment, InvalidSetting, UnknownWord};

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
    pub token_cache_size: u64,
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

/// What stands in front of people without an account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardSettings {
    /// How much their requests must show. Default `off`, in production `signed`.
    pub mode: GuardMode,
    /// Secret that the apps sign with, at least 32 bytes; needed where the mode is `signed`. Default none.
    pub secret: SecretString,
}

/// How much a request of somebody without an account must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum GuardMode {
    /// Nothing.
    Off,
    /// The device's own headers.
    Device,
    /// Also a signature.
    Signed,
}

impl TryFrom<String> for GuardMode {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        match word.as_str() {
            "off" => Ok(Self::Off),
            "device" => Ok(Self::Device),
            "signed" => Ok(Self::Signed),
            _ => Err(UnknownWord { got: word, allowed: "`off`, `device`, `signed`" }),
        }
    }
}

/// Every rule that these settings break.
pub(super) fn problems(auth: &AuthSettings, environment: Environment) -> Vec<InvalidSetting> {
    secret(auth, environment).into_iter().chain(tokens(auth)).collect()
}

fn secret(auth: &AuthSettings, environment: Environment) -> Option<InvalidSetting> {
    let secret = auth.jwt_secret.expose_secret();
    let got = match environment {
        Environment::Production if secret == DEVELOPMENT_SECRET => "the development secret".to_owned(),
        // Everybody has a public key: as a secret it would let everybody sign.
        _ if secret.trim_start().starts_with("-----BEGIN") => "a key in PEM form".to_owned(),
        _ if secret.trim_start().starts_with('{') && secret.contains("\"kty\"") => "a JSON Web Key".to_owned(),
        _ if secret.len() < 32 => format!("a secret of {} bytes", secret.len()),
        _ => return None,
    };
    Some(InvalidSetting {
        key: "auth.jwt_secret",
        got,
        allowed: "a secret of 32 bytes or more, in production one of your own; a public key goes into a file, \
                  auth.public_key_file, and the secret is still needed: ids are derived under it"
            .to_owned(),
    })
}

/// How tokens are told good from bad; whether the key file can be used is seen when it is read.
fn tokens(auth: &AuthSettings) -> Vec<InvalidSetting> {
    let mut problems = Vec::new();
    if auth.algorithm.is_public() && auth.public_key_file.is_empty() {
        problems.push(InvalidSetting {
            key: "auth.public_key_file",
            got: "not set".to_owned(),
            allowed: format!(
                "the path of a PEM or JWKS file with the public key, where auth.algorithm is {:?}",
                auth.algorithm.as_str()
            ),
        });
    }
    if !auth.algorithm.is_public() && !auth.public_key_file.is_empty() {
        problems.push(InvalidSetting {
            key: "auth.public_key_file",
            got: "set".to_owned(),
            allowed: "nothing where auth.algorithm is \"HS256\"; for a public key that one is \"RS256\", \"ES256\" or \
                      \"EdDSA\""
                .to_owned(),
        });
    }
    if auth.audience.iter().any(|name| name.trim().is_empty()) {
        problems.push(InvalidSetting {
            key: "auth.audience",
            got: format!("{:?}", auth.audience),
            allowed: "names, none of them empty; an empty list takes any".to_owned(),
        });
    }
    problems
}

#[cfg(test)]
mod tests {
    use crate::config::check::tests::{complaint, load};

    #[test]
    fn a_public_key_is_no_secret() {
        for secret in
            [include_str!("../../tests/keys/rsa.public.pem"), "{\"kty\":\"RSA\",\"n\":\"0123456789\",\"e\":\"AQAB\"}"]
        {
            let complaint = complaint(&[("JWT_SECRET", secret)]);
            assert!(complaint.contains("auth.jwt_secret is a "), "{complaint}");
            assert!(complaint.contains("a public key goes into a file, auth.public_key_file"), "{complaint}");
        }
    }

    #[test]
    fn a_public_algorithm_needs_its_key_file_and_a_secret_takes_none() {
        for algorithm in ["RS256", "ES256", "EdDSA"] {
            let complaint = complaint(&[("SWITCHBOARD__AUTH__ALGORITHM", algorithm)]);
            let expected = format!(
                "auth.public_key_file is not set; allowed: the path of a PEM or JWKS file with the public key, where \
                 auth.algorithm is {algorithm:?}"
            );
            assert!(complaint.contains(&expected), "{complaint}");
        }
        let complaint = complaint(&[("SWITCHBOARD__AUTH__PUBLIC_KEY_FILE", "key.pem")]);
        assert!(complaint.contains("auth.public_key_file is set; allowed: nothing where"), "{complaint}");
    }

    #[test]
    fn no_other_algorithm_can_be_chosen() {
        for word in ["none", "HS512", "PS256", "hs256", ""] {
            let complaint = complaint(&[("SWITCHBOARD__AUTH__ALGORITHM", word)]);
            assert!(complaint.contains("`HS256`, `RS256`, `ES256`, `EdDSA`"), "{word}: {complaint}");
        }
    }

    #[test]
    fn production_needs_a_secret_of_its_own_with_a_public_key_too() {
        let complaint = complaint(&[
            ("SWITCHBOARD_ENV", "production"),
            ("SWITCHBOARD__AUTH__ALGORITHM", "RS256"),
            ("SWITCHBOARD__AUTH__PUBLIC_KEY_FILE", "key.pem"),
        ]);
        assert!(complaint.contains("the secret is still needed: ids are derived under it"), "{complaint}");
    }

    #[test]
    fn an_audience_is_a_list_of_names() {
        let (_, settings) = load(&[("SWITCHBOARD__AUTH__AUDIENCE", "app,web")]).expect("these settings should load");
        assert_eq!(settings.auth.audience, ["app", "web"]);
        let complaint = complaint(&[("SWITCHBOARD__AUTH__AUDIENCE", "app,,web")]);
        assert!(complaint.contains("auth.audience is"), "{complaint}");
    }
}
