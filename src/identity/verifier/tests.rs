//! Tokens that are accepted, and every reason to refuse one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;
use crate::config::{ConnectionLifetime, TokenAlgorithm};
use crate::identity::keys::tests::{EC, ED, Pair, RSA};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn settings() -> AuthSettings {
    AuthSettings {
        jwt_secret: SECRET.into(),
        algorithm: TokenAlgorithm::Hs256,
        public_key_file: String::new(),
        issuer: String::new(),
        audience: Vec::new(),
        agent_roles: vec!["admin".to_owned()],
        supervisor_roles: Vec::new(),
        token_cache_size: 100,
        max_connection_seconds: ConnectionLifetime::Token,
        role_refresh_ms: 250,
    }
}

fn verifier() -> Verifier {
    Verifier::new(&settings()).expect("a verifier")
}

/// Verifies with a public key, given as the text of a file.
fn verifier_of(algorithm: TokenAlgorithm, key_file: &str) -> Verifier {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), key_file).expect("written");
    let public_key_file = file.path().display().to_string();
    Verifier::new(&AuthSettings { algorithm, public_key_file, ..settings() }).expect("a verifier")
}

fn now() -> u64 {
    get_current_timestamp()
}

fn good() -> Value {
    json!({ "sub": "7", "exp": now() + 60 })
}

fn token(claims: &Value) -> String {
    signed(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes()))
}

fn signed(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    encode(header, claims, key).expect("a token")
}

fn named(algorithm: Algorithm, kid: &str) -> Header {
    Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) }
}

fn is_accepted(verifier: &Verifier, token: &str) -> bool {
    verifier.verify(Some(token)).is_ok()
}

#[test]
fn a_valid_token_identifies_its_user() {
    let claims = json!({ "sub": "7", "exp": now() + 60, "role": "admin", "email": "s@x.io" });
    let principal = verifier().verify(Some(&token(&claims))).expect("a principal");
    assert_eq!((principal.id.as_str(), principal.is_agent), ("7", true));
    assert_eq!(principal.email.as_deref(), Some("s@x.io"));
}

#[test]
fn the_role_is_user_if_absent_or_no_string() {
    for role in [json!(null), json!(1)] {
        let claims = json!({ "sub": "7", "exp": now() + 60, "role": role, "phone_number": 5 });
        let principal = verifier().verify(Some(&token(&claims))).expect("a principal");
        assert_eq!((principal.role.as_str(), principal.is_agent, &principal.phone_number), ("user", false, &None));
    }
}

#[test]
fn a_token_may_follow_the_scheme_bearer() {
    let token = token(&good());
    for spelling in [token.clone(), format!("Bearer {token}"), format!("bearer  {token} ")] {
        assert!(is_accepted(&verifier(), &spelling), "{spelling}");
    }
}

#[test]
fn an_invalid_token_is_refused() {
    let now = now();
    for bad in [
        String::new(),
        "Bearer ".to_owned(),
        "x.y.z".to_owned(),
        signed(&Header::new(Algorithm::HS256), &good(), &EncodingKey::from_secret(b"another-secret-another-secret")),
        token(&json!({ "sub": "7", "exp": now - 31 })),
        token(&json!({ "sub": "7" })),
        token(&json!({ "sub": "7", "exp": "soon" })),
        token(&json!({ "sub": "7", "exp": -1 })),
        token(&json!({ "sub": "7", "exp": null })),
        token(&json!({ "exp": now + 60 })),
        token(&json!({ "sub": "", "exp": now + 60 })),
        token(&json!({ "sub": 7, "exp": now + 60 })),
        token(&json!({ "sub": "x".repeat(129), "exp": now + 60 })),
        token(&json!({ "sub": "7", "exp": now + 60, "nbf": now + 40 })),
        token(&json!({ "sub": "7", "exp": now + 60, "name": "x".repeat(MAX_TOKEN_LENGTH) })),
    ] {
        assert!(!is_accepted(&verifier(), &bad), "{bad}");
    }
    assert_eq!(verifier().verify(None), Err(TokenError::Missing));
}

#[test]
fn an_expiry_may_have_a_fraction() {
    let claims = format!("{{\"sub\":\"7\",\"exp\":{}.75}}", now() + 60);
    let claims: Value = serde_json::from_str(&claims).expect("claims");
    assert!(is_accepted(&verifier(), &token(&claims)));
}

#[test]
fn clocks_may_differ_by_30_seconds() {
    assert!(is_accepted(&verifier(), &token(&json!({ "sub": "7", "exp": now() - 25 }))));
}

#[test]
fn an_unsigned_token_is_refused_under_every_algorithm() {
    let claims = URL_SAFE_NO_PAD.encode(good().to_string());
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm, "typ": "JWT" }).to_string());
        for unsigned in [format!("{header}.{claims}."), format!("{header}.{claims}"), format!("{header}.{claims}.AA")] {
            assert!(!is_accepted(&verifier(), &unsigned), "{unsigned}");
            for pair in [RSA, EC, ED] {
                assert!(!is_accepted(&verifier_of(pair.configured, pair.public), &unsigned), "{unsigned}");
            }
        }
    }
}

