//! Every scenario in a small run: it performs its operations and finds nothing.

use std::time::Duration;

use switchboard_loadtest::options::{Options, Scenario, Transport};
use switchboard_loadtest::report::{Outcome, Report};
use switchboard_loadtest::statistics::Operation;

use super::{run_loadtest, small_run};
use crate::support::{ApiServer, Backend, ScratchDatabase};

/// The operations that a run of each must have performed.
fn operations(scenario: Scenario) -> &'static [Operation] {
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
    let report = run_loadtest(options).await.unwrap();
    let first = report.checked.violations.first();
    assert_eq!(report.outcome, Outcome::Clean, "{scenario:?}: {}", first.map_or_else(String::new, ToString::to_string));
    assert!(report.errors.is_empty(), "{scenario:?}: {:?}", report.errors);
    for operation in operations(scenario) {
        assert!(
            report.operations.get(operation).is_some_and(|figures| figures.count > 0),
            "{scenario:?}: no {operation:?}"
        );
    }
    if scenario != Scenario::Idle {
        assert!(report.checked.stored > 0 && report.checked.conversations > 0, "{scenario:?}: nothing was read back");
    }
    report
}

/// Extends the options of a slow scenario so that it performs all its operations.
fn extend(options: Options) -> Options {
    let duration = match options.scenario {
        Scenario::Jitter => Duration::from_secs(6),
        Scenario::Reconnect => Duration::from_secs(4),
        Scenario::Mix => Duration::from_secs(3),
        _ => options.duration,
    };
    Options { duration, ..options }
}

async fn every_scenario(backend: Backend, scenarios: &[Scenario]) {
    let database = ScratchDatabase::create(backend).await;
    let server = ApiServer::start(&database).await;
    for scenario in scenarios {
        run_clean(extend(small_run(&server.url, *scenario))).await;
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
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (mut accepted, mut rejected) = (0, 0);
    // The seed decides who requests a handover, and whether it is accepted.
    for seed in 1.. {
        let options = extend(Options { seed, ..small_run(&server.url, Scenario::Mix) });
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
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let options =
        Options { rate: Some(40.0), duration: Duration::from_secs(2), ..small_run(&server.url, Scenario::Sends) };
    let report = run_clean(options).await;
    let sends = &report.operations[&Operation::Send];
    // Without a rate it would be hundreds.
    assert!((1..=81).contains(&sends.count), "{} of 80", sends.count);
    assert_eq!(sends.corrected_ms, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_clients_may_use_polling() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &[("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "200")]).await;
    for transport in [Transport::Polling, Transport::Websocket] {
        let options = Options { transport, duration: Duration::from_secs(2), ..small_run(&server.url, Scenario::Idle) };
        let report = run_clean(options).await;
        assert_eq!((report.operations[&Operation::Connect].count, report.counts.get("connections lost")), (6, None));
    }
}
