//! Keys that verify tokens: the shared secret, or public keys from a file.
//!
//! The file is a PEM file with one key, or a JWKS (RFC 7517) with any number, selected by `kid`. It is read once, at the
//! start, and each key in it must match the configured algorithm: a server that starts can verify tokens.

#[cfg(test)]
pub(super) mod tests;

use std::collections::HashMap;
use std::path::Path;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::rsa_key;
use crate::config::{AuthSettings, TokenAlgorithm};

/// Bytes of a key file.
const MAX_FILE_SIZE: u64 = 1024 * 1024;

/// Why a key file cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("auth.public_key_file {file:?} {problem}")]
pub struct KeyFileError {
    file: String,
    problem: KeyProblem,
}

/// What is wrong with a key file.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyProblem {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("has more than {MAX_FILE_SIZE} bytes: that is no key file")]
    TooLarge,
    #[error("is neither a PEM file (\"-----BEGIN PUBLIC KEY-----\") nor a JWKS file ({{ \"keys\": [ … ] }})")]
    Unknown,
    #[error("holds a private key: give the server the public one alone (openssl pkey -in private.pem -pubout)")]
    Private,
    #[error("holds several keys: they go into a JWKS file, each with a kid of its own")]
    SeveralPem,
    #[error("holds no public key for auth.algorithm {0:?}: give it {1}, or change the algorithm")]
    OtherPem(&'static str, &'static str),
    #[error("holds {0}, which is no key for auth.algorithm {1:?}: take it out, or change the algorithm")]
    OtherKey(String, &'static str),
    #[error("holds {0}, which cannot be used: {1}")]
    BadKey(String, String),
    #[error("holds no key that tokens are signed with")]
    Empty,
    #[error("holds several keys, so each needs a kid of its own; {0} has none, or another's")]
    Kid(String),
}

/// Keys that verify tokens.
pub(super) enum Keys {
    /// The only key, whichever `kid` a token names.
    One(Box<DecodingKey>),
    /// By their `kid`.
    Named(HashMap<String, DecodingKey>),
}

impl Keys {
    /// The configured secret, or the keys in the configured file.
    pub(super) fn load(settings: &AuthSettings) -> Result<Self, KeyFileError> {
        if !settings.algorithm.is_public() {
            let secret = settings.jwt_secret.expose_secret().as_bytes();
            return Ok(Self::One(Box::new(DecodingKey::from_secret(secret))));
        }
        let file = &settings.public_key_file;
        read(Path::new(file))
            .and_then(|text| Self::parse(&text, settings.algorithm))
            .map_err(|problem| KeyFileError { file: file.clone(), problem })
    }

    pub(super) fn parse(text: &str, algorithm: TokenAlgorithm) -> Result<Self, KeyProblem> {
        match text.trim_start().chars().next() {
            Some('{') => from_jwks(text, algorithm),
            Some('-') => from_pem(text, algorithm).map(|key| Self::One(Box::new(key))),
            _ => Err(KeyProblem::Unknown),
        }
    }

    /// The key that a token names. A token without `kid` matches if there is only one key.
    pub(super) fn of(&self, kid: Option<&str>) -> Option<&DecodingKey> {
        match (self, kid) {
            (Self::One(key), _) => Some(key),
            (Self::Named(keys), Some(kid)) => keys.get(kid),
            (Self::Named(keys), None) => keys.values().next().filter(|_| keys.len() == 1),
        }
    }
}

fn read(file: &Path) -> Result<String, KeyProblem> {
    if std::fs::metadata(file)?.len() > MAX_FILE_SIZE {
        return Err(KeyProblem::TooLarge);
    }
    Ok(std::fs::read_to_string(file)?)
}

fn from_pem(text: &str, algorithm: TokenAlgorithm) -> Result<DecodingKey, KeyProblem> {
    if text.contains("PRIVATE KEY-----") {
        return Err(KeyProblem::Private);
    }
    if text.matches("-----BEGIN").count() > 1 {
        return Err(KeyProblem::SeveralPem);
    }
    if !["-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA PUBLIC KEY-----"].iter().any(|label| text.contains(label)) {
        return Err(KeyProblem::Unknown);
    }
    let (key, wanted) = match algorithm {
        TokenAlgorithm::Rs256 => (DecodingKey::from_rsa_pem(text.as_bytes()), "an RSA public key in PEM form"),
        TokenAlgorithm::Es256 => (DecodingKey::from_ec_pem(text.as_bytes()), "a P-256 public key in PEM form"),
        TokenAlgorithm::EdDsa => (DecodingKey::from_ed_pem(text.as_bytes()), "an Ed25519 public key in PEM form"),
        TokenAlgorithm::Hs256 => return Err(KeyProblem::Unknown),
    };
    let other = || KeyProblem::OtherPem(algorithm.as_str(), wanted);
    let key = key.map_err(|_| other())?;
    let parameters = Jwk::from_decoding_key(&key, None).map_err(|_| other())?.algorithm;
    check(&parameters, &key, algorithm).map_err(|fault| match fault {
        Fault::Other => other(),
        Fault::Bad(why) => KeyProblem::BadKey("a key".to_owned(), why),
    })?;
    Ok(key)
}

