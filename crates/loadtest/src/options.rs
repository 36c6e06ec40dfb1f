//! The options of a run.

use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;

/// The kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// Customers write into their own conversations.
    Sends,
    /// All write into one conversation.
    Hot,
    /// Many agents claim each new conversation at once.
    Claims,
    /// One conversation with many sockets.
    Fanout,
    /// Sockets that do nothing.
    Idle,
    /// Sockets that are cut every few seconds.
    Jitter,
    /// All sockets are cut at once, and reconnect at once.
    Reconnect,
    /// Customers and agents with realistic behaviour.
    Mix,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 8] =
        [Self::Sends, Self::Hot, Self::Claims, Self::Fanout, Self::Idle, Self::Jitter, Self::Reconnect, Self::Mix];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sends => "sends",
            Self::Hot => "hot",
            Self::Claims => "claims",
            Self::Fanout => "fanout",
            Self::Idle => "idle",
            Self::Jitter => "jitter",
            Self::Reconnect => "reconnect",
            Self::Mix => "mix",
        }
    }

    /// The default number of users.
    #[must_use]
    pub fn users(self) -> usize {
        match self {
            Self::Sends | Self::Hot => 64,
            Self::Claims => 4,
            Self::Fanout => 200,
            Self::Idle => 1000,
            Self::Jitter | Self::Mix => 50,
            Self::Reconnect => 500,
        }
    }

    /// The default number of agents.
    #[must_use]
    pub fn agents(self) -> usize {
        match self {
            Self::Claims => 16,
            Self::Mix => 8,
            Self::Hot | Self::Fanout => 4,
            Self::Sends | Self::Idle | Self::Jitter | Self::Reconnect => 1,
        }
    }
}

/// How idle sockets are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A WebSocket connection.
    Websocket,
    /// HTTP long polling.
    Polling,
}

/// The source of the accounts' tokens.
#[derive(Clone, Debug)]
pub enum Tokens {
    /// Signed with the deployment's secret.
    Signed {
        /// The deployment's secret.
        secret: SecretString,
        /// The deployment's role of agents.
        agent_role: String,
    },
    /// Read from a file.
    Given {
        /// Tokens of customers.
        customers: Vec<String>,
        /// Tokens of agents.
        agents: Vec<String>,
    },
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the server is: `http://host:port` or `https://host`.
    pub url: String,
    /// The kind of load.
    pub scenario: Scenario,
    /// Customers, lanes or sockets, by the scenario.
    pub users: usize,
    /// Agents.
    pub agents: usize,
    /// Arrivals a second; `None` for a closed loop.
    pub rate: Option<f64>,
    /// The length of the measurement.
    pub duration: Duration,
    /// The length of the warm-up.
    pub warm_up: Duration,
    /// The mean thinking time of the accounts of the mix.
    pub think: Duration,
    /// How idle sockets are held.
    pub transport: Transport,
    /// The seed of the random generator.
    pub seed: u64,
    /// The source of tokens.
    pub tokens: Tokens,
}

impl Options {
    /// The defaults of a scenario, against this URL.
    #[must_use]
    pub fn new(url: impl Into<String>, scenario: Scenario, tokens: Tokens) -> Self {
        Self {
            url: url.into(),
            scenario,
            users: scenario.users(),
            agents: scenario.agents(),
            rate: None,
            duration: Duration::from_secs(20),
            warm_up: Duration::from_secs(3),
            think: Duration::from_secs(1),
            transport: Transport::Websocket,
            seed: 1,
            tokens,
        }
    }
}
