//! The rules of this repository that rustfmt, clippy and rustc do not check.
//!
//! | rule | holds for |
//! |---|---|
//! | `word` | every text file: no word or phrase of `rules/words.txt` |
//! | `file-length`, `function-length` | Rust, JavaScript and shell: 400 and 70 lines at most |
//! | `test-module` | Rust: an inline `mod tests` has 150 lines at most |
//! | `layout` | Rust: no `mod.rs`, no `foo_tests.rs`, no `#[path]` |
//! | `nested-import` | Rust: no braces within the braces of a `use` |
//! | `layer` | `src/`: imports point down `rules/layers.txt` |
//! | `circle` | the `src/` of every crate: no sibling modules that import each other |
//! | `manifest` | every crate inherits the lints of the workspace, where undocumented public items are refused |
//! | `dependency` | the crates we build: licences and bans of `rules/dependencies.txt` |
//!
//! Reviewed exceptions, each with its reason, are in `rules/exceptions.txt`. An exception that excuses nothing is
//! itself a finding, so that the file only shrinks.

mod circles;
mod dependencies;
mod exceptions;
mod finding;
mod layers;
mod layout;
mod lexer;
mod manifests;
mod modules;
mod sizes;
mod source_files;
mod syntax;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};

pub use dependencies::check_dependencies;
pub use finding::{Finding, Rule};

use exceptions::Exceptions;
use layers::Layers;
use modules::ModuleGraph;
use source_files::SourceFile;
use words::WordList;

/// Where the rules are, in the repository that is checked.
const RULES: &str = "crates/lint/rules";

/// Why a repository cannot be checked.
#[derive(Debug)]
pub enum LintError {
    /// A file cannot be read, or git cannot list them.
    Io(std::io::Error),
    /// A line of a file in `rules/` is malformed.
    MalformedRule {
        /// The file.
        file: &'static str,
        /// The line, as it is there.
        line: String,
    },
}

impl From<std::io::Error> for LintError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for LintError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the repository cannot be read: {error}"),
            Self::MalformedRule { file, line } => write!(f, "{RULES}/{file} is malformed at: {line}"),
        }
    }
}

impl std::error::Error for LintError {}

/// Checks the repository at `root`, or the files and folders of it that `paths` name.
///
/// Layers and circles are found in the complete module graph, and reported for the named files only.
///
/// # Errors
/// [`LintError`] if the repository or its rules cannot be read.
pub fn check(root: &Path, paths: &[PathBuf]) -> Result<Vec<Finding>, LintError> {
    let rules = |name: &str| std::fs::read_to_string(root.join(RULES).join(name));
    let words = WordList::parse(&rules("words.txt")?)?;
    let layers = Layers::parse(&rules("layers.txt")?)?;
    let mut exceptions = Exceptions::parse(&rules("exceptions.txt")?)?;

    let files = source_files::read(root)?;
    let graph = ModuleGraph::build(&files);
    let mut findings: Vec<Finding> = files.iter().flat_map(|file| check_file(file, &words)).collect();
    findings.extend(manifests::check(&files));
    findings.extend(layers.check(&graph));
    findings.extend(circles::check(&graph));

    findings.retain(|finding| !exceptions.excuse(finding));
    if paths.is_empty() {
        findings.extend(exceptions.unused());
    } else {
        findings.retain(|finding| paths.iter().any(|path| Path::new(&finding.path).starts_with(clean(path))));
    }
    findings.sort();
    Ok(findings)
}

fn check_file(file: &SourceFile, words: &WordList) -> Vec<Finding> {
    let mut findings = words.check(file);
    findings.extend(sizes::check(file));
    findings.extend(layout::check(file));
    findings
}

/// The path without a leading `./`.
fn clean(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}
