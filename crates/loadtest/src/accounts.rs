//! The accounts of a run and their tokens. Their ids begin with `loadtest-`, so that their data is recognisable.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::options::{Options, Tokens};
use super::token::{Claims as SignedClaims, sign};

/// How long tokens are valid beyond the end of the run.
const MARGIN_SECONDS: u64 = 3600;

/// Why the accounts could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// A token could not be signed.
    #[error("no token could be signed: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
    /// A given token has no `sub`.
    #[error("line {line} of the file with tokens is no JWT with a \"sub\": one token a line, and nothing else")]
    Token {
        /// The line's number, from 1.
        line: usize,
    },
    /// The file has fewer tokens than the run has accounts.
    #[error(
        "the file has tokens of {customers} customers and {agents} agents, the run needs {wanted_customers} and {wanted_agents}"
    )]
    TooFew {
        /// Given.
        customers: usize,
        /// Given.
        agents: usize,
        /// Wanted.
        wanted_customers: usize,
        /// Wanted.
        wanted_agents: usize,
    },
}

/// An account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) token: String,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) customers: Vec<Account>,
    pub(super) agents: Vec<Account>,
}

impl Accounts {
    pub(super) fn of(options: &Options, wanted_customers: usize) -> Result<Self, AccountsError> {
        let wanted_agents = options.agents;
        match &options.tokens {
            Tokens::Signed { secret, agent_role } => {
                let exp = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
                    + (options.duration + options.warm_up).as_secs()
                    + MARGIN_SECONDS;
                let account = |kind: &str, number: usize, role: &str| -> Result<Account, AccountsError> {
                    let name = format!("loadtest-{kind}-{number}");
                    let claims = SignedClaims {
                        sub: &name,
                        exp,
                        role,
                        email: &format!("{name}@example.com"),
                        first_name: "Load",
                        last_name: &format!("Test {number}"),
                    };
                    Ok(Account { token: sign(&claims, secret)?, name })
                };
                let customers = (0..wanted_customers).map(|number| account("customer", number, "user"));
                let agents = (0..wanted_agents).map(|number| account("agent", number, agent_role));
                Ok(Self { customers: customers.collect::<Result<_, _>>()?, agents: agents.collect::<Result<_, _>>()? })
            }
            Tokens::Given { customers, agents } => {
                if customers.len() < wanted_customers || agents.len() < wanted_agents {
                    let (customers, agents) = (customers.len(), agents.len());
                    return Err(AccountsError::TooFew { customers, agents, wanted_customers, wanted_agents });
                }
                let accounts = |tokens: &[String], wanted: usize| -> Result<Vec<Account>, AccountsError> {
                    let account = |(at, token): (usize, &String)| {
                        let claims = claims_of(token).ok_or(AccountsError::Token { line: at + 1 })?;
                        Ok(Account { name: claims.sub, token: token.clone() })
                    };
                    tokens.iter().take(wanted).enumerate().map(account).collect()
                };
                Ok(Self { customers: accounts(customers, wanted_customers)?, agents: accounts(agents, wanted_agents)? })
            }
        }
    }
}

/// The claims of a token, unverified: verification is the server's task.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    role: Option<String>,
}

fn claims_of(token: &str) -> Option<Claims> {
    let json = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Reads a file of tokens, one a line. A token whose role is `agent_role` is an agent's.
///
/// # Errors
/// [`AccountsError::Token`] if a line is no token. Empty lines and those that begin with `#` are skipped.
pub fn given_tokens(text: &str, agent_role: &str) -> Result<Tokens, AccountsError> {
    let (mut customers, mut agents) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let claims = claims_of(line).ok_or(AccountsError::Token { line: number })?;
        let is_agent = claims.role.is_some_and(|role| role == agent_role);
        if is_agent { &mut agents } else { &mut customers }.push(line.to_owned());
    }
    Ok(Tokens::Given { customers, agents })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DEVELOPMENT_SECRET;
    use crate::options::Scenario;

    fn signed() -> Options {
        let tokens = Tokens::Signed { secret: DEVELOPMENT_SECRET.into(), agent_role: "admin".to_owned() };
        Options { agents: 2, ..Options::new("http://localhost", Scenario::Sends, tokens) }
    }

    #[test]
    fn every_account_has_a_recognisable_id() {
        let accounts = Accounts::of(&signed(), 3).unwrap();
        assert_eq!((accounts.customers.len(), accounts.agents.len()), (3, 2));
        assert!(accounts.customers.iter().chain(&accounts.agents).all(|account| account.name.starts_with("loadtest-")));
    }

    #[test]
    fn given_tokens_are_assigned_by_their_role() {
        let accounts = Accounts::of(&signed(), 1).unwrap();
        let lines = format!("# ours\n\n{}\n{}\n", accounts.customers[0].token, accounts.agents[0].token);
        let options = Options { tokens: given_tokens(&lines, "admin").unwrap(), agents: 1, ..signed() };
        let given = Accounts::of(&options, 1).unwrap();
        assert_eq!(given.customers[0].name, "loadtest-customer-0");
        assert_eq!(given.agents[0].name, "loadtest-agent-0");
        assert!(matches!(Accounts::of(&options, 2), Err(AccountsError::TooFew { customers: 1, .. })));
        assert!(matches!(given_tokens("# ours\nnonsense", "admin"), Err(AccountsError::Token { line: 2 })));
    }
}
