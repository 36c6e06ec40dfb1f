//! What a secret must be, beyond the rules of its own section: not guessable, not known to others, and used for one
//! purpose only.

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;

use super::invalid::InvalidSetting;
use super::{DEVELOPMENT_SECRET, Environment, Settings};

/// Least entropy of a secret in production, in bits, as [`entropy_bits`] measures it.
const MIN_ENTROPY_BITS: f64 = 80.0;

/// What is wrong with the secrets of these settings.
pub(super) fn invalid(settings: &Settings, environment: Environment) -> Vec<InvalidSetting> {
    match environment {
        Environment::Development => known_beyond_loopback(settings).into_iter().collect(),
        Environment::Production => {
            let known = development_secrets(settings);
            let mut invalid: Vec<_> = weak(settings).chain(shared(settings)).collect();
            // Of a secret that is refused because others know it, nothing else matters.
            invalid.retain(|setting| !known.iter().any(|other| other.key == setting.key));
            invalid.extend(known);
            invalid
        }
    }
}

/// Whether the secret that signs tokens is, or contains, the public one of `config/default.toml`.
pub(super) fn signs_with_a_known_secret(settings: &Settings) -> bool {
    settings.auth.jwt_secret.expose_secret().contains(DEVELOPMENT_SECRET)
}

/// Whether only this machine can connect.
pub(super) fn listens_on_loopback(settings: &Settings) -> bool {
    settings.server.host.parse::<IpAddr>().is_ok_and(|host| host.to_canonical().is_loopback())
}

fn known_beyond_loopback(settings: &Settings) -> Option<InvalidSetting> {
    let is_open = signs_with_a_known_secret(settings)
        && !listens_on_loopback(settings)
        && !settings.server.allow_development_secret;
    is_open.then(|| InvalidSetting {
        key: "server.host",
        got: format!("{:?} while auth.jwt_secret is the development secret, which is public", settings.server.host),
        allowed:
            "a loopback address such as \"127.0.0.1\"; any address with a secret of your own (JWT_SECRET), or with \
                  server.allow_development_secret"
                .to_owned(),
    })
}

/// The development secret as, or in, any setting; the auth section reports it where it is `auth.jwt_secret` exactly.
fn development_secrets(settings: &Settings) -> Vec<InvalidSetting> {
    let token_secret = settings.auth.jwt_secret.expose_secret();
    let others = [
        ("auth.jwt_secret", vec![token_secret.to_owned()]),
        ("guard.secret", vec![settings.guard.secret.expose_secret().to_owned()]),
        ("database.url", credentials(settings.database.url.expose_secret())),
        ("cluster.redis_url", credentials(settings.cluster.redis_url.expose_secret())),
    ];
    others
        .into_iter()
        .filter(|(key, _)| *key != "auth.jwt_secret" || token_secret != DEVELOPMENT_SECRET)
        .filter(|(_, values)| values.iter().any(|value| value.contains(DEVELOPMENT_SECRET)))
        .map(|(key, _)| InvalidSetting {
            key,
            got: "made of the development secret, which is public".to_owned(),
            allowed: "a secret of your own".to_owned(),
        })
        .collect()
}

/// The secrets that are too easy to guess.
fn weak(settings: &Settings) -> impl Iterator<Item = InvalidSetting> {
    let (token, guard) = (settings.auth.jwt_secret.expose_secret(), settings.guard.secret.expose_secret());
    // Shorter ones are refused for their length, each by its own section.
    [("auth.jwt_secret", token), ("guard.secret", guard)]
        .into_iter()
        .filter(|(_, secret)| secret.len() >= 32)
        .map(|(key, secret)| (key, entropy_bits(secret)))
        .filter(|(_, bits)| *bits < MIN_ENTROPY_BITS)
        .map(|(key, bits)| InvalidSetting {
            key,
            got: format!("a secret of {bits:.0} bits of entropy, which is easy to guess"),
            allowed: format!("{MIN_ENTROPY_BITS:.0} bits or more, such as the output of `openssl rand -hex 32`"),
        })
}

/// `guard.secret` is in every app and so the first to become public: no other secret may be the same.
fn shared(settings: &Settings) -> Option<InvalidSetting> {
    let guard = settings.guard.secret.expose_secret().trim();
    let others = [
        ("auth.jwt_secret", vec![settings.auth.jwt_secret.expose_secret().to_owned()]),
        ("the password of database.url", credentials(settings.database.url.expose_secret())),
        ("the password of cluster.redis_url", credentials(settings.cluster.redis_url.expose_secret())),
    ];
    let (same, _) =
        others.iter().find(|(_, values)| !guard.is_empty() && values.iter().any(|value| value.trim() == guard))?;
    Some(InvalidSetting {
        key: "guard.secret",
        got: format!("the same as {same}"),
        allowed: "a secret that is used for nothing else: every app contains it".to_owned(),
    })
}

/// The passwords in an address: before the host, or in the query string. Each as written, and decoded.
fn credentials(address: &str) -> Vec<String> {
    let Ok(url) = url::Url::parse(address) else { return Vec::new() };
    let written = url.password().map(ToOwned::to_owned);
    let decoded = url.password().map(|password| percent_decode_str(password).decode_utf8_lossy().into_owned());
    let query = url.query_pairs().map(|(_, value)| value.into_owned());
    written.into_iter().chain(decoded).chain(query).collect()
}

/// The entropy of a secret in bits, estimated from the secret alone: the Shannon entropy of its bytes' frequencies, times
/// its length. Of a secret that repeats a shorter one, two repetitions are counted: more of them are no harder to guess.
///
/// Random secrets of 32 hex digits have 92 to 128 bits by this measure, `"changeme"` four times has 44. A sentence of words
/// passes: how common its words are cannot be seen in it.
fn entropy_bits(secret: &str) -> f64 {
    let bytes = secret.as_bytes();
    let period = (1..=bytes.len()).find(|period| bytes.iter().zip(bytes.iter().skip(*period)).all(|(a, b)| a == b));
    let counted: Vec<u8> = bytes.iter().copied().take(period.unwrap_or(0).saturating_mul(2)).collect();
    let total = counted.len() as f64;
    let mut counts = [0_u32; 256];
    for byte in counted {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) * (total / f64::from(*count)).log2()).sum()
}
