use secrecy::ExposeSecret;

use super::Environment;
use super::testing::{load, load_error};

#[test]
fn the_defaults_are_valid() {
    let (environment, settings) = load(&[]).expect("the defaults should load");
    assert_eq!(environment, Environment::Development);
    assert_eq!(settings.server.port, 1500);
    assert_eq!(settings.cors.origins, ["*"]);
}

#[test]
fn variables_override_files_and_short_variables_override_all() {
    let (_, settings) = load(&[
        ("SWITCHBOARD__SERVER__PORT", "1600"),
        ("PORT", "1700"),
        ("SWITCHBOARD__SERVER__WORKERS", "3"),
        ("SWITCHBOARD__CLUSTER__REDIS_URL", "redis://one"),
        ("REDIS_URL", "redis://two"),
        ("SWITCHBOARD__CORS__ORIGINS", "https://a.example,https://b.example:8443"),
    ])
    .expect("these settings should load");
    assert_eq!(settings.server.port, 1700);
    assert_eq!(settings.server.workers, 3);
    assert_eq!(settings.cluster.redis_url.expose_secret(), "redis://two");
    assert_eq!(settings.cors.origins, ["https://a.example", "https://b.example:8443"]);
}

#[test]
fn the_items_of_a_list_are_separated_by_commas() {
    for (value, expected) in [
        ("", vec![]),
        (" ", vec![]),
        ("https://a.example", vec!["https://a.example"]),
        ("https://a.example, https://b.example ", vec!["https://a.example", "https://b.example"]),
    ] {
        let (_, settings) = load(&[("SWITCHBOARD__CORS__ORIGINS", value)]).expect("these settings should load");
        assert_eq!(settings.cors.origins, expected, "{value:?}");
    }
}

#[test]
fn numbers_and_booleans_are_read_from_variables() {
    let (_, settings) = load(&[
        ("SWITCHBOARD__DATABASE__TIMEOUT_MS", "250"),
        ("SWITCHBOARD__CONVERSATION__CATCH_UP_MAX_EVENTS", "7"),
        ("SWITCHBOARD__LIMITS__ENABLED", "true"),
        ("SWITCHBOARD__RECOVERY__ENABLED", "False"),
        ("switchboard__docs__enabled", "0"),
    ])
    .expect("these settings should load");
    assert_eq!((settings.database.timeout_ms, settings.conversation.catch_up_max_events), (250, 7));
    assert_eq!((settings.limits.enabled, settings.recovery.enabled, settings.docs.enabled), (true, false, false));
    let error = load_error(&[("SWITCHBOARD__JOURNAL__BATCH", "many")]);
    assert!(error.contains("many") && error.contains("batch"), "{error}");
}

#[test]
fn a_secret_of_digits_is_not_parsed_as_a_number() {
    let digits = "00000000000000000000000000000012";
    let (_, settings) = load(&[("SWITCHBOARD__AUTH__JWT_SECRET", digits)]).expect("these settings should load");
    assert_eq!(settings.auth.jwt_secret.expose_secret(), digits);
}

#[test]
fn production_refuses_the_development_secret() {
    let error = load_error(&[("SWITCHBOARD_ENV", "production")]);
    assert!(error.contains("auth.jwt_secret is the development secret; allowed:"), "{error}");
}

#[test]
fn a_value_out_of_range_is_named_with_what_is_allowed() {
    let error = load_error(&[("SWITCHBOARD__JOURNAL__BATCH", "0"), ("SWITCHBOARD__DATABASE__TIMEOUT_MS", "99")]);
    assert!(error.contains("journal.batch is 0; allowed: 1 to 4096"), "{error}");
    assert!(error.contains("database.timeout_ms is 99; allowed: 100 to 60000"), "{error}");
}

#[test]
fn trusted_proxies_are_networks() {
    let (_, settings) =
        load(&[("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "10.0.0.0/8,fd00::1")]).expect("these settings should load");
    assert_eq!(settings.server.trusted_proxies.len(), 2);
    for bad in ["everything", "0.0.0.0/0"] {
        let error = load_error(&[("SWITCHBOARD__SERVER__TRUSTED_PROXIES", bad)]);
        assert!(error.contains(bad) && error.contains("allowed: addresses and networks"), "{error}");
        assert!(error.contains("trusted_proxies"), "{error}");
    }
}

#[test]
fn an_unknown_key_is_refused() {
    let error = load_error(&[("SWITCHBOARD__SERVER__PROT", "1")]);
    assert!(error.contains("prot"), "{error}");
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    let error = load_error(&[("PORT", "65536")]);
    assert!(error.contains("65536") || error.contains("port"), "{error}");
    load(&[("SWITCHBOARD_ENV", "staging")]).expect_err("an unknown environment");
}

#[test]
fn a_secret_is_never_shown() {
    let error = load_error(&[("JWT_SECRET", "hunter2"), ("DATABASE_URL", "mysql://root:hunter2@db/x")]);
    assert!(!error.contains("hunter2"), "{error}");
    assert!(error.contains("auth.jwt_secret is a secret of 7 bytes"), "{error}");
    assert!(error.contains("database.url is an address that begins with \"mysql\""), "{error}");
}
