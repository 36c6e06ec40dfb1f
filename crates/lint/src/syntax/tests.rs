use crate::lexer;

use super::{functions, imports, paths, test_modules, without_tests};

#[test]
fn a_function_is_counted_from_fn_to_its_closing_brace() {
    let tokens =
        lexer::tokens("trait T {\n fn a();\n fn b() {\n  if x { y }\n }\n}\nfn c<F: Fn()>(f: fn()) where F: Sized { }");
    let found: Vec<(String, usize, usize)> =
        functions(&tokens).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(found, [("b".to_owned(), 3, 3), ("c".to_owned(), 7, 1)]);
}

#[test]
fn an_inline_test_module_is_found_and_left_out() {
    let tokens =
        lexer::tokens("fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n#[cfg(test)]\nmod other;\nfn c() {}");
    assert_eq!(test_modules(&tokens).len(), 1);
    let names: Vec<String> = functions(&without_tests(&tokens)).into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["a", "c"]);
}

#[test]
fn a_use_tree_gives_each_path_and_its_name() {
    let tokens = lexer::tokens("use a::b::{self, C, D as E};\npub(crate) use super::f;\nuse g::*;");
    let (found, nested) = imports(&tokens);
    let flat: Vec<(String, String, bool)> =
        found.into_iter().map(|i| (i.path.join("::"), i.name, i.is_public)).collect();
    let expected = [
        ("a::b", "b", false),
        ("a::b::C", "C", false),
        ("a::b::D", "E", false),
        ("super::f", "f", true),
        ("g::*", "*", false),
    ];
    assert_eq!(flat, expected.map(|(path, name, public)| (path.to_owned(), name.to_owned(), public)));
    assert!(nested.is_empty());
}

#[test]
fn braces_within_braces_are_nested() {
    let (found, nested) = imports(&lexer::tokens("\nuse a::{b::{C, D}, E};"));
    assert_eq!(found.len(), 3);
    assert_eq!(nested, [2]);
}

#[test]
fn a_visibility_is_no_path() {
    assert!(paths(&lexer::tokens("pub(in crate::a) fn f() {}\npub(in crate::a) struct S;")).is_empty());
}

#[test]
fn paths_outside_imports_are_found_also_in_macros() {
    let found = paths(&lexer::tokens("use a::b;\nfn f() { json!({ \"k\": crate::c::d(e) }) }"));
    assert_eq!(found, [(vec!["crate".to_owned(), "c".to_owned(), "d".to_owned()], 2)]);
}
