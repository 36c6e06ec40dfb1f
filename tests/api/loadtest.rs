//! `switchboard loadtest` against a server that keeps its promises, and through a proxy that breaks them.

mod checker_detects;
mod command;
mod faulty_proxy;
mod scenarios;

use std::rc::Rc;
use std::time::Duration;

use secrecy::SecretString;
use switchboard_loadtest::options::{Plan, Scenario, Tokens};
use switchboard_loadtest::report::Report;
use switchboard_loadtest::{LoadtestError, run};

/// A small run of a scenario.
fn small_plan(url: &str, scenario: Scenario) -> Plan {
    let secret = SecretString::from(crate::support::SECRET);
    let tokens = Tokens::Signed { secret, agent_role: "admin".to_owned() };
    Plan {
        users: 6,
        agents: 4,
        duration: Duration::from_millis(1200),
        warm_up: Duration::from_millis(100),
        think: Duration::from_millis(20),
        ..Plan::new(url, scenario, tokens)
    }
}

async fn run_plan(plan: Plan) -> Result<Report, LoadtestError> {
    run(plan, Rc::new(|_| {}), std::future::pending()).await
}
