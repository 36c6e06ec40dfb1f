//! `switchboard-lint [--report] [PATH…]`: checks the repository in the current directory, or only the given files and
//! folders of it, and prints what breaks a rule. Exits with 1 if anything does, with 0 when run with `--report`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use switchboard_lint::{Finding, LintError, check, check_dependencies};

fn main() -> ExitCode {
    let (flags, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let report_only = match flags.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--report"] => true,
        _ => return fail("usage: scripts/lint [--report] [PATH…]"),
    };
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    match run(&paths) {
        Ok(findings) if findings.is_empty() || report_only => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => fail(&error.to_string()),
    }
}

/// Checks the named paths, or everything, dependencies too, and prints what is found.
fn run(paths: &[PathBuf]) -> Result<Vec<Finding>, LintError> {
    let root = Path::new(".");
    let mut findings = check(root, paths)?;
    if paths.is_empty() {
        findings.extend(check_dependencies(root)?);
    }
    print(&findings)?;
    Ok(findings)
}

fn print(findings: &[Finding]) -> Result<(), LintError> {
    let mut out = io::stdout().lock();
    for finding in findings {
        writeln!(out, "{finding}")?;
    }
    if !findings.is_empty() {
        writeln!(out, "{} findings. Reviewed exceptions: crates/lint/rules/exceptions.txt", findings.len())?;
    }
    Ok(())
}

fn fail(message: &str) -> ExitCode {
    // Nothing more can be done where even standard error is closed.
    let _ = writeln!(io::stderr(), "{message}");
    ExitCode::FAILURE
}
