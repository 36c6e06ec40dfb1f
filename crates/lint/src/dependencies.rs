//! Licences of the crates we build, and crates that are banned, from `rules/dependencies.txt`.
//!
//! cargo-deny checks the same and more, but installing it takes minutes on a new machine; `cargo tree` is there.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::Command;

use crate::finding::{Finding, Rule};
use crate::{LintError, RULES};

const FILE: &str = "dependencies.txt";

/// What `rules/dependencies.txt` allows and bans.
struct Policy<'r> {
    allowed: Vec<&'r str>,
    /// Crates and the reasons.
    banned: Vec<(&'r str, &'r str)>,
}

/// Checks every crate that is built for this platform, for tests and build scripts too.
///
/// # Errors
/// [`LintError`] if the rules or the dependencies cannot be read.
pub fn check_dependencies(root: &Path) -> Result<Vec<Finding>, LintError> {
    let rules = std::fs::read_to_string(root.join(RULES).join(FILE))?;
    let arguments = ["tree", "--workspace", "--locked", "--prefix", "none", "--format", "{p}|{l}"];
    let output = Command::new("cargo").args(arguments).current_dir(root).output()?;
    if !output.status.success() {
        return Err(std::io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()).into());
    }
    Ok(check(&String::from_utf8_lossy(&output.stdout), &Policy::parse(&rules)?))
}

impl<'r> Policy<'r> {
    /// Reads lines of `allow LICENCE` and `ban CRATE: REASON`.
    fn parse(rules: &'r str) -> Result<Self, LintError> {
        let mut policy = Self { allowed: Vec::new(), banned: Vec::new() };
        for line in rules.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.split_once(' ') {
                Some(("allow", licence)) => policy.allowed.push(licence),
                Some(("ban", rule)) if rule.contains(": ") => policy.banned.extend(rule.split_once(": ")),
                _ => return Err(LintError::MalformedRule { file: FILE, line: line.to_owned() }),
            }
        }
        Ok(policy)
    }
}

/// `tree` has lines of `name version …|licence`.
fn check(tree: &str, policy: &Policy<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let (package, licence) = line.split_once('|').unwrap_or((line, ""));
        let name = package.split(' ').next().unwrap_or_default();
        let licence = licence.trim_end_matches("(*)").trim();
        let mut report = |message| {
            let (path, subject) = ("Cargo.lock".to_owned(), name.to_owned());
            findings.push(Finding { path, line: 0, rule: Rule::Dependency, subject, message });
        };
        if let Some((_, reason)) = policy.banned.iter().find(|(banned, _)| *banned == name) {
            report(format!("{name} is banned: {reason}"));
        }
        if !is_allowed(licence, &policy.allowed) {
            report(format!("{name} has the licence {licence:?}, which {RULES}/{FILE} does not allow"));
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// Whether an SPDX expression is satisfied by allowed licences. `/` is the old spelling of `OR`.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest, allowed) && rest.is_empty()
}

/// `a OR b OR …`; reads every alternative.
fn any(rest: &mut &[&str], allowed: &[&str]) -> bool {
    let mut is_allowed = all(rest, allowed);
    while let Some(("OR", after)) = rest.split_first().map(|(word, after)| (*word, after)) {
        *rest = after;
        is_allowed |= all(rest, allowed);
    }
    is_allowed
}

/// `a AND b AND …`, which binds more tightly.
fn all(rest: &mut &[&str], allowed: &[&str]) -> bool {
    let mut is_allowed = one(rest, allowed);
    while let Some(("AND", after)) = rest.split_first().map(|(word, after)| (*word, after)) {
        *rest = after;
        is_allowed &= one(rest, allowed);
    }
    is_allowed
}

/// A licence, with its exception if it has one, or an expression in parentheses.
fn one(rest: &mut &[&str], allowed: &[&str]) -> bool {
    let Some((word, after)) = rest.split_first() else { return false };
    *rest = after;
    if *word == "(" {
        let is_allowed = any(rest, allowed);
        let Some((")", after)) = rest.split_first().map(|(word, after)| (*word, after)) else { return false };
        *rest = after;
        return is_allowed;
    }
    if let ["WITH", exception, after @ ..] = *rest {
        *rest = after;
        return allowed.contains(&format!("{word} WITH {exception}").as_str());
    }
    allowed.contains(word)
}
