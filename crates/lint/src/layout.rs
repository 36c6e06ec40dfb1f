//! Where modules are and how they import: `foo.rs` with `foo/`, tests in `foo/tests.rs`, one `use` per module path.

#[cfg(test)]
mod tests;

use crate::finding::{Finding, Rule};
use crate::source_files::{Language, SourceFile};
use crate::syntax;

/// Checks the name of a Rust file, its imports and its `#[path]` attributes.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    if file.language != Language::Rust {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut report = |line, rule, message: &str| {
        let (path, subject) = (file.path.clone(), String::new());
        findings.push(Finding { path, line, rule, subject, message: message.to_owned() });
    };
    if file.path.ends_with("/mod.rs") {
        report(0, Rule::Layout, "a module foo is in foo.rs, not in foo/mod.rs");
    }
    // property_tests.rs and its like next to tests.rs are modules of their own; foo_tests.rs next to foo.rs is not.
    if file.path.ends_with("_tests.rs") && !file.path.ends_with("/property_tests.rs") {
        report(0, Rule::Layout, "the unit tests of foo.rs are in foo/tests.rs, not in foo_tests.rs");
    }
    for window in file.tokens.windows(4) {
        if window.iter().map(|token| token.text.as_str()).eq(["#", "[", "path", "="]) {
            let line = window.first().map_or(0, |token| token.line);
            report(line, Rule::Layout, "a module's file follows from its name, without #[path]");
        }
    }
    for line in syntax::imports(&file.tokens).1 {
        report(line, Rule::NestedImport, "one `use` per module path, without braces in braces");
    }
    findings
}
