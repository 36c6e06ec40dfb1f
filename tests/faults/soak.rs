//! Many seeds over all faults on both databases. `SOAK` enables it and sets the number of runs (200 by default);
//! `FAULT_SEED` alone repeats one run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use switchboard_testkit::{Backend, PostgresCluster};

use super::deployment::cluster_for;
use super::fault::Fault;
use super::fault_matrix::given_seed;
use super::run::{FaultPlan, run};

/// Concurrent runs: most of a run is waiting.
const CONCURRENT_RUNS: u64 = 3;

/// The plan of a seed: a database, and one to three faults.
pub(crate) fn plan(seed: u64) -> FaultPlan {
    let mut random = StdRng::seed_from_u64(seed);
    let backend = if random.random_range(0..5) < 3 { Backend::Postgres } else { Backend::Sqlite };
    let possible: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| fault.applies_to(backend)).collect();
    let count = random.random_range(1..4);
    let mut faults: Vec<Fault> = possible.sample(&mut random, count).copied().collect();
    if faults.contains(&Fault::ClockJumps) {
        faults.retain(|fault| !fault.needs_process());
    }
    FaultPlan { milliseconds: random.random_range(1500..4000), ..FaultPlan::new(backend, &faults, seed) }
}

#[test]
fn many_seeded_runs_over_all_faults_are_clean() {
    let Ok(soak) = std::env::var("SOAK") else {
        // One seed, to be repeated.
        if let Some(seed) = given_seed() {
            let plan = plan(seed);
            let cluster = cluster_for(plan.backend, &plan.faults);
            run(&plan, cluster.as_ref()).assert_clean();
        }
        return;
    };
    let runs = soak.parse().ok().filter(|runs| *runs > 1).unwrap_or(200);
    let first = given_seed().unwrap_or_else(|| rand::random_range(0..1_000_000_000));
    eprintln!("{runs} runs from FAULT_SEED={first} on");
    let next = AtomicU64::new(first);
    let failed = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CONCURRENT_RUNS).map(|_| scope.spawn(|| work(&next, first + runs))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(failed.is_empty(), "{} of {runs} runs failed, these seeds: {failed:?}", failed.len());
}

/// Runs one seed after the other. Returns those that failed.
fn work(next: &AtomicU64, end: u64) -> Vec<u64> {
    let cluster = PostgresCluster::start();
    let mut failed = Vec::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return failed;
        }
        let plan = plan(seed);
        let cluster = (plan.backend == Backend::Postgres).then_some(&cluster);
        // A run that hangs panics; the others go on.
        let Ok(report) = catch_unwind(AssertUnwindSafe(|| run(&plan, cluster))) else {
            failed.push(seed);
            continue;
        };
        eprintln!("{}", report.summary());
        if !report.is_clean() || !report.inactive_faults.is_empty() {
            eprintln!("{}", report.details());
            failed.push(seed);
        }
    }
}
