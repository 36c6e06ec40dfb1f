//! The report for a terminal.

use std::fmt::Write as _;

use super::{Latency, Outcome, Report};
use crate::checker::Promise;

/// The number of violations that are shown with their evidence.
const SHOWN: usize = 5;

/// The figures, the remarks and the verdict, as text.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    let pace = report.rate.map_or_else(|| "closed loop".to_owned(), |rate| format!("{rate} a second"));
    writeln!(
        out,
        "{} against {}: {}, {pace}, {:.1} s measured\n",
        report.scenario.as_str(),
        report.url,
        report.people(),
        report.measured_seconds
    )?;
    let head = ["", "count", "per second", "p50 ms", "p90", "p99", "p99.9", "max"];
    let [operation, count, rate, p50, p90, p99, p999, max] = head;
    writeln!(out, "{operation:<22}{count:>10}{rate:>12}{p50:>10}{p90:>10}{p99:>10}{p999:>10}{max:>10}")?;
    for (operation, figures) in &report.operations {
        let (count, rate) = (figures.count.to_string(), format!("{:.1}", figures.per_second));
        row(out, operation.title(), &count, &rate, &figures.latency_ms)?;
        if let Some(corrected) = &figures.corrected_ms {
            row(out, "  corrected", "", "", corrected)?;
        }
    }
    writeln!(out)?;
    for (what, count) in &report.counts {
        writeln!(out, "{count:>10}  {what}")?;
    }
    for (what, count) in &report.errors {
        writeln!(out, "{count:>10}  error: {what}")?;
    }
    for remark in report.remarks() {
        writeln!(out, "{remark}")?;
    }
    verdict(report, out)
}

fn row(out: &mut String, name: &str, count: &str, rate: &str, latency: &Latency) -> std::fmt::Result {
    write!(out, "{name:<22}{count:>10}{rate:>12}")?;
    for value in [latency.p50, latency.p90, latency.p99, latency.p999, latency.max] {
        write!(out, "{:>10}", if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") })?;
    }
    writeln!(out)
}

fn verdict(report: &Report, out: &mut String) -> std::fmt::Result {
    let checked = &report.checked;
    if let Some(why) = &report.unchecked {
        return writeln!(out, "\nNOT CHECKED, so nothing is proved: {why}");
    }
    if report.outcome == Outcome::Clean && checked.conversations == 0 {
        let lost = report.counts.get("connections lost").copied().unwrap_or(0);
        return writeln!(out, "\nNo conversations, so only connections were checked: {lost} were lost.");
    }
    writeln!(
        out,
        "\nChecked: {} conversations, {} calls, {} messages shown to listeners, {} read back.",
        checked.conversations, checked.calls, checked.shown, checked.stored
    )?;
    match report.outcome {
        Outcome::Clean => {
            let promises: Vec<&str> = Promise::ALL.iter().map(|promise| promise.title()).collect();
            writeln!(out, "Clean: {}.", promises.join(", "))
        }
        Outcome::Nothing | Outcome::Unchecked => writeln!(out, "Nothing was checked."),
        Outcome::Violated => {
            writeln!(out, "VIOLATED, {} times.", checked.broken)?;
            for violation in checked.violations.iter().take(SHOWN) {
                write!(out, "\n{violation}")?;
            }
            if checked.violations.len() > SHOWN {
                writeln!(out, "\n… and more: see --json or --report-html.")?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::tests::example;

    #[test]
    fn a_violation_is_shown_with_its_history() {
        let text = super::table(&example(None));
        for part in ["VIOLATED, 1 times", "nothing lost: message 7", "jane sends message 7", "corrected", "429"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}
