//! The report of a run: as a table and an HTML page for people, as JSON for programs.
//!
//! The JSON is the serialised [`Report`] (`docs/LOADTEST.md` explains each field). Fields may be added; one that is
//! removed or means something else changes [`SCHEMA`].

mod html;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::checker::Verdict;
use super::history::Elapsed;
use super::options::{Options, Scenario};
use super::scenario::main_operation;
use super::statistics::{Operation, Second, Series, Statistics, millis};

pub use html::page;
pub use table::table;

/// The name of the JSON format.
pub const SCHEMA: &str = "switchboard-loadtest/1";

/// The overall result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything was checked, and no promise is broken.
    Clean,
    /// A promise was broken.
    Violated,
    /// No operation succeeded, so nothing is proved.
    Nothing,
    /// The final reads failed, so nothing is proved.
    Unchecked,
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// The shortest.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The 99.9th percentile.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self {
            min: millis(histogram.min()),
            mean: histogram.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: millis(histogram.max()),
        }
    }
}

/// A bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// The lower bound in milliseconds, exclusive.
    pub from_ms: f64,
    /// The upper bound in milliseconds, inclusive.
    pub to_ms: f64,
    /// The number of values.
    pub count: u64,
}

/// One operation's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// How often it was done while measuring.
    pub count: u64,
    /// How often a second.
    pub per_second: f64,
    /// As measured.
    pub latency_ms: Latency,
    /// Corrected for coordinated omission; `None` if requests have a schedule, or accounts pause between them.
    pub corrected_ms: Option<Latency>,
    /// Second by second.
    pub seconds: Vec<Second>,
    /// The distribution of latencies; each bar is 1.5 times as wide as the one before.
    pub histogram: Vec<Bar>,
}

impl Figures {
    fn of(series: &Series, measured: Duration) -> Self {
        let latency = &series.latency;
        Self {
            count: latency.len(),
            per_second: latency.len() as f64 / measured.as_secs_f64().max(0.001),
            latency_ms: Latency::of(latency),
            corrected_ms: series.corrected().as_ref().map(Latency::of),
            seconds: series.seconds.clone(),
            histogram: bars(latency),
        }
    }
}

fn bars(histogram: &Histogram<u64>) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut from = 0_u64;
    for step in histogram.iter_log(100, 1.5) {
        let to = step.value_iterated_to();
        bars.push(Bar { from_ms: millis(from), to_ms: millis(to), count: step.count_since_last_iteration() });
        from = to;
    }
    let first = bars.iter().position(|bar| bar.count > 0).unwrap_or(0);
    bars.drain(..first);
    bars
}

/// See the module.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of the switchboard that measured.
    pub version: &'static str,
    /// The overall result.
    pub outcome: Outcome,
    /// The server's URL.
    pub url: String,
    /// The kind of load.
    pub scenario: Scenario,
    /// Customers, lanes or sockets.
    pub users: usize,
    /// Agents.
    pub agents: usize,
    /// Arrivals a second; null for a closed loop.
    pub rate: Option<f64>,
    /// The seed of the random generator.
    pub seed: u64,
    /// Seconds before the measurement.
    pub warm_up_seconds: f64,
    /// Seconds that were measured.
    pub measured_seconds: f64,
    /// Whether Ctrl-C ended the measurement.
    pub interrupted: bool,
    /// The operation that the scenario is about.
    pub main: Operation,
    /// The figures of each operation.
    #[serde(rename = "deeds")] // The name in the documented format.
    pub operations: BTreeMap<Operation, Figures>,
    /// Failures and how often each occurred, including those outside the measurement.
    pub errors: BTreeMap<String, u64>,
    /// Requests answered 429: the server's limits are on.
    pub limited: u64,
    /// Counts without a latency: cuts, recoveries and others.
    pub counts: BTreeMap<&'static str, u64>,
    /// The checker's verdict.
    pub checked: Verdict,
    /// Why nothing could be checked; null where it was.
    pub unchecked: Option<String>,
}

