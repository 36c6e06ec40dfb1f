//! A server that lies is caught, and by the promise that it breaks.

use std::sync::atomic::Ordering;

use switchboard_loadtest::checker::Promise;
use switchboard_loadtest::options::{Options, Scenario};
use switchboard_loadtest::report::{Outcome, page, table};

use super::faulty_proxy::{Liar, Lie};
use super::{outcome_of, small};
use crate::support::{Backend, TestDatabase, TestServer};

async fn is_caught(lie: Lie, scenario: Scenario, promise: Promise) {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let liar = Liar::before(&server.url, lie).await;
    let report = outcome_of(small(&liar.url, scenario)).await.unwrap();
    assert!(liar.has_lied.load(Ordering::SeqCst), "{lie:?}: there was no occasion");
    assert_eq!(report.outcome, Outcome::Violated, "{lie:?}");
    let found = report.checked.violations.iter().find(|found| found.promise == promise);
    let found = found.unwrap_or_else(|| panic!("{lie:?}: {:?}", report.checked.violations));
    assert!(found.history.len() > 1, "{lie:?}: {found}");
    assert!(table(&report).contains(&found.sentence) && table(&report).contains("VIOLATED"));
    assert!(page(&report).contains("Violated"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_does_not_arrive_is_found() {
    is_caught(Lie::Drop, Scenario::Sends, Promise::NothingLost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_arrives_twice_is_found() {
    is_caught(Lie::Double, Scenario::Hot, Promise::NothingDoubled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_in_each_others_place_are_found() {
    is_caught(Lie::Swap, Scenario::Hot, Promise::OneOrder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_winner_is_found() {
    is_caught(Lie::SecondWinner, Scenario::Claims, Promise::OneWinner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_message_that_is_not_read_back_is_found() {
    is_caught(Lie::Forget, Scenario::Sends, Promise::NothingLost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handover_that_was_declined_and_happened_is_found() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let liar = Liar::before(&server.url, Lie::TurnNoToYes).await;
    for seed in 1.. {
        let report = outcome_of(Options { seed, ..small(&liar.url, Scenario::Mix) }).await.unwrap();
        if !liar.has_lied.load(Ordering::SeqCst) {
            assert_eq!(report.outcome, Outcome::Clean, "{:?}", report.checked.violations);
            continue;
        }
        assert_eq!(report.outcome, Outcome::Violated);
        let broken = [Promise::Linearizable, Promise::NothingInvented, Promise::OneWinner];
        let found = report.checked.violations.iter().find(|found| broken.contains(&found.promise));
        let found = found.unwrap_or_else(|| panic!("{:?}", report.checked.violations));
        assert!(found.history.iter().any(|event| event.contains("offers it to")), "{found}");
        return;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_no_violation_and_are_explained() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let liar = Liar::before(&server.url, Lie::Limit).await;
    let report = outcome_of(small(&liar.url, Scenario::Claims)).await.unwrap();
    assert_eq!(report.outcome, Outcome::Clean, "{:?}", report.checked.violations);
    assert!(report.limited > 0);
    assert!(table(&report).contains("429: the server's limits are on"), "{}", table(&report));
}