fn from_jwks(text: &str, algorithm: TokenAlgorithm) -> Result<Keys, KeyProblem> {
    let document: Value = serde_json::from_str(text).map_err(|_| KeyProblem::Unknown)?;
    let keys = document.get("keys").and_then(Value::as_array).ok_or(KeyProblem::Unknown)?;
    let mut found: Vec<(Option<String>, String, DecodingKey)> = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let kid = key.get("kid").and_then(Value::as_str).map(ToOwned::to_owned);
        let shown = kid
            .as_ref()
            .map_or_else(|| format!("a key without kid, number {}", index + 1), |kid| format!("the key {kid:?}"));
        if let Some(decoding) = from_jwk(key, &shown, algorithm)? {
            found.push((kid, shown, decoding));
        }
    }
    if found.len() < 2 {
        return match found.pop() {
            None => Err(KeyProblem::Empty),
            Some((None, _, key)) => Ok(Keys::One(Box::new(key))),
            Some((Some(kid), _, key)) => Ok(Keys::Named(HashMap::from([(kid, key)]))),
        };
    }
    let mut named = HashMap::with_capacity(found.len());
    for (kid, shown, key) in found {
        match kid {
            Some(kid) if !named.contains_key(&kid) => named.insert(kid, key),
            _ => return Err(KeyProblem::Kid(shown)),
        };
    }
    Ok(Keys::Named(named))
}

/// A key of a JWKS; none if it is an encryption key, which some issuers publish in the same file.
fn from_jwk(value: &Value, shown: &str, algorithm: TokenAlgorithm) -> Result<Option<DecodingKey>, KeyProblem> {
    let other = || KeyProblem::OtherKey(shown.to_owned(), algorithm.as_str());
    let bad = |why: String| KeyProblem::BadKey(shown.to_owned(), why);
    if value.get("use").and_then(Value::as_str).is_some_and(|usage| usage != "sig") {
        return Ok(None);
    }
    if value.get("kty").and_then(Value::as_str) == Some("oct") {
        return Err(other());
    }
    if value.get("d").is_some() {
        return Err(KeyProblem::Private);
    }
    let key: Jwk = serde_json::from_value(value.clone()).map_err(|error| bad(error.to_string()))?;
    if key.common.key_algorithm.is_some_and(|named| named != KeyAlgorithm::from(jwt_algorithm(algorithm))) {
        return Err(other());
    }
    if matches!(key.algorithm, AlgorithmParameters::Other(_)) {
        return Err(other());
    }
    let decoding = DecodingKey::from_jwk(&key).map_err(|error| bad(error.to_string()))?;
    check(&key.algorithm, &decoding, algorithm).map_err(|fault| match fault {
        Fault::Other => other(),
        Fault::Bad(why) => bad(why),
    })?;
    Ok(Some(decoding))
}

/// Why a key is refused.
enum Fault {
    /// It is for another algorithm.
    Other,
    /// It is for the right algorithm but invalid.
    Bad(String),
}

/// Checks that a key is valid for the algorithm. The library checks that only when it verifies, and not completely.
fn check(parameters: &AlgorithmParameters, key: &DecodingKey, algorithm: TokenAlgorithm) -> Result<(), Fault> {
    match (algorithm, parameters) {
        (TokenAlgorithm::Rs256, AlgorithmParameters::RSA(rsa)) => rsa_key::check(&rsa.n, &rsa.e).map_err(Fault::Bad)?,
        (TokenAlgorithm::Es256, AlgorithmParameters::EllipticCurve(curve)) if curve.curve == EllipticCurve::P256 => {}
        (TokenAlgorithm::EdDsa, AlgorithmParameters::OctetKeyPair(pair)) if pair.curve == EllipticCurve::Ed25519 => {
            // Refuses a key that is too short, which verifying does not.
            Jwk::from_decoding_key(key, None).map_err(|error| Fault::Bad(error.to_string()))?;
        }
        _ => return Err(Fault::Other),
    }
    // Refuses a point that is not on the curve.
    crypto::verify("", b"", key, jwt_algorithm(algorithm)).map(|_| ()).map_err(|error| Fault::Bad(error.to_string()))
}

/// The library's name for an algorithm.
pub(super) fn jwt_algorithm(configured: TokenAlgorithm) -> Algorithm {
    match configured {
        TokenAlgorithm::Hs256 => Algorithm::HS256,
        TokenAlgorithm::Rs256 => Algorithm::RS256,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}
