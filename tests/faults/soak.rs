//! Many seeds over all faults on both databases: with `SOAK` set, 200 of them, or as many as it says.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::database::{Backend, Cluster};
use super::each::given_seed;
use super::fault::Fault;
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
    if let (Some(seed), Err(_)) = (given_seed(), std::env::var("SOAK")) {
        // One seed, to be played again.
        let plan = plan(seed);
        let cluster = (plan.backend == Backend::Postgres).then(Cluster::start);
        run(&plan, cluster.as_ref()).must_be_clean();
        return;
    }
    let Ok(soak) = std::env::var("SOAK") else { return };
    let runs = soak.parse().ok().filter(|runs| *runs > 1).unwrap_or(200);
    let first = given_seed().unwrap_or_else(|| rand::random_range(0..1_000_000_000));
    eprintln!("{runs} runs from FAULT_SEED={first} on");
    let (next, unclean) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let cluster = Cluster::start();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= runs {
                        break;
                    }
                    let plan = plan(first + number);
                    let found = run(&plan, (plan.backend == Backend::Postgres).then_some(&cluster));
                    eprintln!("{}", found.summary());
                    if !found.is_clean() {
                        unclean.fetch_add(1, Ordering::Relaxed);
                        eprintln!("{}", found.told());
                    }
                }
            });
        }
    });
    let unclean = unclean.into_inner();
    assert_eq!(unclean, 0, "of {runs} runs so many found something; each has printed its seed");
}