impl Report {
    pub(super) fn new(
        options: &Options,
        statistics: &Statistics,
        checked: Result<Verdict, String>,
        now: Elapsed,
    ) -> Self {
        let measured = statistics.measured(now);
        let operations: BTreeMap<Operation, Figures> =
            statistics.series().map(|(operation, series)| (operation, Figures::of(series, measured))).collect();
        let (checked, unchecked) = match checked {
            Ok(checked) => (checked, None),
            Err(why) => (Verdict::default(), Some(why)),
        };
        let outcome = if unchecked.is_some() {
            Outcome::Unchecked
        } else if !checked.is_clean() {
            Outcome::Violated
        } else if operations.values().all(|figures| figures.count == 0) {
            Outcome::Nothing
        } else {
            Outcome::Clean
        };
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            outcome,
            url: options.url.clone(),
            scenario: options.scenario,
            users: options.users,
            agents: options.agents,
            rate: options.rate,
            seed: options.seed,
            warm_up_seconds: options.warm_up.as_secs_f64(),
            measured_seconds: measured.as_secs_f64(),
            interrupted: statistics.interrupted,
            main: main_operation(options.scenario),
            operations,
            errors: statistics.errors.clone(),
            limited: statistics.limited,
            counts: statistics.counts.clone(),
            checked,
            unchecked,
        }
    }

    /// The numbers of users and agents, in words.
    fn people(&self) -> String {
        let many = |count: usize, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        format!("{}, {}", many(self.users, "user"), many(self.agents, "agent"))
    }

    /// As JSON.
    ///
    /// # Errors
    /// Never in practice: every key is a string.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// Remarks on the figures, a sentence each.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.interrupted {
            remarks.push(format!("Interrupted after {:.1} s: the figures are of these.", self.measured_seconds));
        }
        if self.limited > 0 {
            remarks.push(format!(
                "{} requests were answered 429: the server's limits are on, so this measures the limits. For a load test \
                 switch them off (SWITCHBOARD__LIMITS__ENABLED=false) or stay below them with --rate.",
                self.limited
            ));
        }
        if self.operations.values().any(|figures| figures.corrected_ms.is_some()) {
            remarks.push(
                "Closed loop: each account waits for an answer before its next request, so a stall is measured once where it \
                 would have delayed many requests. The corrected values assume a request after every median latency. For \
                 what customers would see, give a --rate of some 70 % of this one."
                    .to_owned(),
            );
        }
        if let (Some(rate), Some(figures)) = (self.rate, self.operations.get(&self.main))
            && matches!(self.scenario, Scenario::Sends | Scenario::Hot)
            && figures.per_second < rate * 0.95
        {
            remarks.push(format!(
                "Of {rate:.0} a second only {:.0} were done: the server, or this machine, was not fast enough.",
                figures.per_second
            ));
        }
        if self.checked.undecided > 0 {
            remarks.push(format!(
                "In {} conversations there were too many possible orders to try them all; nothing was found against them.",
                self.checked.undecided
            ));
        }
        if self.outcome == Outcome::Nothing {
            remarks.push("Nothing was done, so nothing is proved.".to_owned());
        }
        remarks
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::DEVELOPMENT_SECRET;
    use crate::checker::{Promise, Violation};
    use crate::options::Tokens;

    /// A report with a violation, an error and a remark of most kinds.
    pub(crate) fn example(rate: Option<f64>) -> Report {
        let at = |millis| Elapsed::after(Duration::from_millis(millis));
        let mut statistics = Statistics::new(rate.is_none());
        statistics.begin(at(0));
        for number in 0..3000 {
            statistics.record(Operation::Send, at(number), at(number + 1 + number % 40));
            statistics.record(Operation::Delivery, at(number), at(number + 2 + number % 40));
        }
        statistics.error("send: HTTP 500 <b>");
        statistics.limited = 3;
        statistics.count("connections cut");
        statistics.end(at(3000));
        let tokens = Tokens::Signed { secret: DEVELOPMENT_SECRET.into(), agent_role: "admin".to_owned() };
        let options = Options { rate, ..Options::new("http://localhost:1500", Scenario::Sends, tokens) };
        let violation = Violation {
            promise: Promise::NothingLost,
            conversation: "0190".to_owned(),
            sentence: "message 7 was acknowledged and is not stored".to_owned(),
            history: vec!["0.1s jane sends message 7 <script>".to_owned()],
        };
        let verdict = Verdict { violations: vec![violation], broken: 1, undecided: 1, ..Verdict::default() };
        Report::new(&options, &statistics, Ok(verdict), at(3000))
    }

    #[test]
    fn the_json_has_the_documented_fields() {
        let json: serde_json::Value = serde_json::from_str(&example(None).json().unwrap()).unwrap();
        let documented = include_str!("../../../docs/LOADTEST.md");
        for field in json.as_object().unwrap().keys().chain(json["deeds"]["send"].as_object().unwrap().keys()) {
            assert!(documented.contains(&format!("`{field}`")), "docs/LOADTEST.md does not explain {field}");
        }
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!(json["outcome"], "violated");
        assert_eq!(json["deeds"]["send"]["count"], 3000);
        assert_eq!(json["deeds"]["send"]["seconds"].as_array().unwrap().len(), 4);
        assert!(json["deeds"]["send"]["corrected_ms"].is_object());
        assert_eq!(json["checked"]["violations"][0]["promise"], "nothing_lost");
    }

    #[test]
    fn at_a_rate_nothing_is_corrected_and_lateness_is_remarked() {
        let report = example(Some(5000.0));
        assert!(report.operations.values().all(|figures| figures.corrected_ms.is_none()));
        assert!(report.remarks().iter().any(|remark| remark.contains("only 1000 were done")), "{:?}", report.remarks());
        assert!(!report.remarks().iter().any(|remark| remark.contains("Closed loop")));
    }

    #[test]
    fn bars_hold_every_value_once_and_none_is_empty_at_the_front() {
        let report = example(None);
        let bars = &report.operations[&Operation::Send].histogram;
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 3000);
        assert!(bars[0].count > 0);
        assert!(bars.windows(2).all(|pair| pair[0].to_ms <= pair[1].from_ms + 0.001));
    }

    #[test]
    fn a_run_without_final_reads_is_not_called_clean() {
        let tokens = Tokens::Signed { secret: DEVELOPMENT_SECRET.into(), agent_role: "admin".to_owned() };
        let options = Options::new("http://localhost:1500", Scenario::Sends, tokens);
        let why = Err("conversation 0190 could not be read back: no connection".to_owned());
        let report = Report::new(&options, &Statistics::new(true), why, Elapsed::default());
        assert_eq!(report.outcome, Outcome::Unchecked);
        for text in [table(&report), page(&report)] {
            assert!(text.contains("conversation 0190 could not be read back") && !text.contains("Clean"), "{text}");
        }
    }

    #[test]
    fn limits_are_explained() {
        assert!(example(None).remarks().iter().any(|remark| remark.contains("429") && remark.contains("LIMITS")));
    }
}
