//! What a setting may be. Each rule names the key, what it got, and what is allowed; secrets are never shown.

use std::fmt::Display;
use std::ops::RangeInclusive;

use secrecy::ExposeSecret;

use super::{Environment, GuardMode, ServerSettings, Settings, auth, help_center};

/// A setting whose value is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("  {key} is {got}; allowed: {allowed}")]
pub struct InvalidSetting {
    /// Section and key, `server.port`.
    pub key: &'static str,
    /// What it got, as far as it may be shown.
    pub got: String,
    /// What is allowed.
    pub allowed: String,
}

/// Every rule that these settings break.
pub(super) fn problems(settings: &Settings, environment: Environment) -> Vec<InvalidSetting> {
    let mut problems = ranges(settings);
    problems.extend(auth::problems(&settings.auth, environment));
    problems.extend(settings.socket.problems());
    problems.extend(settings.recovery.problems());
    problems.extend(database(settings));
    problems.extend(cors(settings));
    problems.extend(redis(settings));
    problems.extend(guard(settings));
    problems.extend(connections(settings));
    problems.extend(help_center::problems(&settings.help_center));
    if settings.auth.agent_roles.iter().any(|role| role.trim().is_empty()) || settings.auth.agent_roles.is_empty() {
        problems.push(InvalidSetting {
            key: "auth.agent_roles",
            got: format!("{:?}", settings.auth.agent_roles),
            allowed: "one role at least, none of them empty".to_owned(),
        });
    }
    if settings.server.host.parse::<std::net::IpAddr>().is_err() {
        problems.push(InvalidSetting {
            key: "server.host",
            got: format!("{:?}", settings.server.host),
            allowed: "an IP address".to_owned(),
        });
    }
    let prefix = &settings.tickets.prefix;
    if !(1..=16).contains(&prefix.len()) || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        problems.push(InvalidSetting {
            key: "tickets.prefix",
            got: format!("{prefix:?}"),
            allowed: "1 to 16 letters and digits".to_owned(),
        });
    }
    if let Err(error) = settings.log.level.parse::<tracing_subscriber::filter::EnvFilter>() {
        problems.push(InvalidSetting {
            key: "log.level",
            got: format!("{:?}", settings.log.level),
            allowed: format!("a level or directives ({error})"),
        });
    }
    problems
}

