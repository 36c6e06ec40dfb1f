//! Tokens signed with a private key, at a server that has the public key.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};
use switchboard::config::{Settings, Sources};
use switchboard::server::Server;

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, QUEUE, ScratchDatabase, TestUser};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");

fn key_file(name: &str) -> String {
    format!("{KEYS}/{name}.pem")
}

fn key_text(name: &str) -> Vec<u8> {
    std::fs::read(key_file(name)).unwrap()
}

fn person(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> TestUser {
    TestUser { token: encode(&Header::new(algorithm), claims, key).unwrap() }
}

fn claims(role: &str) -> Value {
    json!({ "sub": "sarah", "role": role, "exp": get_current_timestamp() + 60, "iss": "https://id.example.com", "aud": ["web"] })
}

#[tokio::test]
async fn a_server_with_a_public_key_accepts_only_tokens_of_its_private_key() {
    for (name, algorithm, key) in [
        ("rsa", Algorithm::RS256, EncodingKey::from_rsa_pem(&key_text("rsa.private")).unwrap()),
        ("ec", Algorithm::ES256, EncodingKey::from_ec_pem(&key_text("ec.private")).unwrap()),
        ("ed", Algorithm::EdDSA, EncodingKey::from_ed_pem(&key_text("ed.private")).unwrap()),
    ] {
        let database = ScratchDatabase::create(Backend::Sqlite).await;
        let server = ApiServer::start_with(
            &database,
            &[
                ("SWITCHBOARD__AUTH__ALGORITHM", &format!("{algorithm:?}")),
                ("SWITCHBOARD__AUTH__PUBLIC_KEY_FILE", &key_file(&format!("{name}.public"))),
                ("SWITCHBOARD__AUTH__ISSUER", "https://id.example.com"),
                ("SWITCHBOARD__AUTH__AUDIENCE", "app,web"),
            ],
        )
        .await;
        let customer = person(algorithm, &key, &claims("user"));
        assert_eq!(server.get(&customer, MY_CONVERSATIONS).await.status, StatusCode::OK, "{name}");
        assert_eq!(server.get(&customer, QUEUE).await.status, StatusCode::FORBIDDEN, "{name}");
        assert_eq!(
            server.get(&person(algorithm, &key, &claims("admin")), QUEUE).await.status,
            StatusCode::OK,
            "{name}"
        );

        let mut elsewhere = claims("admin");
        elsewhere["aud"] = json!("another-app");
        let mut expired = claims("admin");
        expired["exp"] = json!(get_current_timestamp() - 40);
        let public_key_as_secret = EncodingKey::from_secret(&key_text(&format!("{name}.public")));
        for refused in [
            person(algorithm, &key, &elsewhere),
            person(algorithm, &key, &expired),
            person(Algorithm::HS256, &public_key_as_secret, &claims("admin")),
            // Signed with the secret that the server also has.
            TestUser::agent("sarah"),
        ] {
            // Also a cached refusal is a refusal.
            for _ in 0..2 {
                let answer = server.get(&refused, QUEUE).await;
                assert_eq!((answer.status, answer.message()), (StatusCode::UNAUTHORIZED, "Unauthorized"), "{name}");
            }
        }
    }
}

#[actix_web::test]
async fn a_server_refuses_to_start_with_an_unusable_key_and_explains_why() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    for (algorithm, file, reason) in [
        ("RS256", "rsa.private", "holds a private key: give the server the public one alone"),
        ("ES256", "rsa.public", "holds no public key for auth.algorithm \"ES256\": give it a P-256 public key"),
        ("EdDSA", "no-such-key", "cannot be read: No such file"),
    ] {
        let variables = [
            ("PORT", "0".to_owned()),
            ("DATABASE_URL", database.url.clone()),
            ("SWITCHBOARD__AUTH__ALGORITHM", algorithm.to_owned()),
            ("SWITCHBOARD__AUTH__PUBLIC_KEY_FILE", key_file(file)),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (_, settings) = Settings::load(&Sources { folder: None, variables }).unwrap();
        let refusal = Server::start(settings, true).await.unwrap_err().to_string();
        assert!(refusal.contains("auth.public_key_file") && refusal.contains(reason), "{refusal}");
    }
}
