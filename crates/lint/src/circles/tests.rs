use crate::modules::ModuleGraph;
use crate::source_files::SourceFile;

use super::check;

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<SourceFile> =
        files.iter().filter_map(|(path, text)| SourceFile::new(path, (*text).to_owned())).collect();
    check(&ModuleGraph::build(&files)).into_iter().map(|finding| finding.subject).collect()
}

#[test]
fn modules_that_import_each_other_are_found_once() {
    let files = [
        ("src/a.rs", "use crate::b::X;"),
        ("src/b.rs", "use crate::c::X;"),
        ("src/c.rs", "use crate::a::X;"),
        ("src/d.rs", "use crate::a::X;"),
    ];
    assert_eq!(circles(&files), ["a, b, c"]);
}

#[test]
fn a_circle_is_found_between_the_submodules_of_one_parent() {
    let files = [
        ("src/p.rs", ""),
        ("src/p/a.rs", "use super::b::c::X;"),
        ("src/p/b.rs", ""),
        ("src/p/b/c.rs", "use crate::p::a::X;"),
    ];
    assert_eq!(circles(&files), ["p::a, p::b"]);
}

#[test]
fn a_module_and_its_own_submodules_may_import_each_other() {
    let files = [("src/a.rs", "mod b;\nuse b::X;"), ("src/a/b.rs", "use super::Y;")];
    assert!(circles(&files).is_empty());
}

#[test]
fn modules_that_only_tests_contain_are_left_out() {
    let files = [
        ("src/lib.rs", "#[cfg(test)]\nmod simulation;\nmod other;"),
        ("src/simulation.rs", "mod a;\nmod b;"),
        ("src/simulation/a.rs", "use super::b::X;"),
        ("src/simulation/b.rs", "use super::a::X;"),
    ];
    assert!(circles(&files).is_empty());
}
