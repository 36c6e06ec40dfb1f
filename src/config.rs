//! Settings: what an operator may change, checked before the port is bound.
//!
//! Layers, the later over the earlier: `config/default.toml`, `config/<environment>.toml`, `SWITCHBOARD__SECTION__KEY`,
//! and the plain names `PORT`, `DATABASE_URL`, `JWT_SECRET`, `REDIS_URL`. The files are built into the program, so that
//! it runs from anywhere; a folder named by `--config` stands in for them. A key that nobody knows is refused.

mod auth;
mod check;
mod help_center;
mod limits;
mod server;
mod socket;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Config, ConfigError, Environment as Variables, File, FileFormat};
use secrecy::SecretString;
use serde::Deserialize;

pub use auth::{AuthSettings, GuardMode, GuardSettings, TokenAlgorithm};
pub use check::InvalidSetting;
pub use help_center::{AutoReplySettings, HelpCenterSettings, PolicySetting};
pub use limits::LimitSettings;
pub use server::ServerSettings;
pub use socket::{RecoverySettings, SocketSettings};

/// The secret of `config/default.toml`. Everybody knows it: production refuses to start on it.
pub const DEVELOPMENT_SECRET: &str = "development-secret-change-me-in-production";

/// Settings that are texts.
const TEXTS: [&str; 12] = [
    "server.host",
    "database.url",
    "auth.jwt_secret",
    "auth.algorithm",
    "auth.public_key_file",
    "auth.issuer",
    "guard.secret",
    "tickets.prefix",
    "help_center.auto_reply.text",
    "help_center.auto_reply.sender_name",
    "cluster.redis_url",
    "log.level",
];

/// What kind of place this server runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine: open CORS, a known secret, tokens printed at the start.
    Development,
    /// Where customers are.
    Production,
}

impl Environment {
    /// As `SWITCHBOARD_ENV` and the files' names spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Listening and answering.
    pub server: ServerSettings,
    /// Where conversations are kept.
    pub database: DatabaseSettings,
    /// How they are made durable.
    pub journal: JournalSettings,
    /// The conversation actors.
    pub conversation: ConversationSettings,
    /// Who may come in.
    pub auth: AuthSettings,
    /// What stands in front of people without an account.
    pub guard: GuardSettings,
    /// How often somebody may.
    pub limits: LimitSettings,
    /// The directory of people.
    pub directory: DirectorySettings,
    /// Tickets.
    pub tickets: TicketSettings,
    /// The help center.
    pub help_center: HelpCenterSettings,
    /// Which web pages may call.
    pub cors: CorsSettings,
    /// Engine.IO and Socket.IO.
    pub socket: SocketSettings,
    /// The documents of the API.
    pub docs: DocsSettings,
    /// What is kept for clients whose connections broke.
    pub recovery: RecoverySettings,
    /// Several servers together.
    pub cluster: ClusterSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

/// Where conversations are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `postgres://…` or `sqlite://…`. Default `sqlite://data/switchboard.db`.
    pub url: SecretString,
    /// Connections held at most. Default 16.
    pub max_connections: u32,
    /// Milliseconds that one question to the database, or one commit, may take. Default 5000.
    pub timeout_ms: u64,
    /// Threads of the runtime that owns the connections. Default 1.
    pub threads: usize,
}

/// How conversations are made durable.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalSettings {
    /// Transactions under way at once; a conversation always goes through the same writer. Default 1.
    pub writers: usize,
    /// Appends that may wait for each writer; beyond, a command is answered 503. Default 8192.
    pub queue_capacity: usize,
    /// Appends in one transaction at most. Default 512.
    pub batch: usize,
}

/// The conversation actors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversationSettings {
    /// Threads that conversation actors live on; 0 means one a core. Default 0.
    pub threads: usize,
    /// Actors alive at once; beyond, a command for one that is not is answered 503. Default 100 000.
    pub max_actors: usize,
    /// Commands that may wait for one conversation; beyond, they are answered 503. Default 1024.
    pub mailbox: usize,
    /// Commands of one conversation that may wait for the disk; beyond, they are answered 503. Default 1024.
    pub in_flight: usize,
    /// Recent named sends that an actor knows without asking the database. Default 16.
    pub idempotency_cache_size: usize,
    /// Conversations without an actor of which the server remembers up to where those who listen have been told what
    /// happened; whoever listens to another may miss what another server stored while it had none. Default 100 000.
    pub watermark_cache_size: u64,
    /// Events stored by another server that are told at once, the newest; those before them are left to be read.
    /// Default 200.
    pub catch_up_max_events: i64,
    /// Seconds after which an unused actor keeps no more than the conversation's state. Default 15.
    pub trim_after_seconds: u64,
    /// Seconds after which an unused actor retires. Default 300.
    pub passivate_after_seconds: u64,
    /// Seconds for which events with an unknown outcome are looked for in the database. Default 60.
    pub in_doubt_seconds: u64,
}

/// The directory of people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectorySettings {
    /// People whom the server remembers having written down lately. Default 100 000.
    pub user_cache_size: usize,
    /// People waiting to be written down; beyond, they are written down when they come next. Default 4096.
    pub queue_capacity: usize,
}

/// Tickets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketSettings {
    /// What a ticket's number begins with: `<prefix>-<year>-<6 digits>`. Default `SMI`.
    pub prefix: String,
}

