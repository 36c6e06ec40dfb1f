//! Tokens: how they are verified, and who is an agent.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Environment;
use super::connection_lifetime::ConnectionLifetime;
use super::invalid::{InvalidSetting, UnknownValue, outside};

/// The secret in `config/default.toml`. It is public: production refuses to start with it.
pub const DEVELOPMENT_SECRET: &str = "development-secret-change-me-in-production";

/// Tokens: how they are verified, and who is an agent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// Secret, the same on every server, also `JWT_SECRET`. It signs and verifies tokens with `HS256`; conversation ids
    /// are derived from it with any algorithm. Allowed: 32 bytes or more; in production not the default, and 80 bits of
    /// entropy or more, measured as the Shannon entropy of its bytes times its length, of which a repeated part counts
    /// twice at most. Default: `"development-secret-change-me-in-production"`.
    #[schemars(with = "String")]
    pub jwt_secret: SecretString,
    /// The only accepted signature algorithm. Allowed: `HS256`, `RS256`, `ES256`, `EdDSA`. Default: `"HS256"`.
    #[schemars(with = "String")]
    pub algorithm: TokenAlgorithm,
    /// The public key for the other algorithms: a PEM file, or a JWKS file with several keys, selected by `kid`. Read at
    /// the start. Allowed: a path with `RS256`, `ES256` and `EdDSA`, empty with `HS256`. Default: `""`.
    pub public_key_file: String,
    /// Required `iss`; empty accepts any or none. Allowed: any text. Default: `""`.
    pub issuer: String,
    /// Accepted `aud`, one of these; an empty list accepts any or none. Allowed: names. Default: `[]`.
    pub audience: Vec<String>,
    /// Roles that make the bearer of a token an agent. Allowed: one or more. Default: `["admin"]`.
    pub agent_roles: Vec<String>,
    /// Roles whose bearers may assign any conversation to any agent; such a role is an agent's role too. Allowed: roles.
    /// Default: `[]`.
    pub supervisor_roles: Vec<String>,
    /// Verified tokens that are accepted until they expire without verifying them again. Allowed: 0 to 1000000. Default:
    /// `50000`.
    pub token_cache_size: u64,
    /// How long a Socket.IO connection may last; then it is closed, and stock clients connect again. `token`: an agent's
    /// until the token that opened it has expired, with 30 seconds of leeway, and a customer's without limit. A number of
    /// seconds limits every connection in addition; 0 means no limit at all. Allowed: `token`, or 0 to 31536000. Default:
    /// `"token"`.
    #[schemars(with = "String")]
    pub max_connection_seconds: ConnectionLifetime,
    /// Milliseconds after which a change of an agent's role that another server has observed takes effect on this one.
    /// Allowed: 10 to 60000. Default: `250`.
    pub role_refresh_ms: u64,
}

/// A signature algorithm.
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
    /// All algorithms.
    pub const ALL: [Self; 4] = [Self::Hs256, Self::Rs256, Self::Es256, Self::EdDsa];

    /// The value of a token's `alg` and of the setting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Whether the server holds only a public key and cannot sign.
    #[must_use]
    pub fn is_public(self) -> bool {
        self != Self::Hs256
    }
}

impl TryFrom<String> for TokenAlgorithm {
    type Error = UnknownValue;

    fn try_from(value: String) -> Result<Self, UnknownValue> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == value)
            .ok_or(UnknownValue { got: value, allowed: "`HS256`, `RS256`, `ES256`, `EdDSA`" })
    }
}

impl AuthSettings {
    /// All roles of agents, supervisors among them.
    #[must_use]
    pub fn all_agent_roles(&self) -> Vec<String> {
        self.agent_roles.iter().chain(&self.supervisor_roles).cloned().collect()
    }

    /// Whether the key file is usable is checked when it is read.
    pub(super) fn invalid(&self, environment: Environment) -> Vec<InvalidSetting> {
        let cache = outside("auth.token_cache_size", self.token_cache_size, 0..=1_000_000);
        let secret = self.invalid_secret(environment);
        let refresh = outside("auth.role_refresh_ms", self.role_refresh_ms, 10..=60_000);
        [secret, self.invalid_key_file(), self.invalid_audience(), self.invalid_roles(), cache, refresh]
            .into_iter()
            .flatten()
            .collect()
    }

