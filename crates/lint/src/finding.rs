//! What the lint reports.

use std::fmt::{self, Display, Formatter};

/// A place that breaks a rule. Sorted by path and line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the root of the repository.
    pub path: String,
    /// The line, from 1; 0 for the file as such.
    pub line: usize,
    /// The rule it breaks.
    pub rule: Rule,
    /// What an exception names: the word, the function, the imported module.
    pub subject: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// A rule. The crate's documentation explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table in the documentation of the crate explains each")]
pub enum Rule {
    Word,
    FileLength,
    FunctionLength,
    TestModule,
    Layout,
    NestedImport,
    Layer,
    Circle,
    Manifest,
    Dependency,
    UnusedException,
}

impl Rule {
    /// The name that reports and exceptions use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::FileLength => "file-length",
            Self::FunctionLength => "function-length",
            Self::TestModule => "test-module",
            Self::Layout => "layout",
            Self::NestedImport => "nested-import",
            Self::Layer => "layer",
            Self::Circle => "circle",
            Self::Manifest => "manifest",
            Self::Dependency => "dependency",
            Self::UnusedException => "unused-exception",
        }
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule.name(), self.message)
    }
}
