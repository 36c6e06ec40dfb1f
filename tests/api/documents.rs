//! What is written about the server is what it does: the documents in `docs/` are made from the program, the examples
//! of the contract fit them, and the list of what shows what names tests that there are.

mod access;
mod contract;
mod coverage;
mod errors;
mod generated;
mod page;

use std::path::Path;

/// Compares a file of this repository with what the program says it should be. `UPDATE_DOCS=1` writes it instead.
fn assert_up_to_date(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == expected, "{name} is out of date: UPDATE_DOCS=1 scripts/test rust documents writes it anew");
}