/// The documents of the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocsSettings {
    /// Whether `/openapi.json` and `/docs` are served. Default true, in production false.
    pub enabled: bool,
}

/// Which web pages may call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorsSettings {
    /// Origins such as `https://app.example.com`; `*` means any. Default `*`, in production none.
    pub origins: Vec<String>,
    /// Whether pages may send cookies and the like; not together with `*`. Default false.
    pub credentials: bool,
}

/// Several servers together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSettings {
    /// Redis that servers share broadcasts through; empty means none. Not used yet: a server says so when it starts.
    /// Also `REDIS_URL`. Default none.
    pub redis_url: SecretString,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// A level, or directives such as `info,switchboard=debug`. Default `info`.
    pub level: String,
    /// How lines look. Default `text`, in production `json`.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// A word that a setting does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{got:?} is not allowed; allowed: {allowed}")]
pub struct UnknownWord {
    got: String,
    allowed: &'static str,
}

impl TryFrom<String> for LogFormat {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        match word.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(UnknownWord { got: word, allowed: "`text`, `json`" }),
        }
    }
}

/// Why there are no settings to run with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// `SWITCHBOARD_ENV` names no environment.
    #[error("SWITCHBOARD_ENV is {0:?}; allowed: development, production")]
    Environment(String),
    /// A file is missing or malformed, a key unknown, or a value of the wrong type.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(#[from] ConfigError),
    /// Values that are not allowed, all of them.
    #[error("the configuration is not valid:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<InvalidSetting>),
}

/// Where settings come from, besides the built-in files.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Folder whose files stand in for the built-in ones.
    pub folder: Option<PathBuf>,
    /// Environment variables.
    pub variables: HashMap<String, String>,
}

impl Sources {
    /// The process's own environment variables, and a folder if one is given.
    #[must_use]
    pub fn of_process(folder: Option<PathBuf>) -> Self {
        Self { folder, variables: std::env::vars().collect() }
    }
}

impl Settings {
    /// Reads every layer and checks the outcome.
    ///
    /// # Errors
    /// [`SettingsError`], naming each key that is at fault, what it got and what is allowed.
    pub fn load(sources: &Sources) -> Result<(Environment, Self), SettingsError> {
        let environment = environment(&sources.variables)?;
        let mut layers = Config::builder();
        for (name, built_in) in [
            ("default", include_str!("../config/default.toml")),
            (
                environment.as_str(),
                match environment {
                    Environment::Development => include_str!("../config/development.toml"),
                    Environment::Production => include_str!("../config/production.toml"),
                },
            ),
        ] {
            layers = match sources.folder.as_deref() {
                Some(folder) => layers.add_source(file_in(folder, name)),
                None => layers.add_source(File::from_str(built_in, FileFormat::Toml)),
            };
        }
        layers = layers.add_source(
            Variables::with_prefix("SWITCHBOARD")
                .prefix_separator("__")
                .separator("__")
                .try_parsing(true)
                .list_separator(",")
                .with_list_parse_key("auth.agent_roles")
                .with_list_parse_key("auth.audience")
                .with_list_parse_key("cors.origins")
                .with_list_parse_key("server.trusted_proxies")
                .source(Some(sources.variables.clone())),
        );
        // What is a text stays as it was given: a secret of digits must not become a number on the way.
        for (name, value) in &sources.variables {
            let key = name.strip_prefix("SWITCHBOARD__").map(|key| key.to_lowercase().replace("__", "."));
            if let Some(key) = key.filter(|key| TEXTS.contains(&key.as_str())) {
                layers = layers.set_override(key, value.as_str())?;
            }
        }
        for (name, key) in [
            ("PORT", "server.port"),
            ("DATABASE_URL", "database.url"),
            ("JWT_SECRET", "auth.jwt_secret"),
            ("REDIS_URL", "cluster.redis_url"),
        ] {
            if let Some(value) = sources.variables.get(name).filter(|value| !value.is_empty()) {
                layers = layers.set_override(key, value.as_str())?;
            }
        }
        let settings: Self = layers.build()?.try_deserialize()?;
        let invalid = check::problems(&settings, environment);
        if invalid.is_empty() { Ok((environment, settings)) } else { Err(SettingsError::Invalid(invalid)) }
    }
}

fn environment(variables: &HashMap<String, String>) -> Result<Environment, SettingsError> {
    match variables.get("SWITCHBOARD_ENV").map(String::as_str) {
        None | Some("" | "development") => Ok(Environment::Development),
        Some("production") => Ok(Environment::Production),
        Some(other) => Err(SettingsError::Environment(other.to_owned())),
    }
}

fn file_in(folder: &Path, name: &str) -> File<config::FileSourceFile, FileFormat> {
    File::new(&folder.join(format!("{name}.toml")).to_string_lossy(), FileFormat::Toml)
}

impl ConversationSettings {
    /// How many threads conversations live on: [`ConversationSettings::threads`], with 0 resolved.
    #[must_use]
    pub fn arbiter_threads(&self) -> usize {
        or_one_a_core(self.threads)
    }
}

impl DatabaseSettings {
    /// [`DatabaseSettings::timeout_ms`] as a duration.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// A number of threads, where 0 means as many as the machine has cores for us.
fn or_one_a_core(threads: usize) -> usize {
    if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads }
}
