//! The server with a defect that `SWITCHBOARD_MUTANT` names (`src/failpoints.rs`); `tests/faults/mutants.rs` runs it.

use std::process::ExitCode;

fn main() -> ExitCode {
    switchboard::cli::run()
}
