//! The checker sees: with the fence, the wait for the commit, the look at a send's name, the look at what another
//! server has stored or the filling of holes taken out, runs like those of `each` find it, and the very same run finds
//! nothing in a server that is whole.
//!
//! They need the server with its mutants, `cargo build --features mutants --bin switchboard-mutant`, as
//! `scripts/test mutants` builds it; it is a second copy of the crate, which is why `make test` leaves them out and
//! `make soak` does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sea_orm::ConnectionTrait as _;
use switchboard_loadtest::checker::Promise;

use super::database::{Backend, Cluster, Place, connect};
use super::fault::Fault;
use super::fault_matrix::given_seed;
use super::run::{PANICKING, Plan, Scene, run, run_with};

/// Seeds that a mutant is given to show itself.
const CHANCES: u64 = 6;
/// Runs on each database in which actors panic.
const PANICKING_RUNS: u64 = 10;

fn binary() -> PathBuf {
    let ours = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    let mutant = ours.with_file_name("switchboard-mutant");
    assert!(mutant.exists(), "{} is not built: run `scripts/test mutants`", mutant.display());
    mutant
}

/// Runs until one of the promises is seen broken; then once more, with nothing taken out.
fn is_found(
    mutant: &'static str,
    backend: Backend,
    faults: &[Fault],
    breaks: &[Promise],
    prepare: impl AsyncFn(&Scene<'_>),
) {
    let cluster = Cluster::for_faults(backend, faults);
    let mut all = BTreeSet::new();
    for seed in 1..=CHANCES {
        let whole = Plan { binary: binary(), ..Plan::new(backend, faults, seed) };
        let plan = Plan { variables: vec![("SWITCHBOARD_MUTANT", mutant)], ..whole.clone() };
        let found = run_with(&plan, cluster.as_ref(), &prepare);
        let broken: BTreeSet<Promise> = found.verdict.violations.iter().map(|violation| violation.promise).collect();
        eprintln!("mutant {mutant}: {}\n{broken:?}", found.summary());
        if breaks.iter().any(|promise| broken.contains(promise)) {
            run_with(&whole, cluster.as_ref(), &prepare).must_be_clean();
            return;
        }
        all.extend(broken);
    }
    panic!("the mutant {mutant} was not found in {CHANCES} runs, only {all:?}");
}

/// Without the fence two events may still not stand at one position: the tables' primary keys are a second one. Both
/// go; without the keys alone nothing is found.
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
    for promise in [Promise::OneWinner, Promise::OneOrder] {
        is_found("fence", Backend::Postgres, &[Fault::TwoServers], &[promise], without_keys);
    }
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_wait_for_the_commit_an_acknowledged_message_is_seen_to_be_lost() {
    let on_postgres = (Backend::Postgres, [Fault::Kill, Fault::DatabaseSlow]);
    let on_sqlite = (Backend::Sqlite, [Fault::Kill, Fault::DiskFull]);
    for (backend, faults) in [on_postgres, on_sqlite] {
        is_found("wait", backend, &faults, &[Promise::NothingLost], async |_: &Scene<'_>| {});
    }
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_look_at_its_name_a_repeated_send_is_seen_to_be_stored_twice() {
    let faults = [Fault::ClientsAnswersLost];
    for backend in [Backend::Postgres, Backend::Sqlite] {
        is_found("repeat", backend, &faults, &[Promise::NothingDoubled], async |_: &Scene<'_>| {});
    }
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_look_at_what_another_server_has_stored_answers_are_seen_to_be_wrong() {
    for backend in [Backend::Postgres, Backend::Sqlite] {
        let promises = [Promise::OneWinner, Promise::Linearizable];
        is_found("look", backend, &[Fault::TwoServers], &promises, async |_: &Scene<'_>| {});
    }
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_filling_of_holes_screens_are_seen_to_miss_what_another_server_has_stored() {
    for backend in [Backend::Postgres, Backend::Sqlite] {
        is_found("hole", backend, &[Fault::TwoServers], &[Promise::NothingLost], async |_: &Scene<'_>| {});
    }
}

/// No mutant, but it needs the same build: nothing in the shipped server panics on demand.
#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn an_actor_that_panics_loses_and_doubles_nothing() {
    let first = given_seed().unwrap_or(1);
    for (backend, faults) in [(Backend::Postgres, [Fault::CommitAnswerLost]), (Backend::Sqlite, [Fault::ClientsCut])] {
        let cluster = Cluster::for_faults(backend, &faults);
        let mut panics = 0;
        for seed in first..first + PANICKING_RUNS {
            let plan = Plan::new(backend, &faults, seed);
            let found = run(&Plan { binary: binary(), variables: vec![PANICKING], ..plan }, cluster.as_ref());
            panics += found.times("500");
            found.must_be_clean();
        }
        assert!(panics > 0, "no actor has panicked");
    }
}
