//! Many seeds over all faults on both databases: with `SOAK` set, 200 of them, or as many as it says.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::database::{Backend, Cluster};
use super::fault::Fault;
use super::fault_matrix::given_seed;
use super::run::{Plan, run};

/// Runs at a time: most of a run is waiting.
const AT_ONCE: u64 = 3;

/// What this seed stands for: a database, and one to three faults.
pub(crate) fn plan(seed: u64) -> Plan {
    let mut chance = StdRng::seed_from_u64(seed);
    let backend = if chance.random_range(0..5) < 3 { Backend::Postgres } else { Backend::Sqlite };
    let possible: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| fault.concerns(backend)).collect();
    let count = chance.random_range(1..4);
    let mut faults: Vec<Fault> = possible.sample(&mut chance, count).copied().collect();
    if faults.contains(&Fault::ClockJumps) {
        faults.retain(|fault| !fault.needs_a_process());
    }
    Plan { milliseconds: chance.random_range(1500..4000), ..Plan::new(backend, &faults, seed) }
}

#[test]
fn nothing_is_found_in_many_seeded_runs_over_all_faults() {
    let Ok(soak) = std::env::var("SOAK") else {
        // One seed, to be played again.
        if let Some(seed) = given_seed() {
            let plan = plan(seed);
            let cluster = Cluster::for_faults(plan.backend, &plan.faults);
            run(&plan, cluster.as_ref()).must_be_clean();
        }
        return;
    };
    let runs = soak.parse().ok().filter(|runs| *runs > 1).unwrap_or(200);
    let first = given_seed().unwrap_or_else(|| rand::random_range(0..1_000_000_000));
    eprintln!("{runs} runs from FAULT_SEED={first} on");
    let next = AtomicU64::new(first);
    let unclean = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| work(&next, first + runs))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(unclean.is_empty(), "{} of {runs} runs found something, these seeds: {unclean:?}", unclean.len());
}

/// Plays one seed after the other: those that found something.
fn work(next: &AtomicU64, end: u64) -> Vec<u64> {
    let cluster = Cluster::start();
    let mut unclean = Vec::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return unclean;
        }
        let plan = plan(seed);
        let cluster = (plan.backend == Backend::Postgres).then_some(&cluster);
        // One that hangs is one finding, not the end of the others.
        let Ok(found) = catch_unwind(AssertUnwindSafe(|| run(&plan, cluster))) else {
            unclean.push(seed);
            continue;
        };
        eprintln!("{}", found.summary());
        if !found.is_clean() || !found.never_struck.is_empty() {
            eprintln!("{}", found.told());
            unclean.push(seed);
        }
    }
}