#[test]
fn each_algorithm_accepts_its_own_tokens_and_no_other() {
    let verifiers = [RSA, EC, ED].map(|pair| (pair.configured, verifier_of(pair.configured, pair.public)));
    for pair in [RSA, EC, ED] {
        let token = signed(&Header::new(pair.algorithm), &good(), &pair.private());
        for (configured, verifier) in &verifiers {
            assert_eq!(is_accepted(verifier, &token), *configured == pair.configured, "{configured:?}: {token}");
        }
        assert!(!is_accepted(&verifier(), &token));
    }
    for (configured, verifier) in &verifiers {
        assert!(!is_accepted(verifier, &token(&good())), "{configured:?} takes a token that is signed with the secret");
    }
}

#[test]
fn an_algorithm_of_the_same_family_is_refused_though_the_key_is_the_right_one() {
    let verifier = verifier_of(RSA.configured, RSA.public);
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512] {
        assert!(!is_accepted(&verifier, &signed(&Header::new(algorithm), &good(), &RSA.private())), "{algorithm:?}");
    }
    let longer = EncodingKey::from_ec_pem(include_bytes!("../../../tests/keys/ec-p384.private.pem")).expect("a key");
    let longer = signed(&Header::new(Algorithm::ES384), &good(), &longer);
    assert!(!is_accepted(&verifier_of(EC.configured, EC.public), &longer));
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        assert!(!is_accepted(&self::verifier(), &signed(&Header::new(algorithm), &good(), &key)), "{algorithm:?}");
    }
}

/// Algorithm confusion: the public key is known, and a library that trusts the token's `alg` uses it as HMAC secret.
#[test]
fn a_public_key_used_as_a_secret_is_refused() {
    for pair in [RSA, EC, ED] {
        let jwks = json!({ "keys": [pair.jwk("k")] }).to_string();
        let jwk = pair.jwk("k");
        let der = pem_contents(pair.public);
        let secrets: [&[u8]; 7] = [
            pair.public.as_bytes(),
            pair.public.trim().as_bytes(),
            der.as_slice(),
            jwks.as_bytes(),
            jwk["n"].as_str().or(jwk["x"].as_str()).unwrap_or_default().as_bytes(),
            b"",
            SECRET.as_bytes(),
        ];
        for verifier in [verifier_of(pair.configured, pair.public), verifier_of(pair.configured, &jwks)] {
            for secret in secrets {
                for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                    let forged = signed(&named(algorithm, "k"), &good(), &EncodingKey::from_secret(secret));
                    assert!(!is_accepted(&verifier, &forged), "{algorithm:?} {:?}", pair.configured);
                    // The same, claiming the configured algorithm.
                    let lying = with_header(&forged, &json!({ "alg": pair.configured.as_str(), "kid": "k" }));
                    assert!(!is_accepted(&verifier, &lying), "{algorithm:?} {:?}", pair.configured);
                }
            }
        }
    }
}

fn pem_contents(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(lines).expect("base64")
}

