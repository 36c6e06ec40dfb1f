use super::entropy_bits;
use crate::config::testing::{load, load_error, sources};
use crate::config::{DEVELOPMENT_SECRET, Settings};

const TOKEN_SECRET: &str = "5f2d9c0b7a1e48366d0c9e2b7f41a853";
const GUARD_SECRET: &str = "c81b0d7e4f6a92533a9fe0c1d5b78246";

/// Valid production settings, with these on top.
fn production<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut variables = vec![
        ("SWITCHBOARD_ENV", "production"),
        ("JWT_SECRET", TOKEN_SECRET),
        ("SWITCHBOARD__GUARD__SECRET", GUARD_SECRET),
        ("DATABASE_URL", "postgres://app:a-password@db/chat"),
    ];
    for (name, value) in changes {
        variables.retain(|(other, _)| other != name);
        variables.push((name, value));
    }
    variables
}

#[test]
fn production_loads_with_secrets_of_its_own() {
    load(&production(&[])).expect("these settings should load");
}

#[test]
fn production_refuses_a_guard_secret_that_is_another_secret() {
    let encoded = "postgres://app:%6381b0d7e4f6a92533a9fe0c1d5b78246@db/chat";
    for (name, value, other) in [
        ("SWITCHBOARD__GUARD__SECRET", TOKEN_SECRET.to_owned(), "auth.jwt_secret"),
        ("SWITCHBOARD__GUARD__SECRET", format!("{TOKEN_SECRET}\n"), "auth.jwt_secret"),
        ("DATABASE_URL", format!("postgres://app:{GUARD_SECRET}@db/chat"), "the password of database.url"),
        ("DATABASE_URL", encoded.to_owned(), "the password of database.url"),
        ("DATABASE_URL", format!("postgres://app@db/chat?password={GUARD_SECRET}"), "the password of database.url"),
        ("REDIS_URL", format!("redis://:{GUARD_SECRET}@cache"), "the password of cluster.redis_url"),
    ] {
        let error = load_error(&production(&[(name, &value)]));
        assert!(error.contains(&format!("guard.secret is the same as {other}; allowed:")), "{value}: {error}");
        assert!(!error.contains(TOKEN_SECRET) && !error.contains(GUARD_SECRET), "{error}");
    }
    // Also where no request is signed: the secret is in the apps all the same.
    let off = [("SWITCHBOARD__GUARD__MODE", "device"), ("SWITCHBOARD__GUARD__SECRET", TOKEN_SECRET)];
    assert!(load_error(&production(&off)).contains("guard.secret is the same as auth.jwt_secret"));
}

#[test]
fn production_refuses_the_development_secret_in_any_setting() {
    let padded = format!("{DEVELOPMENT_SECRET}-2");
    let database = format!("postgres://app:{DEVELOPMENT_SECRET}@db/chat");
    let redis = format!("redis://:{DEVELOPMENT_SECRET}@cache");
    for (name, value, key) in [
        ("JWT_SECRET", padded.as_str(), "auth.jwt_secret"),
        ("SWITCHBOARD__GUARD__SECRET", DEVELOPMENT_SECRET, "guard.secret"),
        ("SWITCHBOARD__GUARD__SECRET", &padded, "guard.secret"),
        ("DATABASE_URL", &database, "database.url"),
        ("REDIS_URL", &redis, "cluster.redis_url"),
    ] {
        let error = load_error(&production(&[(name, value)]));
        assert!(error.contains(&format!("{key} is made of the development secret")), "{name}: {error}");
    }
}

#[test]
fn production_refuses_a_secret_that_is_easy_to_guess() {
    for (secret, is_allowed) in [
        ("changemechangemechangemechangeme", false),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ("00000000000000000000000000000012", false),
        ("aaaaaaaabbbbbbbbccccccccdddddddd", false),
        ("0123456789abcdef0123456789abcdef", true),
        ("31415926535897932384626433832795", true),
    ] {
        for name in ["JWT_SECRET", "SWITCHBOARD__GUARD__SECRET"] {
            match load(&production(&[(name, secret)])) {
                Ok(_) => assert!(is_allowed, "{name} {secret}"),
                Err(error) => {
                    assert!(!is_allowed, "{name} {secret}: {error}");
                    assert!(error.to_string().contains("bits of entropy"), "{error}");
                    assert!(!error.to_string().contains(secret), "{error}");
                }
            }
        }
    }
}

#[test]
fn eighty_bits_are_the_edge() {
    // 16 bytes of 32 different ones have 5 bits each.
    let letters = "abcdefghijklmnopqrstuvwxyz012345";
    assert!((entropy_bits(letters) - 160.0).abs() < 1e-9);
    // 40 bytes of 4 kinds, 2 bits each, without a period: 80 bits exactly. One byte less of one kind is less.
    let exact = "aabbccddabcdabdcacbdbadcbcaddbcacdabadbc".to_owned();
    assert!((entropy_bits(&exact) - 80.0).abs() < 1e-9, "{}", entropy_bits(&exact));
    let below = &exact[1..];
    assert!(entropy_bits(below) < 80.0, "{}", entropy_bits(below));
    load(&production(&[("JWT_SECRET", &exact)])).expect("80 bits should be allowed");
    assert!(load_error(&production(&[("JWT_SECRET", below)])).contains("auth.jwt_secret is a secret of"));
}

