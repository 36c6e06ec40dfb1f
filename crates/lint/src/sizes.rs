//! How long files, functions and inline test modules may be.

#[cfg(test)]
mod tests;

use crate::finding::{Finding, Rule};
use crate::source_files::{Language, SourceFile};
use crate::syntax::{self, Function};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;
const TEST_MODULE_LINES: usize = 150;

/// Checks the lengths in a file of code.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let functions = match file.language {
        Language::Rust => syntax::functions(&file.tokens),
        Language::JavaScript | Language::Shell => functions_by_indentation(&file.text),
        Language::Text => return Vec::new(),
    };
    let mut findings = Vec::new();
    let mut report = |line, rule, subject: &str, what: &str, lines: usize, limit: usize| {
        if lines > limit {
            let message = format!("{what} has {lines} lines; {limit} at most");
            findings.push(Finding { path: file.path.clone(), line, rule, subject: subject.to_owned(), message });
        }
    };
    report(0, Rule::FileLength, "", "the file", file.text.lines().count(), FILE_LINES);
    for Function { name, line, lines } in functions {
        report(line, Rule::FunctionLength, &name, &format!("function `{name}`"), lines, FUNCTION_LINES);
    }
    for range in syntax::test_modules(&file.tokens) {
        let tokens = file.tokens.get(range).unwrap_or_default();
        if let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
            let what = "the inline test module (move it to foo/tests.rs)";
            report(first.line, Rule::TestModule, "", what, last.line + 1 - first.line, TEST_MODULE_LINES);
        }
    }
    findings
}

/// Functions in JavaScript and shell: from a line that opens one to the closing brace of the same indentation.
///
/// The bodies of `describe` and `suite` are lists of tests, not functions.
fn functions_by_indentation(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let mut functions = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let opens = line.contains("function ") || line.contains("=> {") || line.contains("() {");
        if !opens || !line.trim_end().ends_with('{') || line.contains("describe(") || line.contains("suite(") {
            continue;
        }
        let closes = |l: &&str| indentation(l) == indentation(line) && l.trim_start().starts_with('}');
        if let Some(length) = lines.iter().skip(start + 1).position(closes) {
            functions.push(Function { name: line.trim().to_owned(), line: start + 1, lines: length + 2 });
        }
    }
    functions
}
