use crate::finding::Rule;
use crate::source_files::SourceFile;

use super::check;

fn rules(path: &str, text: &str) -> Vec<(Rule, usize)> {
    let file = SourceFile::new(path, text.to_owned()).expect("a file of code");
    check(&file).into_iter().map(|finding| (finding.rule, finding.line)).collect()
}

#[test]
fn a_file_of_401_lines_is_too_long() {
    for path in ["a.rs", "a.mjs", "a.sh"] {
        assert_eq!(rules(path, &"\n".repeat(401)), [(Rule::FileLength, 0)]);
        assert!(rules(path, &"\n".repeat(400)).is_empty());
    }
    assert!(SourceFile::new("a.md", "\n".repeat(401)).is_some_and(|file| check(&file).is_empty()));
}

#[test]
fn a_function_of_71_lines_is_too_long() {
    for (path, head) in [("a.rs", "fn f() {"), ("a.mjs", "test('f', async () => {"), ("a.sh", "f() {")] {
        let function = |lines: usize| format!("\n{head}\n{}}}\n", "  x\n".repeat(lines - 2));
        assert_eq!(rules(path, &function(71)), [(Rule::FunctionLength, 2)]);
        assert!(rules(path, &function(70)).is_empty());
    }
}

#[test]
fn an_inline_test_module_of_151_lines_is_too_long() {
    let module = |lines: usize| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(lines - 2));
    assert_eq!(rules("a.rs", &module(151)), [(Rule::TestModule, 2)]);
    assert!(rules("a.rs", &module(150)).is_empty());
}