#[test]
fn the_known_secret_is_served_on_loopback_only_unless_allowed() {
    for (host, is_loopback) in [
        ("127.0.0.1", true),
        ("127.8.8.8", true),
        ("::1", true),
        ("::ffff:127.0.0.1", true),
        ("0.0.0.0", false),
        ("::", false),
        ("192.0.2.7", false),
    ] {
        let host = ("SWITCHBOARD__SERVER__HOST", host);
        match load(&[host]) {
            Ok(_) => assert!(is_loopback, "{host:?}"),
            Err(error) => {
                assert!(!is_loopback, "{host:?}: {error}");
                assert!(error.to_string().contains("server.host is"), "{error}");
            }
        }
        load(&[host, ("JWT_SECRET", TOKEN_SECRET)]).expect("a secret of one's own is served anywhere");
        let allowed = [host, ("SWITCHBOARD__SERVER__ALLOW_DEVELOPMENT_SECRET", "true")];
        let (environment, settings) = load(&allowed).expect("explicitly allowed");
        let warnings = settings.warnings(environment);
        assert_eq!(warnings.iter().any(|warning| warning.contains("any client")), !is_loopback, "{warnings:?}");
    }
    // It is a setting for development.
    let error =
        load_error(&[("SWITCHBOARD_ENV", "production"), ("SWITCHBOARD__SERVER__ALLOW_DEVELOPMENT_SECRET", "true")]);
    assert!(error.contains("auth.jwt_secret is the development secret"), "{error}");
}

#[test]
fn production_warns_if_tokens_of_any_kind_are_accepted() {
    for (changes, is_warned) in [
        (vec![], true),
        (vec![("SWITCHBOARD__AUTH__AUDIENCE", "support")], false),
        (vec![("SWITCHBOARD__AUTH__ISSUER", "https://id.example.com")], false),
    ] {
        let (environment, settings) = load(&production(&changes)).expect("these settings should load");
        let warnings = settings.warnings(environment);
        assert_eq!(warnings.iter().any(|warning| warning.contains("auth.audience")), is_warned, "{warnings:?}");
    }
    let (environment, settings) = load(&[]).expect("the defaults should load");
    assert_eq!(settings.warnings(environment), Vec::<String>::new());
}

#[test]
fn production_warns_if_no_database_is_chosen() {
    for (url, is_warned) in [("", true), ("postgres://app@db/chat", false), ("sqlite:///var/lib/switchboard.db", false)]
    {
        let (environment, settings) = load(&production(&[("DATABASE_URL", url)])).expect("these settings should load");
        let warnings = settings.warnings(environment);
        assert_eq!(warnings.iter().any(|warning| warning.contains("DATABASE_URL")), is_warned, "{url}: {warnings:?}");
    }
}

/// Loads settings from this text in place of `config/default.toml`.
fn load_file(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("default.toml"), text).expect("written");
    std::fs::write(folder.path().join("development.toml"), "").expect("written");
    let sources = crate::config::Sources { folder: Some(folder.path().to_owned()), ..sources(&[]) };
    Settings::load(&sources).expect_err("these settings should be refused").to_string()
}

#[test]
fn a_malformed_file_is_located_and_never_quoted() {
    for line in [
        "jwt_secret = hunter2",
        "jwt_secret = \"hunter2",
        "jwt_secret \"hunter2\"",
        "\"hunter2\"",
        "jwt_secret = \"hunter2\" \"x\"",
        "jwt_secret = 'hunter2\\'x'",
        "jwt_secret = \"hunter2\\q\"",
        "jwt_secret = [\"hunter2\"]",
        "jwt_secret = { is = \"hunter2\" }",
        "[hunter2",
    ] {
        let default = include_str!("../../../config/default.toml");
        let secret = format!("jwt_secret = \"{DEVELOPMENT_SECRET}\"");
        assert!(default.contains(&secret));
        let error = load_file(&default.replace(&secret, line));
        assert!(!error.contains("hunter2"), "{line}: {error}");
        let is_located = error.contains("default.toml is not valid TOML at line ");
        assert!(is_located || error.contains("jwt_secret"), "{line}: {error}");
    }
    assert!(load_file("auth = \"hunter2\"\n").ends_with("auth is a section of settings, not a setting"));
    assert!(load_file("[auth]\na = 1\na = 2\n").contains("default.toml is not valid TOML at line 3, column "));
}

#[test]
fn a_variable_in_the_place_of_a_section_is_never_quoted() {
    for name in [
        "SWITCHBOARD__AUTH",
        "SWITCHBOARD__GUARD",
        "SWITCHBOARD__HELP_CENTER__AUTO_REPLY",
        "SWITCHBOARD__AUTH__JWT_SECRET__X",
    ] {
        let error = load_error(&[(name, "secret = hunter2")]);
        assert!(!error.contains("hunter2"), "{name}: {error}");
        assert!(error.contains("auth") || error.contains("guard") || error.contains("auto_reply"), "{name}: {error}");
    }
}

#[test]
fn an_unknown_section_is_refused_even_if_it_is_empty() {
    let default = include_str!("../../../config/default.toml");
    for (section, word) in [("[chaos]", "chaos"), ("[auth.keys]", "keys"), ("[help_center.auto_reply.texts]", "texts")]
    {
        let error = load_file(&format!("{default}\n{section}\n"));
        assert!(error.contains(word), "{section}: {error}");
    }
}
