//! The checker sees: with the fence, the wait for the commit or the look at a send's name taken out, runs like those of
//! `each` find it.
//!
//! They need the server with its mutants, `cargo build --features mutants --bin switchboard-mutant`, as
//! `scripts/test mutants` builds it; it is a second copy of the crate, which is why `make test` leaves them out and
//! `make soak` does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sea_orm::ConnectionTrait as _;
use switchboard::loadtest::checker::Promise;

use super::database::{Backend, Cluster, Place, connect};
use super::fault::Fault;
use super::run::{Found, Plan, Scene, run_with};

/// Seeds that a mutant is given to show itself.
const CHANCES: u64 = 6;

fn binary() -> PathBuf {
    let ours = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    let mutant = ours.with_file_name("switchboard-mutant");
    assert!(mutant.exists(), "{} is not built: run `scripts/test mutants`", mutant.display());
    mutant
}

/// Runs until one of the promises is seen broken, and says by which seed.
fn is_found(mutant: &str, backend: Backend, faults: &[Fault], breaks: &[Promise], prepare: impl AsyncFn(&Scene<'_>)) {
    let cluster = (backend == Backend::Postgres).then(Cluster::start);
    let mut all = BTreeSet::new();
    for seed in 1..=CHANCES {
        let plan = Plan {
            binary: binary(),
            variables: vec![("SWITCHBOARD_MUTANT", mutant.to_owned())],
            ..Plan::new(backend, faults, seed)
        };
        let found: Found = run_with(&plan, cluster.as_ref(), &prepare);
        let broken: BTreeSet<Promise> = found.verdict.violations.iter().map(|violation| violation.promise).collect();
        eprintln!("mutant {mutant}: {}\n{broken:?}", found.summary());
        if breaks.iter().any(|promise| broken.contains(promise)) {
            return;
        }
        all.extend(broken);
    }
    panic!("the mutant {mutant} was not found in {CHANCES} runs, only {all:?}");
}

/// Without the fence two events may still not stand at one position: the tables' primary keys are a second one. Both go.
#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_fence_two_servers_are_seen_to_disagree() {
    let without_keys = async |scene: &Scene<'_>| {
        let Place::Cluster { url, .. } = &scene.place else { return };
        let hand = connect(url).await;
        for table in ["messages", "conversation_events"] {
            hand.execute_unprepared(&format!("ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")).await.unwrap();
        }
    };
    let breaks = [Promise::OneWinner, Promise::OneOrder, Promise::Linearizable];
    is_found("fence", Backend::Postgres, &[Fault::TwoServers], &breaks, without_keys);
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_wait_for_the_commit_an_acknowledged_message_is_seen_to_be_lost() {
    let faults = [Fault::Kill, Fault::DatabaseSlow];
    is_found("wait", Backend::Postgres, &faults, &[Promise::NothingLost], async |_: &Scene<'_>| {});
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_look_at_its_name_a_repeated_send_is_seen_to_be_stored_twice() {
    let faults = [Fault::ClientsAnswersLost];
    for backend in [Backend::Postgres, Backend::Sqlite] {
        is_found("repeat", backend, &faults, &[Promise::NothingDoubled], async |_: &Scene<'_>| {});
    }
}
