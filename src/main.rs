//! The program `switchboard`.

use std::process::ExitCode;

/// Chosen by measurement, see "Memory" in docs/PERFORMANCE.md.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    switchboard::cli::run()
}