/// The same claims and signature with another header.
fn with_header(token: &str, header: &Value) -> String {
    let (_, rest) = token.split_once('.').expect("a token");
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[test]
fn a_key_embedded_in_the_token_is_ignored() {
    // Mallory's own key, which signed the token, in its header (RFC 7515).
    let jwk = serde_json::from_value(RSA_OTHER.jwk("k")).expect("a key");
    let header =
        Header { jwk: Some(jwk), jku: Some("https://mallory.example/jwks".to_owned()), ..named(Algorithm::RS256, "k") };
    let forged = signed(&header, &good(), &RSA_OTHER.private());
    let jwks = json!({ "keys": [RSA.jwk("k")] }).to_string();
    assert!(!is_accepted(&verifier_of(RSA.configured, &jwks), &forged));
    assert!(!is_accepted(&verifier_of(RSA.configured, RSA.public), &forged));
}

const RSA_OTHER: Pair = crate::identity::keys::tests::RSA_OTHER;

#[test]
fn kid_selects_the_key_of_a_set() {
    let jwks = json!({ "keys": [RSA.jwk("old"), RSA_OTHER.jwk("new")] }).to_string();
    let verifier = verifier_of(TokenAlgorithm::Rs256, &jwks);
    let by = |kid: Option<&str>, pair: Pair| {
        let header = Header { kid: kid.map(ToOwned::to_owned), ..Header::new(Algorithm::RS256) };
        is_accepted(&verifier, &signed(&header, &good(), &pair.private()))
    };
    assert!(by(Some("old"), RSA));
    assert!(by(Some("new"), RSA_OTHER));
    assert!(!by(Some("new"), RSA), "signed by another key than it names");
    assert!(!by(Some("older"), RSA), "names a key that is not known");
    assert!(!by(None, RSA), "names none of several");
}

#[test]
fn a_token_without_kid_is_accepted_if_there_is_only_one_key() {
    let verifier = verifier_of(TokenAlgorithm::Rs256, &json!({ "keys": [RSA.jwk("one")] }).to_string());
    assert!(is_accepted(&verifier, &signed(&Header::new(Algorithm::RS256), &good(), &RSA.private())));
    assert!(is_accepted(&verifier, &signed(&named(Algorithm::RS256, "one"), &good(), &RSA.private())));
    assert!(!is_accepted(&verifier, &signed(&named(Algorithm::RS256, "two"), &good(), &RSA.private())));
    // A PEM file has no kid: its key verifies tokens with any.
    let verifier = verifier_of(TokenAlgorithm::Rs256, RSA.public);
    assert!(is_accepted(&verifier, &signed(&named(Algorithm::RS256, "two"), &good(), &RSA.private())));
}

#[test]
fn issuer_and_audience_must_match_if_configured() {
    let verifier = Verifier::new(&AuthSettings {
        issuer: "https://id.example.com".to_owned(),
        audience: vec!["app".to_owned(), "web".to_owned()],
        ..settings()
    })
    .expect("a verifier");
    let with = |iss: Value, aud: Value| {
        let mut claims = json!({ "sub": "7", "exp": now() + 60, "iss": iss, "aud": aud });
        claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        token(&claims)
    };
    let iss = json!("https://id.example.com");
    for aud in [json!("app"), json!("web"), json!(["other", "web"])] {
        assert!(is_accepted(&verifier, &with(iss.clone(), aud.clone())), "{aud}");
    }
    for aud in [json!("other"), json!(["other"]), json!([]), json!(null), json!(7), json!("App")] {
        assert!(!is_accepted(&verifier, &with(iss.clone(), aud.clone())), "{aud}");
    }
    for iss in [json!("https://id.example.com/"), json!("https://mallory.example"), json!(null), json!(7), json!("")] {
        assert!(!is_accepted(&verifier, &with(iss.clone(), json!("app"))), "{iss}");
    }
    // If none is configured, none is required and any is accepted.
    assert!(is_accepted(&self::verifier(), &with(json!("any issuer"), json!(["anything"]))));
}

#[test]
fn a_critical_header_is_refused() {
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::HS256) };
    let token = signed(&header, &good(), &EncodingKey::from_secret(SECRET.as_bytes()));
    assert_eq!(verifier().verify(Some(&token)), Err(TokenError::Critical));
}

#[test]
fn a_cached_token_expires_at_the_same_second_as_an_uncached_one() {
    let exp = now() + 3600;
    let token = token(&json!({ "sub": "7", "exp": exp }));
    let remembering = verifier();
    for round in 0..2 {
        for (second, is_good) in [(exp, true), (exp + 30, true), (exp + 31, false), (exp + 3600, false)] {
            let outcome = remembering.verify_at(Some(&token), second);
            assert_eq!(outcome.is_ok(), is_good, "remembered, {}, round {round}", second - exp);
            assert_eq!(remembering.cached_count(), 1);
            let outcome = verifier().verify_at(Some(&token), second);
            assert_eq!(outcome.is_ok(), is_good, "new, {}", second - exp);
        }
    }
}

#[test]
fn a_cached_principal_is_shared() {
    let verifier = verifier();
    let token = token(&json!({ "sub": "7", "exp": now() + 60, "name": "Sarah" }));
    let first = verifier.verify(Some(&token)).expect("a principal");
    let again = verifier.verify(Some(&format!("Bearer {token}"))).expect("a principal");
    assert!(std::ptr::eq(&raw const *first, &raw const *again));
}

#[test]
fn a_token_that_differs_in_one_character_is_not_the_cached_one() {
    let verifier = verifier();
    let token = token(&good());
    assert!(is_accepted(&verifier, &token));
    for place in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).expect("ASCII");
        // The last character of a signature has unused bits; the library refuses them if they are set.
        assert!(!is_accepted(&verifier, &other), "{other}");
    }
    assert_eq!(verifier.cached_count(), 1, "a bad token is not remembered");
}

#[test]
fn the_cache_has_the_configured_size() {
    for (token_cache_size, most) in [(0, 0), (3, 3)] {
        let verifier = Verifier::new(&AuthSettings { token_cache_size, ..settings() }).expect("a verifier");
        let tokens: Vec<_> = (0..20).map(|n| token(&json!({ "sub": n.to_string(), "exp": now() + 60 }))).collect();
        for _ in 0..2 {
            for (n, token) in tokens.iter().enumerate() {
                let principal = verifier.verify(Some(token)).expect("a principal");
                assert_eq!(principal.id.as_str(), n.to_string());
            }
        }
        assert!(verifier.cached_count() <= most);
    }
}
