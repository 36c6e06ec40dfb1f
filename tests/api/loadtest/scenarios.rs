//! Each scenario, small: it does what it says, and finds nothing.

use std::time::Duration;

use switchboard_loadtest::options::{Options, Scenario, Transport};
use switchboard_loadtest::report::{Outcome, Report};
use switchboard_loadtest::statistics::Operation;

use super::{outcome_of, small};
use crate::support::{Backend, TestDatabase, TestServer};

/// What must have been done in a run of each.
fn deeds(scenario: Scenario) -> &'static [Operation] {
    match scenario {
        Scenario::Sends | Scenario::Hot | Scenario::Fanout => &[Operation::Send, Operation::Delivery],
        Scenario::Claims => &[Operation::Open, Operation::Claim, Operation::Storm],
        Scenario::Idle => &[Operation::Connect, Operation::Ramp],
        Scenario::Jitter => &[Operation::Send, Operation::Return],
        Scenario::Reconnect => &[Operation::Send, Operation::Return, Operation::Avalanche],
        Scenario::Mix => {
            &[Operation::Open, Operation::Claim, Operation::Reply, Operation::Note, Operation::Close, Operation::Rate]
        }
    }
}

async fn run_clean(options: Options) -> Report {
    let scenario = options.scenario;
    let report = outcome_of(options).await.unwrap();
    let first = report.checked.violations.first();
    assert_eq!(report.outcome, Outcome::Clean, "{scenario:?}: {}", first.map_or_else(String::new, ToString::to_string));
    assert!(report.errors.is_empty(), "{scenario:?}: {:?}", report.errors);
    for deed in deeds(scenario) {
        assert!(report.deeds.get(deed).is_some_and(|figures| figures.count > 0), "{scenario:?}: no {deed:?}");
    }
    if scenario != Scenario::Idle {
        assert!(report.checked.stored > 0 && report.checked.conversations > 0, "{scenario:?}: nothing was read back");
    }
    report
}

/// Long enough for the slow ones to come round.
fn long_enough(options: Options) -> Options {
    let duration = match options.scenario {
        Scenario::Jitter => Duration::from_secs(6),
        Scenario::Reconnect => Duration::from_secs(4),
        Scenario::Mix => Duration::from_secs(3),
        _ => options.duration,
    };
    Options { duration, ..options }
}

async fn every_scenario(backend: Backend, scenarios: &[Scenario]) {
    let database = TestDatabase::create(backend).await;
    let server = TestServer::start(&database).await;
    for scenario in scenarios {
        run_clean(long_enough(small(&server.url, *scenario))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_is_clean_on_sqlite() {
    every_scenario(Backend::Sqlite, &Scenario::ALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_claims_and_the_mix_are_clean_on_postgres() {
    every_scenario(Backend::Postgres, &[Scenario::Sends, Scenario::Claims, Scenario::Mix]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_of_the_mix_hand_conversations_over() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let (mut accepted, mut rejected) = (0, 0);
    // Chance decides who offers what, and whether it is taken.
    for seed in 1.. {
        let options = long_enough(Options { seed, ..small(&server.url, Scenario::Mix) });
        let report = run_clean(options).await;
        let count = |what| report.counts.get(what).copied().unwrap_or(0);
        accepted += count("handovers accepted");
        rejected += count("handovers rejected");
        if accepted > 0 && rejected > 0 {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_rate_no_more_are_done_than_were_due() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let options = Options { rate: Some(40.0), duration: Duration::from_secs(2), ..small(&server.url, Scenario::Sends) };
    let report = run_clean(options).await;
    let sends = &report.deeds[&Operation::Send];
    // As fast as it goes it would be hundreds.
    assert!((1..=81).contains(&sends.count), "{} of 80", sends.count);
    assert_eq!(sends.corrected_ms, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_clients_may_poll() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start_with(&database, &[("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "200")]).await;
    for transport in [Transport::Polling, Transport::Websocket] {
        let options = Options { transport, duration: Duration::from_secs(2), ..small(&server.url, Scenario::Idle) };
        let report = run_clean(options).await;
        assert_eq!((report.deeds[&Operation::Connect].count, report.counts.get("connections lost")), (6, None));
    }
}
