//! Many seeds without a finding, every defect found.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use super::script::Script;
use super::shrink::shrink;
use super::{Defects, run};
use crate::conversation::core::Defect;

/// Seeds that `make test` runs.
const SEEDS: u64 = 2_000;

/// Seeds within which a defect must be found.
const SEEDS_FOR_A_DEFECT: u64 = 20_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The first failing seed of these, tried on every core.
fn first_failure(seeds: std::ops::Range<u64>, defects: Defects) -> Option<u64> {
    let (next, failing) = (AtomicU64::new(seeds.start), AtomicU64::new(u64::MAX));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || seed > failing.load(Ordering::Relaxed) {
                        break;
                    }
                    if !run(&Script::of(seed), defects, false).failures.is_empty() {
                        failing.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    Some(failing.into_inner()).filter(|seed| *seed != u64::MAX)
}

/// Everything about a failing seed.
fn report(seed: u64, defects: Defects) -> String {
    let script = shrink(Script::of(seed), defects);
    let run = run(&script, defects, true);
    format!(
        "SIMULATION_SEED={seed} fails:\n{}\nshrunk to {script:#?}\n\n{}",
        run.failures.join("\n"),
        run.trace.join("\n")
    )
}

#[test]
fn no_seed_breaks_a_promise() {
    let seeds = match number("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(SEEDS),
    };
    if let Some(seed) = first_failure(seeds, Defects::default()) {
        panic!("{}", report(seed, Defects::default()));
    }
}

#[test]
fn a_run_repeats_to_the_letter() {
    for seed in 0..50 {
        let trace = || run(&Script::of(seed), Defects::default(), true).trace;
        assert_eq!(trace(), trace(), "seed {seed}");
    }
}

#[test]
fn every_defect_of_the_machine_is_found() {
    // A machine that panics harms nothing else: see below.
    let harmful = Defect::ALL.into_iter().filter(|(_, defect)| *defect != Defect::Panic);
    let found: Vec<_> =
        harmful.map(|(name, defect)| (name, first_failure(0..SEEDS_FOR_A_DEFECT, Defects::only(defect)))).collect();
    println!("first failing seeds: {found:?}");
    let missed: Vec<_> = found.iter().filter(|(_, seed)| seed.is_none()).map(|(name, _)| name).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn a_machine_that_panics_harms_nothing_else() {
    let failing = first_failure(0..200, Defects::only(Defect::Panic));
    assert_eq!(failing, None);
}

#[test]
fn a_failing_script_is_shrunk() {
    let defects = Defects::only(Defect::PublishBeforeCommit);
    let seed = first_failure(0..SEEDS_FOR_A_DEFECT, defects).expect("a failing seed");
    let script = shrink(Script::of(seed), defects);
    assert!(script.steps.len() <= 4, "{script:#?}");
    assert!(!run(&script, defects, false).failures.is_empty());
}
/// What a run shows in its trace, without numbers.
fn kinds(trace: &[String]) -> impl Iterator<Item = String> {
    trace.iter().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let failed = if line.contains("Err(") { " failed" } else { "" };
        Some(match words.as_slice() {
            ["machine", _, "<-", input, ..] => format!("{}{failed}", input.split(['(', '{']).next()?),
            ["server", _, "commit", .., fate] => format!("commit {fate}"),
            ["late", .., fate] => format!("late commit {fate}"),
            ["server", _, what, ..] => format!("server {what}"),
            _ => return None,
        })
    })
}

#[test]
fn every_input_and_every_fault_occurs() {
    let seen: BTreeSet<String> = (0..200)
        .flat_map(|seed| kinds(&run(&Script::of(seed), Defects::default(), true).trace).collect::<Vec<_>>())
        .collect();
    let expected = [
        "Started",
        "Command",
        "Committed",
        "Rejected",
        "AppendFailed",
        "Loaded",
        "Loaded failed",
        "VersionRead",
        "VersionRead failed",
        "SendFound",
        "SendFound failed",
        "Subscribe",
        "BacklogsRead",
        "BacklogsRead failed",
        "Tick",
        "Drained",
        "Passivate",
        "commit Stored",
        "commit Fenced",
        "commit Lost",
        "commit Failed",
        "commit Late",
        "late commit stored",
        "late commit refused",
        "server crashes",
        "server forgets",
    ];
    let missing: Vec<_> = expected.into_iter().filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "{missing:?} of {seen:?}");
}
