//! The server with a defect that `SWITCHBOARD_MUTANT` names (`src/failpoints.rs`): what `tests/faults/mutants.rs` runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    switchboard::cli::run()
}
