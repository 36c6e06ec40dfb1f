//! Reviewed exceptions from `rules/exceptions.txt`.

#[cfg(test)]
mod tests;

use crate::LintError;
use crate::finding::{Finding, Rule};

/// The exceptions, and which of them have excused something.
pub(crate) struct Exceptions {
    entries: Vec<Exception>,
}

struct Exception {
    rule: String,
    /// A file, or a folder with a `/` at the end.
    path: String,
    /// The word, function or module; `*` for any.
    subject: String,
    line: usize,
    is_used: bool,
}

impl Exceptions {
    /// Reads lines of `rule | file or folder/ | subject | reason`; `*` is any rule or subject.
    pub(crate) fn parse(rules: &str) -> Result<Self, LintError> {
        let mut entries = Vec::new();
        for (number, line) in (1..).zip(rules.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            let [rule, path, subject, reason] = columns.as_slice() else {
                return Err(LintError::MalformedRule { file: "exceptions.txt", line: line.to_owned() });
            };
            if reason.is_empty() {
                return Err(LintError::MalformedRule { file: "exceptions.txt", line: line.to_owned() });
            }
            let [rule, path, subject] = [rule, path, subject].map(|column| (*column).to_owned());
            entries.push(Exception { rule, path, subject, line: number, is_used: false });
        }
        Ok(Self { entries })
    }

    /// Whether an exception covers the finding.
    pub(crate) fn excuse(&mut self, finding: &Finding) -> bool {
        let mut excused = false;
        for exception in self.entries.iter_mut().filter(|exception| exception.covers(finding)) {
            exception.is_used = true;
            excused = true;
        }
        excused
    }

    /// A finding for every exception that has excused nothing.
    pub(crate) fn unused(&self) -> impl Iterator<Item = Finding> {
        self.entries.iter().filter(|exception| !exception.is_used).map(|exception| Finding {
            path: "crates/lint/rules/exceptions.txt".to_owned(),
            line: exception.line,
            rule: Rule::UnusedException,
            subject: String::new(),
            message: format!("nothing in {} needs this exception any more", exception.path),
        })
    }
}

impl Exception {
    fn covers(&self, finding: &Finding) -> bool {
        let path = finding.path == self.path || (self.path.ends_with('/') && finding.path.starts_with(&self.path));
        path && (self.rule == "*" || self.rule == finding.rule.name())
            && (self.subject == "*" || self.subject == finding.subject)
    }
}
