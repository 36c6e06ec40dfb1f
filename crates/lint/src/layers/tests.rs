use crate::modules::ModuleGraph;
use crate::source_files::SourceFile;

use super::Layers;

const RULES: &str = "top\nleft right\nbottom\nonly left::core: bottom\n";

fn lines(files: &[(&str, &str)]) -> Vec<(String, usize)> {
    let files: Vec<SourceFile> =
        files.iter().filter_map(|(path, text)| SourceFile::new(path, (*text).to_owned())).collect();
    let findings = Layers::parse(RULES).expect("rules").check(&ModuleGraph::build(&files));
    findings.into_iter().map(|finding| (finding.path, finding.line)).collect()
}

#[test]
fn an_import_points_to_a_lower_layer() {
    let files = [
        ("src/top.rs", "use crate::left::X;\nuse crate::bottom::X;"),
        ("src/left.rs", "use crate::bottom::X;\nuse crate::right::X;\nuse crate::top::X;"),
        ("src/right.rs", ""),
        ("src/bottom.rs", "fn f() { crate::left::f() }"),
    ];
    let file = |path: &str, line| (path.to_owned(), line);
    assert_eq!(lines(&files), [file("src/left.rs", 2), file("src/left.rs", 3), file("src/bottom.rs", 1)]);
}

#[test]
fn a_restricted_module_imports_what_is_listed_and_nothing_else_not_even_its_parent() {
    let files = [
        ("src/left.rs", "mod core;"),
        ("src/left/core.rs", "mod part;\nuse part::X;\nuse crate::bottom::X;\nuse super::Y;"),
        ("src/left/core/part.rs", "use super::Z;"),
        ("src/bottom.rs", ""),
    ];
    assert_eq!(lines(&files), [("src/left/core.rs".to_owned(), 4)]);
}

#[test]
fn a_module_without_a_layer_is_found() {
    assert_eq!(lines(&[("src/new.rs", "")]), [("src/new.rs".to_owned(), 0)]);
}
