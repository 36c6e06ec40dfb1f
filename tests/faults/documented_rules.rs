//! `docs/RELIABILITY.md` names tests for each promise; they exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_test_named_in_the_table_of_promises_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/RELIABILITY.md")).unwrap();
    let (_, rest) = document.split_once("## The promises").unwrap();
    let (table, _) = rest.split_once("## The faults").unwrap();
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let tests = row.split(" | ").nth(2).unwrap();
        let before = named.len();
        named.extend(tests.split('`').skip(1).step_by(2));
        assert!(named.len() > before || tests.contains("::"), "a promise without a test: {row}");
    }
    assert!(named.len() > 30, "the table is read: {}", named.len());
    let exists = |name: &&str| {
        let Some((file, test)) = name.split_once("::") else { return false };
        let Ok(source) = fs::read_to_string(root.join(file)) else { return false };
        // A function, a line that a macro turns into one, or a test in JavaScript.
        [format!("fn {test}("), format!("    {test}:"), format!("('{test}'")].iter().any(|form| source.contains(form))
    };
    let missing: Vec<_> = named.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}
