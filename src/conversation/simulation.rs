//! A deterministic simulation of the conversation machine: several servers, each with machines for one conversation,
//! over one simulated database, driven by a seed.
//!
//! A [`Script`] lists what clients do and which faults there are; a [`World`] runs it in virtual time. Commits and reads
//! are delayed and reordered, fail, lose their answer or take effect after they were reported failed; queues are full;
//! callers give up and retry on another server; servers crash; actors passivate. Everything random comes from the seed,
//! so a run repeats exactly.
//!
//! The consistency checker of the load test judges what clients saw (`judge`); the world itself checks what they cannot
//! see: that each server publishes stored events only, once and in order, and that every command is answered.
//!
//! - `SIMULATION_SEED=7 scripts/test rust simulation` runs one seed and, if it fails, prints the shrunk script with
//!   everything that happened in it.
//! - `SIMULATION_SEEDS=1000000` runs that many (`make soak`).

mod clients;
mod database;
mod journal;
mod judge;
mod listeners;
mod script;
mod server;
mod shrink;
mod tests;
mod world;

use self::script::Script;
use self::world::World;
use super::core::Defects;

/// What came of a run.
struct Run {
    /// What is wrong, nothing if all is well.
    failures: Vec<String>,
    /// What happened, a line for each step, if it was asked for.
    trace: Vec<String>,
}

/// Runs a script to its end and judges it.
fn run(script: &Script, defects: Defects, is_traced: bool) -> Run {
    let mut world = World::new(script.clone(), defects, is_traced);
    world.run();
    world.judge()
}
