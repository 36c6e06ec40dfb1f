//! The checker finds defects. Each test removes a safeguard of the server (`src/failpoints.rs`); runs like those of
//! [`fault_matrix`](super::fault_matrix) must then break a promise, and the same run without the defect must be clean.
//!
//! The tests need the binary that `cargo build --features mutants --bin switchboard-mutant` makes. It is a second build of
//! the crate, so `make test` leaves them out; `make soak` and `scripts/test mutants` run them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sea_orm::ConnectionTrait as _;
use switchboard_loadtest::checker::Promise;
use switchboard_testkit::Backend;

use super::deployment::{Deployment, cluster_for};
use super::fault::Fault;
use super::fault_matrix::given_seed;
use super::run::{FaultPlan, PANICKING, run, run_prepared};

/// Seeds within which a mutant must be found.
const SEEDS: u64 = 6;
/// Runs on each database in which actors panic.
const PANICKING_RUNS: u64 = 10;

fn binary() -> PathBuf {
    let tested = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    let mutant = tested.with_file_name("switchboard-mutant");
    assert!(mutant.exists(), "{} is not built: run `scripts/test mutants`", mutant.display());
    mutant
}

/// Runs with a mutant until one of these promises is broken, then once more without the mutant.
fn assert_found(
    mutant: &'static str,
    backend: Backend,
    faults: &[Fault],
    promises: &[Promise],
    prepare: impl AsyncFn(&Deployment<'_>),
) {
    let cluster = cluster_for(backend, faults);
    let mut all = BTreeSet::new();
    for seed in 1..=SEEDS {
        let sound = FaultPlan { binary: binary(), ..FaultPlan::new(backend, faults, seed) };
        let plan = FaultPlan { variables: vec![("SWITCHBOARD_MUTANT", mutant)], ..sound.clone() };
        let report = run_prepared(&plan, cluster.as_ref(), &prepare);
        let broken: BTreeSet<Promise> = report.verdict.violations.iter().map(|violation| violation.promise).collect();
        eprintln!("mutant {mutant}: {}\n{broken:?}", report.summary());
        if promises.iter().any(|promise| broken.contains(promise)) {
            run_prepared(&sound, cluster.as_ref(), &prepare).assert_clean();
            return;
        }
        all.extend(broken);
    }
    panic!("the mutant {mutant} was not found in {SEEDS} runs, only {all:?}");
}

async fn prepare_nothing(_: &Deployment<'_>) {}

/// The tables' primary keys are a second safeguard: they admit one event for each position. Both are removed here;
/// without the keys alone nothing is found.
#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_fence_two_servers_disagree() {
    let drop_keys = async |deployment: &Deployment<'_>| {
        let Some(connection) = deployment.database_connection().await else { return };
        for table in ["messages", "conversation_events"] {
            let statement = format!("ALTER TABLE {table} DROP CONSTRAINT {table}_pkey");
            connection.execute_unprepared(&statement).await.unwrap();
        }
    };
    for promise in [Promise::OneWinner, Promise::OneOrder] {
        assert_found("fence", Backend::Postgres, &[Fault::TwoServers], &[promise], drop_keys);
    }
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_wait_for_the_commit_an_acknowledged_message_is_lost() {
    let on_postgres = (Backend::Postgres, [Fault::Kill, Fault::DatabaseSlow]);
    let on_sqlite = (Backend::Sqlite, [Fault::Kill, Fault::DiskFull]);
    for (backend, faults) in [on_postgres, on_sqlite] {
        assert_found("wait", backend, &faults, &[Promise::NothingLost], prepare_nothing);
    }
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_idempotency_check_a_repeated_send_is_stored_twice() {
    let faults = [Fault::ClientResponsesLost];
    for backend in [Backend::Postgres, Backend::Sqlite] {
        assert_found("repeat", backend, &faults, &[Promise::NothingDoubled], prepare_nothing);
    }
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_the_read_barrier_answers_are_wrong() {
    for backend in [Backend::Postgres, Backend::Sqlite] {
        let promises = [Promise::OneWinner, Promise::Linearizable];
        assert_found("look", backend, &[Fault::TwoServers], &promises, prepare_nothing);
    }
}

#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn without_gap_recovery_listeners_miss_what_another_server_stored() {
    for backend in [Backend::Postgres, Backend::Sqlite] {
        assert_found("hole", backend, &[Fault::TwoServers], &[Promise::NothingLost], prepare_nothing);
    }
}

/// A panic is no mutant, but needs the same build: nothing makes the released server panic.
#[test]
#[ignore = "needs the mutants' build: scripts/test mutants"]
fn an_actor_that_panics_loses_and_duplicates_nothing() {
    let first = given_seed().unwrap_or(1);
    for (backend, faults) in [(Backend::Postgres, [Fault::CommitResponseLost]), (Backend::Sqlite, [Fault::ClientsCut])]
    {
        let cluster = cluster_for(backend, &faults);
        let mut panics = 0;
        for seed in first..first + PANICKING_RUNS {
            let plan = FaultPlan::new(backend, &faults, seed);
            let report = run(&FaultPlan { binary: binary(), variables: vec![PANICKING], ..plan }, cluster.as_ref());
            panics += report.count("500");
            report.assert_clean();
        }
        assert!(panics > 0, "no actor has panicked");
    }
}
