use crate::source_files::SourceFile;

use super::ModuleGraph;

/// The imports between these files, each given as path and text, as `from -> to:line`.
fn imports(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<SourceFile> =
        files.iter().filter_map(|(path, text)| SourceFile::new(path, (*text).to_owned())).collect();
    let graph = ModuleGraph::build(&files);
    let module = |index: usize| graph.modules[index].path.join("::");
    graph.imports.iter().map(|edge| format!("{} -> {}:{}", module(edge.from), module(edge.to), edge.line)).collect()
}

#[test]
fn imports_and_paths_are_resolved_from_the_crate_the_parent_and_the_module() {
    let files = [
        ("src/a.rs", "mod c;\nuse self::c::X;\nfn f() { c::g() }"),
        ("src/a/c.rs", "use crate::b::Y;\nuse super::super::b::Z;\nuse std::fmt;"),
        ("src/b.rs", "fn f() { crate::a::g() }"),
    ];
    assert_eq!(imports(&files), ["a -> a::c:2", "a -> a::c:3", "a::c -> b:1", "a::c -> b:2", "b -> a:1"]);
}

#[test]
fn a_re_export_leads_to_the_module_that_defines_the_name_and_is_no_import_itself() {
    let files = [
        ("src/a.rs", "mod c;\npub use c::X;\npub use other::Q;"),
        ("src/a/c.rs", ""),
        ("src/a/d.rs", "use super::X;\nuse super::Q;"),
    ];
    assert_eq!(imports(&files), ["a::d -> a::c:1"]);
}

#[test]
fn a_re_exported_name_that_the_module_uses_is_an_import() {
    let files = [("src/a.rs", "pub use c::X;\nstruct S(X);"), ("src/a/c.rs", "")];
    assert_eq!(imports(&files), ["a -> a::c:1"]);
}

#[test]
fn imports_of_test_code_are_left_out() {
    let files = [
        ("src/a.rs", "#[cfg(test)]\nmod tests {\n use crate::b::X;\n}"),
        ("src/a/tests.rs", "use crate::b::X;"),
        ("src/b.rs", ""),
    ];
    assert!(imports(&files).is_empty());
}
