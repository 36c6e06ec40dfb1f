//! Nothing lost, nothing duplicated, one order, one winner: while something fails.
//!
//! A run starts the built binary on a database of its own, lets customers and agents work against it while faults strike
//! ([`fault`]), ends the faults, reads everything back and has `switchboard_loadtest::checker` judge the history. The seed
//! decides who does what and which fault strikes when. A run that fails prints its seed; `FAULT_SEED=…` repeats it, as far
//! as the machine's own timing allows.
//!
//! [`fault_matrix`] runs each fault once, [`soak`] many seeds over all of them (if `SOAK` is set), [`mutants`] shows that
//! the checker finds defects. `docs/RELIABILITY.md` names each promise and the tests that would catch its breach;
//! [`documented_rules`] checks that they exist.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs
)]

mod deployment;
mod disk;
mod documented_rules;
mod fault;
mod fault_matrix;
mod final_read;
mod listener;
mod listeners;
mod mutants;
mod participants;
mod rest_client;
mod run;
mod run_state;
mod server;
mod soak;