fn ranges(settings: &Settings) -> Vec<InvalidSetting> {
    let Settings { server, database, journal, conversation, auth, limits, directory, .. } = settings;
    [
        within("server.port", server.port, 0..=65_535),
        within("server.workers", server.workers, 0..=ServerSettings::MOST_WORKERS),
        within("server.backlog", server.backlog, 1..=65_535),
        within("server.max_connections", server.max_connections, 1..=1_000_000),
        within("server.keep_alive_seconds", server.keep_alive_seconds, 1..=3600),
        within("server.unread_timeout_seconds", server.unread_timeout_seconds, 1..=3600),
        within("server.body_limit_bytes", server.body_limit_bytes, 1024..=16_777_216),
        within("server.request_timeout_ms", server.request_timeout_ms, 100..=120_000),
        within("server.drain_timeout_ms", server.drain_timeout_ms, 100..=300_000),
        within("database.max_connections", database.max_connections, 2..=1000),
        within("database.timeout_ms", database.timeout_ms, 100..=60_000),
        within("database.threads", database.threads, 1..=64),
        within("journal.writers", journal.writers, 1..=64),
        within("journal.queue_capacity", journal.queue_capacity, 1..=1_000_000),
        within("journal.batch", journal.batch, 1..=4096),
        within("conversation.threads", conversation.threads, 0..=1024),
        within("conversation.max_actors", conversation.max_actors, 1..=10_000_000),
        within("conversation.mailbox", conversation.mailbox, 1..=1_000_000),
        within("conversation.in_flight", conversation.in_flight, 1..=1_000_000),
        within("conversation.idempotency_cache_size", conversation.idempotency_cache_size, 0..=1024),
        within("conversation.watermark_cache_size", conversation.watermark_cache_size, 0..=10_000_000),
        within("conversation.catch_up_max_events", conversation.catch_up_max_events, 1..=1000),
        within("conversation.trim_after_seconds", conversation.trim_after_seconds, 1..=86_400),
        within("conversation.passivate_after_seconds", conversation.passivate_after_seconds, 1..=86_400),
        within("conversation.in_doubt_seconds", conversation.in_doubt_seconds, 1..=3600),
        within("auth.token_cache_size", auth.token_cache_size, 0..=1_000_000),
        within("limits.sends_per_second", limits.sends_per_second, 1..=10_000),
        within("limits.sends_burst", limits.sends_burst, 1..=10_000),
        within("limits.guest_calls_per_minute", limits.guest_calls_per_minute, 1..=100_000),
        within("limits.socket_events_per_second", limits.socket_events_per_second, 1..=10_000),
        within("limits.socket_connects_per_second", limits.socket_connects_per_second, 1..=10_000),
        within("limits.handshakes_per_second", limits.handshakes_per_second, 1..=100_000),
        within("limits.limiter_cache_size", limits.limiter_cache_size, 1000..=10_000_000),
        within("directory.user_cache_size", directory.user_cache_size, 1..=10_000_000),
        within("directory.queue_capacity", directory.queue_capacity, 1..=1_000_000),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A complaint about a number that is out of its range.
pub(super) fn within<T: PartialOrd + Display>(
    key: &'static str,
    got: T,
    allowed: RangeInclusive<T>,
) -> Option<InvalidSetting> {
    (!allowed.contains(&got)).then(|| InvalidSetting {
        key,
        got: got.to_string(),
        allowed: format!("{} to {}", allowed.start(), allowed.end()),
    })
}

fn database(settings: &Settings) -> Option<InvalidSetting> {
    let scheme = settings.database.url.expose_secret().split(':').next().unwrap_or_default().to_owned();
    let in_memory = settings.database.url.expose_secret().contains(":memory:");
    if in_memory {
        return Some(InvalidSetting {
            key: "database.url",
            got: "a database in memory".to_owned(),
            allowed: "a file: reading and writing use connections of their own".to_owned(),
        });
    }
    (!["postgres", "postgresql", "sqlite"].contains(&scheme.as_str())).then(|| InvalidSetting {
        key: "database.url",
        // The rest may hold a password.
        got: format!("an address that begins with {:?}", scheme.chars().take(16).collect::<String>()),
        allowed: "postgres://… or sqlite://…".to_owned(),
    })
}

/// The journal's writers take connections of the whole, and somebody must be able to read.
fn connections(settings: &Settings) -> Option<InvalidSetting> {
    let least = u32::try_from(settings.journal.writers).unwrap_or(u32::MAX).saturating_add(2);
    (settings.database.max_connections < least).then(|| InvalidSetting {
        key: "database.max_connections",
        got: settings.database.max_connections.to_string(),
        allowed: format!("journal.writers + 2 or more, here {least}"),
    })
}

fn guard(settings: &Settings) -> Option<InvalidSetting> {
    let length = settings.guard.secret.expose_secret().len();
    (settings.guard.mode == GuardMode::Signed && length < 32).then(|| InvalidSetting {
        key: "guard.secret",
        got: if length == 0 { "not set".to_owned() } else { format!("a secret of {length} bytes") },
        allowed: "a secret of 32 bytes or more where guard.mode is \"signed\"".to_owned(),
    })
}

fn redis(settings: &Settings) -> Option<InvalidSetting> {
    let url = settings.cluster.redis_url.expose_secret();
    let is_allowed = url.is_empty() || url.starts_with("redis://") || url.starts_with("rediss://");
    (!is_allowed).then(|| InvalidSetting {
        key: "cluster.redis_url",
        got: "an address of another kind".to_owned(),
        allowed: "redis://…, rediss://…, or nothing".to_owned(),
    })
}

fn cors(settings: &Settings) -> Vec<InvalidSetting> {
    let mut problems = Vec::new();
    if settings.cors.credentials && settings.cors.origins.iter().any(|origin| origin == "*") {
        problems.push(InvalidSetting {
            key: "cors.origins",
            got: "\"*\" together with cors.credentials".to_owned(),
            allowed: "a list of origins, or cors.credentials = false".to_owned(),
        });
    }
    for origin in settings.cors.origins.iter().filter(|origin| *origin != "*") {
        let is_origin = url::Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
        if !is_origin {
            problems.push(InvalidSetting {
                key: "cors.origins",
                got: format!("{origin:?}"),
                allowed: "\"*\", or origins such as \"https://app.example.com\"".to_owned(),
            });
        }
    }
    problems
}

#[cfg(test)]
pub(super) mod tests {
    use secrecy::ExposeSecret;

    use crate::config::{Environment, Settings, SettingsError, Sources};

    pub(in crate::config) fn load(variables: &[(&str, &str)]) -> Result<(Environment, Settings), SettingsError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::load(&Sources { folder: None, variables })
    }

    pub(in crate::config) fn complaint(variables: &[(&str, &str)]) -> String {
        load(variables).expect_err("these settings should be refused").to_string()
    }

    #[test]
    fn the_defaults_are_valid() {
        let (environment, settings) = load(&[]).expect("the defaults should load");
        assert_eq!(environment, Environment::Development);
        assert_eq!(settings.server.port, 1500);
        assert_eq!(settings.cors.origins, ["*"]);
    }

    #[test]
    fn variables_come_over_files_and_plain_names_over_all() {
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
    fn a_secret_of_digits_stays_as_it_is() {
        let digits = "00000000000000000000000000000012";
        let (_, settings) = load(&[("SWITCHBOARD__AUTH__JWT_SECRET", digits)]).expect("these settings should load");
        assert_eq!(settings.auth.jwt_secret.expose_secret(), digits);
    }

    #[test]
    fn production_refuses_the_development_secret() {
        let complaint = complaint(&[("SWITCHBOARD_ENV", "production")]);
        assert!(complaint.contains("auth.jwt_secret is the development secret; allowed:"), "{complaint}");
    }

    #[test]
    fn any_origin_together_with_credentials_is_refused() {
        let complaint = complaint(&[
            ("SWITCHBOARD_ENV", "production"),
            ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
            ("SWITCHBOARD__CORS__ORIGINS", "*"),
            ("SWITCHBOARD__CORS__CREDENTIALS", "true"),
        ]);
        assert!(complaint.contains("cors.origins is \"*\" together with cors.credentials"), "{complaint}");
    }

    #[test]
    fn a_value_out_of_range_is_named_with_what_is_allowed() {
        let complaint = complaint(&[("SWITCHBOARD__JOURNAL__BATCH", "0"), ("SWITCHBOARD__DATABASE__TIMEOUT_MS", "99")]);
        assert!(complaint.contains("journal.batch is 0; allowed: 1 to 4096"), "{complaint}");
        assert!(complaint.contains("database.timeout_ms is 99; allowed: 100 to 60000"), "{complaint}");
    }

    #[test]
    fn a_signed_guard_needs_its_secret() {
        let secret = "0123456789abcdef0123456789abcdef";
        let production = [("SWITCHBOARD_ENV", "production"), ("JWT_SECRET", secret)];
        let complaint = complaint(&production);
        assert!(complaint.contains("guard.secret is not set; allowed:"), "{complaint}");
        let [environment, token_secret] = production;
        load(&[environment, token_secret, ("SWITCHBOARD__GUARD__SECRET", secret)]).expect("these should load");
        load(&[environment, token_secret, ("SWITCHBOARD__GUARD__MODE", "device")]).expect("these should load");
    }

    #[test]
    fn limits_count_in_production_and_not_in_development() {
        let (_, development) = load(&[]).expect("the defaults should load");
        let secret = "0123456789abcdef0123456789abcdef";
        let production =
            [("SWITCHBOARD_ENV", "production"), ("JWT_SECRET", secret), ("SWITCHBOARD__GUARD__SECRET", secret)];
        let (_, production) = load(&production).expect("these settings should load");
        assert_eq!((development.limits.enabled, production.limits.enabled), (false, true));
    }

    #[test]
    fn trusted_proxies_are_networks() {
        let (_, settings) = load(&[("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "10.0.0.0/8,fd00::1")])
            .expect("these settings should load");
        assert_eq!(settings.server.trusted_proxies.len(), 2);
        for bad in ["everybody", "0.0.0.0/0"] {
            let complaint = complaint(&[("SWITCHBOARD__SERVER__TRUSTED_PROXIES", bad)]);
            assert!(complaint.contains(bad) && complaint.contains("allowed: addresses and networks"), "{complaint}");
            assert!(complaint.contains("trusted_proxies"), "{complaint}");
        }
    }

    #[test]
    fn a_key_that_nobody_knows_is_refused() {
        let complaint = complaint(&[("SWITCHBOARD__SERVER__PROT", "1")]);
        assert!(complaint.contains("prot"), "{complaint}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        let complaint = complaint(&[("PORT", "65536")]);
        assert!(complaint.contains("65536") || complaint.contains("port"), "{complaint}");
        load(&[("SWITCHBOARD_ENV", "staging")]).expect_err("an unknown environment");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let complaint = complaint(&[("JWT_SECRET", "hunter2"), ("DATABASE_URL", "mysql://root:hunter2@db/x")]);
        assert!(!complaint.contains("hunter2"), "{complaint}");
        assert!(complaint.contains("auth.jwt_secret is a secret of 7 bytes"), "{complaint}");
        assert!(complaint.contains("database.url is an address that begins with \"mysql\""), "{complaint}");
    }
}
