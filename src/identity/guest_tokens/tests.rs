use chrono::{Duration, Utc};

use super::*;
use crate::config::{Settings, Sources};
use crate::identity::{TokenClaims, Verifier, sign};

const SECRET: &str = "a-secret-for-tests-a-secret-for-tests";

fn tokens(secret: &str, token_days: f64, token_version: u32) -> GuestTokens {
    GuestTokens::new(&SecretString::from(secret), &GuestSettings { token_days, token_version }).expect("any key fits")
}

fn guest(place: GuestPlace) -> Guest {
    Guest { place, email: EmailAddress::parse("Jane@Example.com").expect("an address") }
}

#[test]
fn a_token_states_what_it_was_issued_for_until_it_expires() {
    let (tokens, now) = (tokens(SECRET, 0.5, 1), Utc::now());
    for place in [GuestPlace::Conversation(uuid::Uuid::now_v7()), GuestPlace::Ticket(uuid::Uuid::now_v7())] {
        let token = tokens.issue(&guest(place), now).expect("a token");
        for at in [now, now + Duration::seconds(43_199)] {
            assert_eq!(tokens.verify(&format!("Bearer {token}"), at), Some(guest(place)));
        }
        assert_eq!(tokens.verify(&token, now + Duration::seconds(43_200)), None);
    }
}

#[test]
fn another_version_or_secret_and_a_changed_token_are_refused() {
    let now = Utc::now();
    let place = GuestPlace::Conversation(uuid::Uuid::now_v7());
    let token = tokens(SECRET, 30.0, 1).issue(&guest(place), now).expect("a token");
    assert_eq!(tokens(SECRET, 30.0, 2).verify(&token, now), None);
    assert_eq!(tokens("another-secret-another-secret-another", 30.0, 1).verify(&token, now), None);
    let (head, signature) = token.rsplit_once('.').expect("a signature");
    for changed in
        [format!("{head}."), format!("{head}.x{signature}"), head.to_owned(), String::new(), "x".repeat(9000)]
    {
        assert_eq!(tokens(SECRET, 30.0, 1).verify(&changed, now), None, "{changed}");
    }
}

#[test]
fn no_guests_token_is_a_users_and_no_users_token_a_guests() {
    let (tokens, now) = (tokens(SECRET, 30.0, 1), Utc::now());
    let place = GuestPlace::Conversation(uuid::Uuid::now_v7());
    let variables = std::collections::HashMap::from([("JWT_SECRET".to_owned(), SECRET.to_owned())]);
    let (_, settings) = Settings::load(&Sources { folder: None, variables }).expect("these settings should load");
    let verifier = Verifier::new(&settings.auth).expect("a verifier");
    let of_guest = tokens.issue(&guest(place), now).expect("a token");
    assert!(verifier.verify(Some(&of_guest)).is_err());
    let exp = u64::try_from(now.timestamp()).expect("after 1970") + 3600;
    let claims = TokenClaims { sub: "jane".to_owned(), exp, ..TokenClaims::default() };
    let of_user = sign(&claims, &SecretString::from(SECRET)).expect("a token");
    assert!(verifier.verify(Some(&of_user)).is_ok());
    assert_eq!(tokens.verify(&of_user, now), None);
    // Under the users' secret, with a guest's claims.
    let header = Header { typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
    let forged = Claims { place, email: "jane@example.com".to_owned(), iat: 0, exp: i64::MAX, version: 1 };
    let forged = jsonwebtoken::encode(&header, &forged, &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token");
    assert_eq!(tokens.verify(&forged, now), None);
}
