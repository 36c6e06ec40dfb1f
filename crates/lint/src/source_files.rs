//! The files that are checked: those that git tracks or would track.

use std::io;
use std::path::Path;
use std::process::Command;

use crate::lexer::{self, Token};

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    JavaScript,
    Shell,
    /// Words are checked, nothing else: Markdown, TOML, the Makefile.
    Text,
}

/// A file and its content.
pub(crate) struct SourceFile {
    /// Relative to the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) language: Language,
    pub(crate) text: String,
    /// The tokens of a Rust file; empty for any other.
    pub(crate) tokens: Vec<Token>,
}

impl SourceFile {
    pub(crate) fn new(path: &str, text: String) -> Option<Self> {
        let language = language_of(path, &text)?;
        let tokens = if language == Language::Rust { lexer::tokens(&text) } else { Vec::new() };
        Some(Self { path: path.to_owned(), language, text, tokens })
    }

    /// Whether the file is compiled into tests only.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs" || name.ends_with("_tests.rs") || self.path.split('/').any(|part| part.ends_with("tests"))
    }
}

/// Reads every file in a language that is checked.
pub(crate) fn read(root: &Path) -> io::Result<Vec<SourceFile>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other("git ls-files failed"));
    }
    let mut files = Vec::new();
    for path in String::from_utf8_lossy(&output.stdout).split('\0').filter(|path| !path.is_empty()) {
        // A deleted file is listed until the deletion is staged; a binary one has no words.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            files.extend(SourceFile::new(path, text));
        }
    }
    Ok(files)
}

fn language_of(path: &str, text: &str) -> Option<Language> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("rs") => Some(Language::Rust),
        Some("js" | "mjs" | "ts") => Some(Language::JavaScript),
        Some("sh") => Some(Language::Shell),
        Some("md" | "toml" | "yml" | "yaml") => Some(Language::Text),
        None if name == "Makefile" => Some(Language::Text),
        None if text.starts_with("#!") => Some(Language::Shell),
        _ => None,
    }
}