    fn invalid_secret(&self, environment: Environment) -> Option<InvalidSetting> {
        let secret = self.jwt_secret.expose_secret();
        let got = match environment {
            Environment::Production if secret == DEVELOPMENT_SECRET => "the development secret".to_owned(),
            // A public key is known to others: used as an HMAC secret, it would let them sign tokens.
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

    fn invalid_key_file(&self) -> Option<InvalidSetting> {
        let (got, allowed) = match (self.algorithm.is_public(), self.public_key_file.is_empty()) {
            (true, true) => {
                let algorithm = self.algorithm.as_str();
                let allowed = "the path of a PEM or JWKS file with the public key, where auth.algorithm is";
                ("not set", format!("{allowed} {algorithm:?}"))
            }
            (false, false) => (
                "set",
                "nothing where auth.algorithm is \"HS256\"; for a public key that one is \"RS256\", \"ES256\" or \
                 \"EdDSA\""
                    .to_owned(),
            ),
            _ => return None,
        };
        Some(InvalidSetting { key: "auth.public_key_file", got: got.to_owned(), allowed })
    }

    fn invalid_audience(&self) -> Option<InvalidSetting> {
        self.audience.iter().any(|name| name.trim().is_empty()).then(|| InvalidSetting {
            key: "auth.audience",
            got: format!("{:?}", self.audience),
            allowed: "names, none of them empty; an empty list takes any".to_owned(),
        })
    }

    fn invalid_roles(&self) -> Option<InvalidSetting> {
        let is_named = |roles: &[String]| roles.iter().all(|role| !role.trim().is_empty());
        let (key, roles, allowed) = if self.agent_roles.is_empty() || !is_named(&self.agent_roles) {
            ("auth.agent_roles", &self.agent_roles, "one role at least, none of them empty")
        } else if !is_named(&self.supervisor_roles) {
            ("auth.supervisor_roles", &self.supervisor_roles, "roles, none of them empty")
        } else {
            return None;
        };
        Some(InvalidSetting { key, got: format!("{roles:?}"), allowed: allowed.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::{load, load_error};

    #[test]
    fn a_public_key_is_no_secret() {
        for secret in
            [include_str!("../../tests/keys/rsa.public.pem"), "{\"kty\":\"RSA\",\"n\":\"0123456789\",\"e\":\"AQAB\"}"]
        {
            let error = load_error(&[("JWT_SECRET", secret)]);
            assert!(error.contains("auth.jwt_secret is a "), "{error}");
            assert!(error.contains("a public key goes into a file, auth.public_key_file"), "{error}");
        }
    }

    #[test]
    fn a_public_algorithm_needs_its_key_file_and_a_secret_takes_none() {
        for algorithm in ["RS256", "ES256", "EdDSA"] {
            let error = load_error(&[("SWITCHBOARD__AUTH__ALGORITHM", algorithm)]);
            let expected = format!(
                "auth.public_key_file is not set; allowed: the path of a PEM or JWKS file with the public key, where \
                 auth.algorithm is {algorithm:?}"
            );
            assert!(error.contains(&expected), "{error}");
        }
        let error = load_error(&[("SWITCHBOARD__AUTH__PUBLIC_KEY_FILE", "key.pem")]);
        assert!(error.contains("auth.public_key_file is set; allowed: nothing where"), "{error}");
    }

    #[test]
    fn no_other_algorithm_can_be_chosen() {
        for word in ["none", "HS512", "PS256", "hs256", ""] {
            let error = load_error(&[("SWITCHBOARD__AUTH__ALGORITHM", word)]);
            assert!(error.contains("`HS256`, `RS256`, `ES256`, `EdDSA`"), "{word}: {error}");
        }
    }

    #[test]
    fn production_needs_a_secret_of_its_own_with_a_public_key_too() {
        let error = load_error(&[
            ("SWITCHBOARD_ENV", "production"),
            ("SWITCHBOARD__AUTH__ALGORITHM", "RS256"),
            ("SWITCHBOARD__AUTH__PUBLIC_KEY_FILE", "key.pem"),
        ]);
        assert!(error.contains("the secret is still needed: ids are derived under it"), "{error}");
    }

    #[test]
    fn an_audience_is_a_list_of_names() {
        let (_, settings) = load(&[("SWITCHBOARD__AUTH__AUDIENCE", "app,web")]).expect("these settings should load");
        assert_eq!(settings.auth.audience, ["app", "web"]);
        let error = load_error(&[("SWITCHBOARD__AUTH__AUDIENCE", "app,,web")]);
        assert!(error.contains("auth.audience is"), "{error}");
    }
}
