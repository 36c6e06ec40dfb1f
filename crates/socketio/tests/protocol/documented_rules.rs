//! docs/PROTOCOL.md names a test for each rule of the protocol. They exist.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// The sources below a folder, by their module's name.
fn sources(folder: &Path, into: &mut HashMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let name = if ["tests", "mod"].contains(&stem) {
                path.parent().unwrap().file_name().unwrap().to_str().unwrap()
            } else {
                stem
            };
            into.entry(name.to_owned()).or_default().push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_table_of_rules_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/PROTOCOL.md")).unwrap();
    let (_, table) = document.split_once("## Which test shows it").unwrap();
    let mut modules = HashMap::new();
    for folder in ["tests/protocol", "tests/protocol_load", "../../tests/api", "../engineio/src", "src"] {
        sources(&root.join(folder), &mut modules);
    }
    let stock = fs::read_to_string(root.join("tests/stock/stock.test.mjs")).unwrap();
    let named: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() > 80, "the table is read: {}", named.len());
    let exists = |name: &str| match name.split_once("::") {
        Some((module, test)) => modules.get(module).is_some_and(|source| source.contains(&format!("fn {test}("))),
        None => name.strip_prefix("stock: ").is_some_and(|title| stock.contains(&format!("test('{title}'"))),
    };
    let missing: Vec<_> = named.into_iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}
