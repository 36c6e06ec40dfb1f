//! Key files that are usable, and those that a server refuses to start with.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::*;

/// A key pair for tests.
#[derive(Clone, Copy)]
pub(in crate::identity) struct Pair {
    pub(in crate::identity) configured: TokenAlgorithm,
    pub(in crate::identity) algorithm: Algorithm,
    pub(in crate::identity) public: &'static str,
    private: &'static str,
}

impl Pair {
    pub(in crate::identity) fn private(&self) -> EncodingKey {
        let pem = self.private.as_bytes();
        match self.configured {
            TokenAlgorithm::Rs256 => EncodingKey::from_rsa_pem(pem),
            TokenAlgorithm::Es256 => EncodingKey::from_ec_pem(pem),
            TokenAlgorithm::EdDsa => EncodingKey::from_ed_pem(pem),
            TokenAlgorithm::Hs256 => unreachable!("no pair"),
        }
        .expect("a private key")
    }

    /// The public key as a JWK.
    pub(in crate::identity) fn jwk(&self, kid: &str) -> Value {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.private(), self.algorithm).expect("a key"))
            .expect("JSON");
        jwk["kid"] = json!(kid);
        jwk["use"] = json!("sig");
        jwk
    }
}

pub(in crate::identity) const RSA: Pair = Pair {
    configured: TokenAlgorithm::Rs256,
    algorithm: Algorithm::RS256,
    public: include_str!("../../../tests/keys/rsa.public.pem"),
    private: include_str!("../../../tests/keys/rsa.private.pem"),
};

pub(in crate::identity) const RSA_OTHER: Pair = Pair {
    configured: TokenAlgorithm::Rs256,
    algorithm: Algorithm::RS256,
    public: include_str!("../../../tests/keys/rsa-other.public.pem"),
    private: include_str!("../../../tests/keys/rsa-other.private.pem"),
};

pub(in crate::identity) const EC: Pair = Pair {
    configured: TokenAlgorithm::Es256,
    algorithm: Algorithm::ES256,
    public: include_str!("../../../tests/keys/ec.public.pem"),
    private: include_str!("../../../tests/keys/ec.private.pem"),
};

pub(in crate::identity) const ED: Pair = Pair {
    configured: TokenAlgorithm::EdDsa,
    algorithm: Algorithm::EdDSA,
    public: include_str!("../../../tests/keys/ed.public.pem"),
    private: include_str!("../../../tests/keys/ed.private.pem"),
};

const SHORT_RSA: &str = include_str!("../../../tests/keys/rsa-1024.public.pem");
const P384: &str = include_str!("../../../tests/keys/ec-p384.public.pem");

/// The message of the error with which these keys are refused.
fn parse_error(text: &str, algorithm: TokenAlgorithm) -> String {
    Keys::parse(text, algorithm).err().unwrap_or_else(|| panic!("{algorithm:?} takes {text}")).to_string()
}

fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

#[test]
fn pem_and_jwks_files_are_recognised_by_their_content() {
    for pair in [RSA, EC, ED] {
        for text in [pair.public.to_owned(), format!("\n{}", pair.public), jwks(&[pair.jwk("k")])] {
            assert!(Keys::parse(&text, pair.configured).is_ok(), "{text}");
        }
    }
    for text in ["", "hello", "{", "{}", "{\"keys\":{}}", "[]", "-----BEGIN CERTIFICATE-----", "-"] {
        let error = parse_error(text, TokenAlgorithm::Rs256);
        assert!(error.starts_with("is neither a PEM file"), "{text}: {error}");
    }
}

#[test]
fn a_key_of_another_algorithm_is_refused() {
    for pair in [RSA, EC, ED] {
        for configured in [TokenAlgorithm::Rs256, TokenAlgorithm::Es256, TokenAlgorithm::EdDsa] {
            if configured != pair.configured {
                assert!(parse_error(pair.public, configured).starts_with("holds no public key for auth.algorithm"));
                let error = parse_error(&jwks(&[pair.jwk("k")]), configured);
                assert!(error.starts_with("holds the key \"k\", which is no key for auth.algorithm"), "{error}");
            }
        }
    }
    assert!(parse_error(P384, TokenAlgorithm::Es256).starts_with("holds no public key for auth.algorithm"));
}

