//! docs/PROTOCOL.md names a test for each rule of the protocols. Checks that these tests exist.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// Collects the sources under a folder by module name. The module of `foo/tests.rs` is `foo`.
fn collect_sources(folder: &Path, sources: &mut HashMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let module = match stem {
                "tests" => path.parent().unwrap().file_name().unwrap().to_str().unwrap(),
                stem => stem,
            };
            sources.entry(module.to_owned()).or_default().push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_named_in_the_rule_tables_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/PROTOCOL.md")).unwrap();
    let (_, tables) = document.split_once("## Rules and their tests").unwrap();
    let mut modules = HashMap::new();
    for folder in ["tests/protocol", "tests/protocol_load", "../engineio/src", "src"] {
        collect_sources(&root.join(folder), &mut modules);
    }
    let stock = fs::read_to_string(root.join("tests/stock/stock.test.mjs")).unwrap();
    let names: BTreeSet<&str> = tables
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(names.len() > 80, "only {} names were found", names.len());
    let exists = |name: &str| match name.split_once("::") {
        Some((module, test)) => modules.get(module).is_some_and(|source| source.contains(&format!("fn {test}("))),
        None => name.strip_prefix("stock: ").is_some_and(|title| stock.contains(&format!("test('{title}'"))),
    };
    let missing: Vec<_> = names.into_iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}
