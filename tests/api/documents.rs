//! The documents describe the server: those in `docs/` are generated from the program and up to date, the examples of the
//! contract match them, and the list of tests for each sentence of the contract names existing tests.

mod access;
mod contract;
mod coverage;
mod errors;
mod generated;
mod links;
mod page;

use std::path::Path;

/// Compares a file of this repository with what the program generates. `UPDATE_DOCS=1` writes the file.
fn assert_up_to_date(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == expected, "{name} is out of date: UPDATE_DOCS=1 scripts/test rust documents writes it");
}
