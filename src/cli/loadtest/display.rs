//! The progress of a run on standard error: a progress bar on a terminal, elsewhere a line every few seconds.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};
use std::rc::Rc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use switchboard_loadtest::Progress;
use switchboard_loadtest::options::Options;

/// The interval between two lines if there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Steps of the bar.
const STEPS: u64 = 1000;

pub(super) struct Display {
    bar: Option<ProgressBar>,
    stage: Cell<&'static str>,
    last_line: Cell<Instant>,
}

impl Display {
    pub(super) fn new(options: &Options) -> Rc<Self> {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(STEPS);
            let style = ProgressStyle::with_template("{prefix} [{bar:24}] {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_prefix(options.scenario.as_str());
            bar
        });
        Rc::new(Self { bar, stage: Cell::new(""), last_line: Cell::new(Instant::now()) })
    }

    pub(super) fn show(&self, progress: &Progress) {
        let figures = if progress.count == 0 && progress.errors == 0 {
            progress.stage.to_owned()
        } else {
            format!(
                "{}: {} × {}, {:.0}/s, p50 {:.2} ms, p99 {:.2} ms, {}",
                progress.stage,
                progress.count,
                progress.operation,
                progress.rate,
                progress.p50_ms,
                progress.p99_ms,
                errors(progress)
            )
        };
        match &self.bar {
            Some(bar) => {
                bar.set_position((progress.share * STEPS as f64) as u64);
                bar.set_message(figures);
            }
            None => {
                let is_new_stage = self.stage.replace(progress.stage) != progress.stage;
                if is_new_stage || self.last_line.get().elapsed() >= BETWEEN_LINES {
                    self.last_line.set(Instant::now());
                    let _ = writeln!(io::stderr(), "{figures}");
                }
            }
        }
    }

    /// Prints a line between two progress lines.
    pub(super) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => {
                let _ = writeln!(io::stderr(), "{text}");
            }
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn errors(progress: &Progress) -> String {
    match (progress.errors, &progress.last_error) {
        (0, _) | (_, None) => format!("{} errors", progress.errors),
        (count, Some(last)) => format!("{count} errors, the last: {last}"),
    }
}
