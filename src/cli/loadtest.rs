//! `switchboard loadtest`: a load test against a deployment, typed, watched and reported.

mod display;

use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::{Args, ValueHint};
use secrecy::SecretString;

use super::CliError;
use crate::config::DEVELOPMENT_SECRET;
use crate::loadtest::people::given_tokens;
use crate::loadtest::plan::{Plan, Scenario, Tokens, Transport};
use crate::loadtest::report::{Outcome, page, table};
use display::Display;

/// What `--help` says besides the options.
const MORE: &str = "\
Scenarios, what each shows, and what is good:
  sends      Customers write, each into their own conversation, and listen to it (the default). Shows how many messages
             a second are made durable and how soon the customer sees them. Good: p99 of `delivery` close to that of
             `send`; thousands a second on PostgreSQL with its own disk.
  hot        All --users write into one conversation at once. Shows what one conversation bears; everybody must see one
             order. Good: a rate of the same order as that of `sends`, not a tenth of it.
  claims     --users lanes open conversations, and all --agents claim each at the same moment. Exactly one may win.
             Good: `claim storm` in milliseconds, clean.
  fanout     One conversation with --users sockets. Shows how fast a message reaches a crowd. Good: p99 of `delivery` not
             much above that of `send`.
  idle       --users sockets that do nothing (--transport websocket or polling). Shows what holding them costs: watch the
             server's memory meanwhile. Good: under 20 KiB a socket, no connection lost.
  jitter     Sockets that are cut every few seconds and come back, while messages go on. Good: clean, `return` well below
             a second, about half recovered by the server (the other half has lost its memory and fetches).
  reconnect  All sockets are cut at once and come back at once. Good: `avalanche`, the time until the last one is back,
             of a few seconds for thousands of sockets; clean.
  mix        Customers, agents, thinking, typing, claims, replies, notes, handovers, closes, ratings. What to run for long:
             p99 over time must be flat, and so must the server's memory.

With --rate, requests begin when they are due whatever the server does, and latency counts from then: this is what your
customers would see. Without, everybody waits for their answer before they go on: this finds the highest rate, and the
corrected values estimate what waiting hides. Find the highest rate first, then run at 70 % of it.

Everything is checked: nothing lost, nothing doubled, one order for all, one winner a claim, no note at a customer. Any
violation is shown with the events that prove it, and the exit code is 1. It is 1, too, when there was no run, and 2 when
an option is wrong.

People are made for the run: their ids begin with `loadtest-`, and so do the ids of whatever they write. Their
conversations stay in the database.

Examples:
  switchboard loadtest                                    half a minute against `make run`
  switchboard loadtest --scenario hot --users 128
  switchboard loadtest --scenario sends --rate 2000 --duration 60s --report-html sends.html
  switchboard loadtest --scenario idle --users 5000 --transport polling
  JWT_SECRET=… switchboard loadtest --url https://support.example.com --scenario mix --duration 10m --json mix.json";

