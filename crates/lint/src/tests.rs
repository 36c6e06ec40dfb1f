//! The lint as it runs: over a repository with rules of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Rule, check};

/// A repository with these files and the rules that they need.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let rules = [
        ("crates/lint/rules/words.txt", "told | announced |\n"),
        ("crates/lint/rules/layers.txt", "upper\nlower\n"),
        ("crates/lint/rules/exceptions.txt", "word | docs/ | told | quotes a text of the contract\n"),
        ("docs/CONTRACT.md", "as we told you"),
    ];
    for (path, text) in rules.iter().chain(files) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(path, text).expect("written");
    }
    let git = Command::new("git").args(["init", "--quiet"]).current_dir(folder.path()).status();
    assert!(git.expect("git runs").success());
    folder
}

/// The rules that are broken, and where.
fn broken(root: &Path, paths: &[&str]) -> Vec<(Rule, String)> {
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    check(root, &paths).expect("checked").into_iter().map(|finding| (finding.rule, finding.path)).collect()
}

#[test]
fn every_rule_finds_its_bad_example() {
    let long = "\n".repeat(401);
    let function = format!("fn f() {{\n{}}}\n", "x;\n".repeat(70));
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(150));
    let examples: [(&str, &str, Rule); 10] = [
        ("README.md", "It told us.", Rule::Word),
        ("scripts/run", "#!/bin/sh\n# told", Rule::Word),
        ("src/lower/long.rs", &long, Rule::FileLength),
        ("src/lower/function.rs", &function, Rule::FunctionLength),
        ("src/lower/tested.rs", &tests, Rule::TestModule),
        ("src/lower/mod.rs", "", Rule::Layout),
        ("src/lower/imports.rs", "use a::{b::{C, D}, E};", Rule::NestedImport),
        ("src/lower.rs", "use crate::upper::X;", Rule::Layer),
        ("crates/a/src/a.rs", "", Rule::Circle),
        ("crates/a/Cargo.toml", "[package]", Rule::Manifest),
    ];
    let mut files: Vec<(&str, &str)> = examples.iter().map(|(path, text, _)| (*path, *text)).collect();
    files.push(("src/upper.rs", ""));
    files.retain(|(path, _)| *path != "crates/a/src/a.rs");
    files.push(("crates/a/src/a.rs", "use crate::b::X;"));
    files.push(("crates/a/src/b.rs", "use crate::a::X;"));
    let repository = repository(&files);

    let mut expected: Vec<(Rule, String)> =
        examples.iter().map(|(path, _, rule)| (*rule, (*path).to_owned())).collect();
    expected.sort_by(|(_, a), (_, b)| a.cmp(b));
    assert_eq!(broken(repository.path(), &[]), expected);
}

#[test]
fn only_the_named_files_and_folders_are_reported() {
    let repository = repository(&[("a/README.md", "told"), ("b/README.md", "told")]);
    assert_eq!(broken(repository.path(), &["./a"]), [(Rule::Word, "a/README.md".to_owned())]);
    assert_eq!(broken(repository.path(), &["b/README.md"]), [(Rule::Word, "b/README.md".to_owned())]);
}

#[test]
fn an_exception_without_use_is_reported() {
    let repository = repository(&[("docs/CONTRACT.md", "as we announced")]);
    let file = "crates/lint/rules/exceptions.txt".to_owned();
    assert_eq!(broken(repository.path(), &[]), [(Rule::UnusedException, file)]);
}
