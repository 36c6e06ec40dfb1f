//! `switchboard loadtest` against a server that keeps its promises, and through a proxy that breaks them.

mod checker_detects;
mod command;
mod faulty_proxy;
mod refusals;
mod scenarios;

use std::rc::Rc;
use std::time::Duration;

use secrecy::SecretString;
use switchboard_loadtest::options::{Options, Scenario, Tokens};
use switchboard_loadtest::report::Report;
use switchboard_loadtest::{LoadtestError, run};

/// A small run of a scenario.
fn small_run(url: &str, scenario: Scenario) -> Options {
    let secret = SecretString::from(crate::support::SECRET);
    let tokens = Tokens::Signed { secret, agent_role: "admin".to_owned() };
    Options {
        users: 6,
        agents: 4,
        duration: Duration::from_millis(1200),
        warm_up: Duration::from_millis(100),
        think: Duration::from_millis(20),
        ..Options::new(url, scenario, tokens)
    }
}

async fn run_loadtest(options: Options) -> Result<Report, LoadtestError> {
    run(options, Rc::new(|_| {}), std::future::pending()).await
}
