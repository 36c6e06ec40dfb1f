//! Nothing lost, nothing doubled, one order, one winner: under faults.
//!
//! A run starts the built binary on a database of its own, lets customers and agents work against it while something is
//! wrong (`fault`), makes all well again, reads everything back and has `switchboard_loadtest::checker` judge it. The
//! seed decides who does what and what goes wrong when; a run that fails prints it, and `FAULT_SEED=…` plays it again,
//! as far as the machine's own timing allows.
//!
//! `each` runs each fault once, `soak` many seeds over all of them (with `SOAK` set), `mutants` shows that the checker
//! sees. What is promised, and which test would catch its breach, stands in docs/RELIABILITY.md; `table` reads it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs
)]

mod clock;
mod database;
mod disk;
mod documented_rules;
mod fault;
mod fault_matrix;
mod final_read;
mod listeners;
mod listening;
mod mutants;
mod people;
mod proxy;
mod rest_actions;
mod run;
mod run_state;
mod server;
mod soak;