#[derive(Debug, Args)]
#[command(after_help = "More, with what each scenario shows and examples: --help", after_long_help = MORE)]
pub(super) struct Arguments {
    /// Where the server is
    #[arg(long, default_value = "http://localhost:1500")]
    url: String,
    /// Which load
    #[arg(long, value_enum, default_value = "sends", hide_possible_values = false)]
    scenario: Scenario,
    /// Customers, lanes or sockets [default: 64; claims 4, fanout 200, idle 1000, jitter and mix 50, reconnect 500]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: Option<u32>,
    /// Agents [default: 1; claims 16, mix 8, hot and fanout 4]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    agents: Option<u32>,
    /// Arrivals a second over all users: messages, conversations (claims, mix), connections (idle). Without it, as fast as
    /// it goes
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// How long to measure: 20s, 10m, 1h
    #[arg(long, default_value = "20s", value_parser = duration)]
    duration: Duration,
    /// How long to work before that, so that caches and pools are warm
    #[arg(long, default_value = "3s", value_parser = duration)]
    warm_up: Duration,
    /// How long people of the mix think, on average
    #[arg(long, default_value = "1s", value_parser = duration)]
    think: Duration,
    /// How idle sockets are held
    #[arg(long, value_enum, default_value = "websocket")]
    transport: Transport,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The deployment's auth.jwt_secret, to make tokens with [default: the development secret]
    #[arg(long, env = "JWT_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// Tokens to use instead, one a line; an agent's is known by its role
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tokens: Option<PathBuf>,
    /// The role that makes an agent there
    #[arg(long, default_value = "admin")]
    agent_role: String,
    /// Write a page with histograms and rates over time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report_html: Option<PathBuf>,
    /// Write all figures as JSON; - for standard output, instead of the table
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    json: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), CliError> {
    // Each socket is a file. Where more are not to be had, the connection that fails says so.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let plan = plan(&arguments)?;
    let display = Display::new(&plan);
    let watch = Rc::clone(&display);
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    let report = crate::loadtest::run(plan, Rc::new(move |progress| watch.show(progress)), interrupted).await;
    display.clear();
    let report = report?;
    if let Some(file) = &arguments.report_html {
        std::fs::write(file, page(&report)).map_err(|error| CliError::File { file: file.clone(), error })?;
    }
    let json = report.json().map_err(io::Error::from)?;
    match &arguments.json {
        Some(file) if file.as_os_str() == "-" => writeln!(io::stdout(), "{json}")?,
        Some(file) => {
            std::fs::write(file, json).map_err(|error| CliError::File { file: file.clone(), error })?;
            write!(io::stdout(), "{}", table(&report))?;
        }
        None => write!(io::stdout(), "{}", table(&report))?,
    }
    match report.outcome {
        Outcome::Clean => Ok(()),
        Outcome::Violated => Err(CliError::Violated(report.checked.broken)),
        Outcome::Nothing => Err(CliError::NothingDone),
    }
}

fn plan(arguments: &Arguments) -> Result<Plan, CliError> {
    let tokens = match &arguments.tokens {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| CliError::File { file: file.clone(), error })?;
            given_tokens(&text, &arguments.agent_role).map_err(crate::loadtest::LoadtestError::from)?
        }
        None => Tokens::Signed {
            secret: SecretString::from(arguments.secret.as_deref().unwrap_or(DEVELOPMENT_SECRET)),
            agent_role: arguments.agent_role.clone(),
        },
    };
    let plan = Plan::new(arguments.url.clone(), arguments.scenario, tokens);
    let number = |given: Option<u32>, default: usize| given.map_or(default, |given| given as usize);
    Ok(Plan {
        users: number(arguments.users, plan.users),
        agents: number(arguments.agents, plan.agents),
        rate: arguments.rate,
        duration: arguments.duration,
        warm_up: arguments.warm_up,
        think: arguments.think,
        transport: arguments.transport,
        seed: arguments.seed,
        ..plan
    })
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if rate.is_finite() && (0.001..=1_000_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("it must be from 0.001 to 1000000".to_owned())
    }
}

/// `20s`, `500ms`, `10m`, `1h`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
    let number = text.strip_suffix(unit).unwrap_or(text);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("it must look like 20s, 500ms, 10m or 1h".to_owned()),
    };
    let seconds: f64 = number.parse().map_err(|_| "it must look like 20s, 500ms, 10m or 1h".to_owned())?;
    let duration = Duration::try_from_secs_f64(seconds * factor).map_err(|error| error.to_string())?;
    if duration > Duration::from_secs(7 * 24 * 3600) {
        return Err("a week is the longest".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [("20s", 20_000), ("20", 20_000), ("500ms", 500), ("1.5m", 90_000), ("1h", 3_600_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "20x", "-1s", "1000h", "nan"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_a_positive_number() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for text in ["0", "-1", "nan", "inf", "many"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
