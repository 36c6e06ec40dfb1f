use crate::source_files::SourceFile;

use super::check;

fn findings(path: &str, text: &str) -> usize {
    check(&[SourceFile::new(path, text.to_owned()).expect("a manifest")]).len()
}

#[test]
fn a_crate_that_does_not_inherit_the_lints_is_found() {
    assert_eq!(findings("crates/a/Cargo.toml", "[package]\n[lints]\n"), 1);
    assert_eq!(findings("crates/a/Cargo.toml", "[package]\n[lints]\nworkspace = true\n"), 0);
}

#[test]
fn a_workspace_of_its_own_is_left_out() {
    assert_eq!(findings("crates/a/fuzz/Cargo.toml", "[package]\n[workspace]\n"), 0);
}

#[test]
fn a_workspace_that_allows_undocumented_items_is_found() {
    assert_eq!(findings("Cargo.toml", "[lints]\nworkspace = true\n"), 1);
    let documented = "[lints]\nworkspace = true\n[workspace.lints.rust]\nmissing_docs = \"warn\"\n";
    assert_eq!(findings("Cargo.toml", documented), 0);
}