#[test]
fn one_key_of_another_algorithm_among_valid_ones_is_refused() {
    let mut rs512 = RSA_OTHER.jwk("b");
    rs512["alg"] = json!("RS512");
    let secret = json!({ "kty": "oct", "kid": "b", "alg": "HS256", "k": "c2VjcmV0" });
    let unknown = json!({ "kty": "AKP", "kid": "b", "alg": "ML-DSA-44", "pub": "AA" });
    for other in [EC.jwk("b"), rs512, secret, unknown] {
        let error = parse_error(&jwks(&[RSA.jwk("a"), other]), TokenAlgorithm::Rs256);
        assert!(error.starts_with("holds the key \"b\", which is no key for auth.algorithm \"RS256\""), "{error}");
    }
}

#[test]
fn an_encryption_key_is_ignored() {
    let mut encrypting = RSA_OTHER.jwk("e");
    encrypting["use"] = json!("enc");
    encrypting["alg"] = json!("RSA-OAEP");
    let keys = Keys::parse(&jwks(&[encrypting.clone(), RSA.jwk("a")]), TokenAlgorithm::Rs256).expect("keys");
    assert!(keys.of(Some("a")).is_some() && keys.of(Some("e")).is_none());
    assert_eq!(parse_error(&jwks(&[encrypting]), TokenAlgorithm::Rs256), "holds no key that tokens are signed with");
    assert_eq!(parse_error(&jwks(&[]), TokenAlgorithm::Rs256), "holds no key that tokens are signed with");
}

#[test]
fn several_keys_need_a_kid_each() {
    let mut nameless = RSA_OTHER.jwk("b");
    nameless.as_object_mut().expect("an object").remove("kid");
    for second in [RSA_OTHER.jwk("a"), nameless.clone()] {
        let error = parse_error(&jwks(&[RSA.jwk("a"), second]), TokenAlgorithm::Rs256);
        assert!(error.starts_with("holds several keys, so each needs a kid of its own"), "{error}");
    }
    assert!(Keys::parse(&jwks(&[nameless]), TokenAlgorithm::Rs256).is_ok_and(|keys| keys.of(Some("any")).is_some()));
    let both = format!("{}{}", RSA.public, RSA_OTHER.public);
    assert!(parse_error(&both, TokenAlgorithm::Rs256).starts_with("holds several keys: they go into a JWKS file"));
}

#[test]
fn a_private_key_is_refused() {
    for pair in [RSA, EC, ED] {
        assert!(parse_error(pair.private, pair.configured).starts_with("holds a private key"));
        let mut jwk = pair.jwk("k");
        jwk["d"] = json!("AA");
        assert!(parse_error(&jwks(&[jwk]), pair.configured).starts_with("holds a private key"));
    }
}

#[test]
fn a_weak_or_invalid_key_is_refused() {
    assert!(parse_error(SHORT_RSA, TokenAlgorithm::Rs256).contains("it has 1024 bits; RSA keys have 2048 to 4096"));
    for (pair, field, value) in [
        (RSA, "e", json!("AQ")),
        (RSA, "e", json!("AAI")),
        (RSA, "e", json!("")),
        (RSA, "n", json!("AQAB")),
        (RSA, "n", json!("?")),
        (EC, "x", json!("AAAA")),
        (EC, "y", EC.jwk("k")["x"].clone()),
        (ED, "x", json!("AAAA")),
        (ED, "x", json!("")),
    ] {
        let mut jwk = pair.jwk("k");
        jwk[field] = value.clone();
        let error = parse_error(&jwks(&[jwk]), pair.configured);
        assert!(error.starts_with("holds the key \"k\", which cannot be used: "), "{field} {value}: {error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let load = |public_key_file: &str| {
        let settings = AuthSettings {
            jwt_secret: "0123456789abcdef0123456789abcdef".into(),
            algorithm: TokenAlgorithm::Rs256,
            public_key_file: public_key_file.to_owned(),
            issuer: String::new(),
            audience: Vec::new(),
            agent_roles: vec!["admin".to_owned()],
            supervisor_roles: Vec::new(),
            token_cache_size: 0,
            max_connection_seconds: crate::config::ConnectionLifetime::Token,
            role_refresh_ms: 250,
        };
        Keys::load(&settings).err().expect("a refusal").to_string()
    };
    let missing = load("/no/such/key.pem");
    assert!(missing.starts_with("auth.public_key_file \"/no/such/key.pem\" cannot be read: No such file"), "{missing}");
    let folder = tempfile::tempdir().expect("a folder");
    let large = folder.path().join("large");
    std::fs::write(&large, vec![b'-'; 1024 * 1024 + 1]).expect("written");
    assert!(load(&large.display().to_string()).contains("has more than 1048576 bytes"));
}
