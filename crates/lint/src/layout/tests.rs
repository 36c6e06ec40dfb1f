use crate::finding::Rule;
use crate::source_files::SourceFile;

use super::check;

fn rules(path: &str, text: &str) -> Vec<Rule> {
    let file = SourceFile::new(path, text.to_owned()).expect("a Rust file");
    check(&file).into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_module_is_not_in_mod_rs_and_its_tests_are_not_in_foo_tests_rs() {
    assert_eq!(rules("src/foo/mod.rs", ""), [Rule::Layout]);
    assert_eq!(rules("src/foo_tests.rs", ""), [Rule::Layout]);
    assert!(rules("src/foo.rs", "").is_empty());
    assert!(rules("src/foo/tests.rs", "").is_empty());
}

#[test]
fn a_path_attribute_is_refused() {
    assert_eq!(rules("src/foo.rs", "#[path = \"bar.rs\"]\nmod foo;"), [Rule::Layout]);
}

#[test]
fn braces_in_the_braces_of_an_import_are_refused() {
    assert_eq!(rules("src/foo.rs", "use a::{b::{C, D}, E};"), [Rule::NestedImport]);
    assert!(rules("src/foo.rs", "use a::E;\nuse a::b::{C, D};").is_empty());
}
