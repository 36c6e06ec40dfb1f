//! The checker finds each broken promise, and names it.

use switchboard_loadtest::checker::Promise;
use switchboard_loadtest::options::{Options, Scenario};
use switchboard_loadtest::report::{Outcome, page, table};

use super::faulty_proxy::{Defect, FaultyProxy};
use super::{run_loadtest, small_run};
use crate::support::{ApiServer, Backend, ScratchDatabase};

async fn assert_detected(defect: Defect, scenario: Scenario, promise: Promise) {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let proxy = FaultyProxy::start(&server.url, defect).await;
    let report = run_loadtest(small_run(&proxy.url, scenario)).await.unwrap();
    assert!(proxy.has_struck(), "{defect:?}: it had no occasion");
    assert_eq!(report.outcome, Outcome::Violated, "{defect:?}");
    let violation = report.checked.violations.iter().find(|violation| violation.promise == promise);
    let violation = violation.unwrap_or_else(|| panic!("{defect:?}: {:?}", report.checked.violations));
    assert!(violation.history.len() > 1, "{defect:?}: {violation}");
    assert!(table(&report).contains(&violation.sentence) && table(&report).contains("VIOLATED"));
    assert!(page(&report).contains("Violated"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_does_not_arrive_is_found() {
    assert_detected(Defect::DropMessage, Scenario::Sends, Promise::NothingLost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_arrives_twice_is_found() {
    assert_detected(Defect::DuplicateMessage, Scenario::Hot, Promise::NothingDoubled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_in_the_wrong_order_are_found() {
    assert_detected(Defect::ReorderMessages, Scenario::Hot, Promise::OneOrder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_winner_is_found() {
    assert_detected(Defect::SecondWinner, Scenario::Claims, Promise::OneWinner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_message_that_is_not_read_back_is_found() {
    assert_detected(Defect::OmitLastMessage, Scenario::Sends, Promise::NothingLost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_handover_that_takes_effect_is_found() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let proxy = FaultyProxy::start(&server.url, Defect::AcceptRejectedHandover).await;
    // A run in which no agent rejects a handover is repeated with the next seed.
    for seed in 1.. {
        let report = run_loadtest(Options { seed, ..small_run(&proxy.url, Scenario::Mix) }).await.unwrap();
        if !proxy.has_struck() {
            assert_eq!(report.outcome, Outcome::Clean, "{:?}", report.checked.violations);
            continue;
        }
        assert_eq!(report.outcome, Outcome::Violated);
        let broken = [Promise::Linearizable, Promise::NothingInvented, Promise::OneWinner];
        let violation = report.checked.violations.iter().find(|violation| broken.contains(&violation.promise));
        let violation = violation.unwrap_or_else(|| panic!("{:?}", report.checked.violations));
        assert!(violation.history.iter().any(|event| event.contains("offers it to")), "{violation}");
        return;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rate_limits_are_explained_and_are_no_violation() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let proxy = FaultyProxy::start(&server.url, Defect::RateLimit).await;
    let report = run_loadtest(small_run(&proxy.url, Scenario::Claims)).await.unwrap();
    assert_eq!(report.outcome, Outcome::Clean, "{:?}", report.checked.violations);
    assert!(report.limited > 0);
    assert!(table(&report).contains("429: the server's limits are on"), "{}", table(&report));
}
