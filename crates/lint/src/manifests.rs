//! Every crate inherits the lints of the workspace, where rustc refuses undocumented public items.

#[cfg(test)]
mod tests;

use crate::finding::{Finding, Rule};
use crate::source_files::SourceFile;

/// Checks every `Cargo.toml` of this workspace. One with a workspace of its own is not built together with it.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let manifests = files
        .iter()
        .filter(|file| file.path.ends_with("Cargo.toml") && (file.path == "Cargo.toml" || !is_workspace(&file.text)));
    let mut findings = Vec::new();
    for file in manifests {
        let mut require = |section: &str, line: &str, message: &str| {
            if !has(&file.text, section, line) {
                let (path, message) = (file.path.clone(), message.to_owned());
                findings.push(Finding { path, line: 0, rule: Rule::Manifest, subject: String::new(), message });
            }
        };
        require(
            "[lints]",
            "workspace = true",
            "the crate must inherit the workspace's lints: [lints] workspace = true",
        );
        if file.path == "Cargo.toml" {
            require(
                "[workspace.lints.rust]",
                "missing_docs = \"warn\"",
                "public items must be documented: missing_docs",
            );
        }
    }
    findings
}

fn is_workspace(manifest: &str) -> bool {
    manifest.lines().any(|line| line.trim() == "[workspace]")
}

fn has(manifest: &str, section: &str, wanted: &str) -> bool {
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != section).skip(1);
    lines.take_while(|line| !line.starts_with('[')).any(|line| line == wanted)
}
