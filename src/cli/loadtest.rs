//! `switchboard loadtest`: options, progress display and report of a load test.

mod display;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::{Args, ValueHint};
use secrecy::SecretString;
use tokio::sync::watch;

use super::CliError;
use crate::config::DEVELOPMENT_SECRET;
use display::Display;
use switchboard_loadtest::accounts::given_tokens;
use switchboard_loadtest::options::{Options, Scenario, Tokens, Transport};
use switchboard_loadtest::report::{Outcome, Report, page, table};

/// The end of `--help`.
const DETAILS: &str = "\
Scenarios, what each shows, and which figures are good:
  sends      Customers write, each into their own conversation, and listen to it (the default). Shows how many messages
             a second become durable and how soon the customer receives them. Good: a p99 of `delivery` close to that of
             `send`; thousands a second on PostgreSQL with a disk of its own.
  hot        All --users write into one conversation at once. Shows the capacity of one conversation; all listeners must
             see one order. Good: a rate of the same magnitude as that of `sends`, not a tenth of it.
  claims     --users lanes open conversations, and all --agents claim each at the same time. Exactly one must win.
             Good: `claim storm` in milliseconds, clean.
  fanout     One conversation with --users sockets. Shows how fast a message reaches many listeners. Good: a p99 of
             `delivery` not much above that of `send`.
  idle       --users sockets that do nothing (--transport websocket or polling). Shows what holding them costs: watch the
             server's memory meanwhile. Good: under 20 KiB a socket, no connection lost.
  jitter     Sockets that are cut every few seconds and return, while messages continue. Good: clean, `return` well below
             a second, about half recovered by the server (the other half forgets its session and fetches).
  reconnect  All sockets are cut at once and return at once. Good: `avalanche`, the time until the last one is back, of a
             few seconds for thousands of sockets; clean.
  mix        Customers and agents: thinking, typing, claims, replies, notes, handovers, closes, ratings. The one to run
             for long: p99 over time must be flat, and so must the server's memory.

What is measured:
  open, send, claim, reply, note, handover, close, rate   From a request to its answer. Of claims, those that lose count
             too: a refusal is a complete answer.
  delivery   From the beginning of a send to the arrival of its event, once for each listening socket.
  claim storm   From the first claim of a conversation to the answer of the last.
  connect, return   Until a socket is connected, or is back and has what it missed.

Measure the release build on the database that it will use: what `make run` starts is not optimised, and uses SQLite.

With --rate, requests begin at their scheduled time whatever the server does, and latency counts from that time: this is
what your customers would see. Without it, each account waits for its answer before it continues: this finds the highest
rate, and the corrected values estimate what waiting hides. Find the highest rate first, then run at 70 % of it.

Everything is checked: nothing lost, nothing doubled, one order for all, one winner a claim, no note at a customer. Any
violation is shown with the events that prove it, and the exit code is 1. It is also 1 if there was no run, or if the
server did not answer the final reads, and 2 if an option is wrong. Ctrl-C ends the measurement: what was done by then is
checked and reported, with the same exit codes. A second Ctrl-C ends the command at once, with 1 and no report.

The accounts are made for the run: their ids begin with `loadtest-`, and so do the texts of their messages. Their
conversations stay in the database.

Examples:
  switchboard loadtest                                    half a minute against `make run`
  switchboard loadtest --scenario hot --users 128
  switchboard loadtest --scenario sends --rate 2000 --duration 60s --report-html sends.html
  switchboard loadtest --scenario idle --users 5000 --transport polling
  JWT_SECRET=… switchboard loadtest --url https://support.example.com --scenario mix --duration 10m --json mix.json";

#[derive(Debug, Args)]
#[command(after_help = "For the scenarios and examples see --help", after_long_help = DETAILS)]
pub(super) struct Arguments {
    /// URL of the server
    #[arg(long, default_value = "http://localhost:1500")]
    url: String,
    /// Kind of load
    #[arg(long, value_enum, default_value = "sends", hide_possible_values = false)]
    scenario: Scenario,
    /// Customers, lanes or sockets [default: 64; claims 4, fanout 200, idle 1000, jitter and mix 50, reconnect 500]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: Option<u32>,
    /// Agents; in scenarios without agents, one does the final reads [default: 1; claims 16, mix 8, hot and
    /// fanout 4]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    agents: Option<u32>,
    /// Arrivals a second over all users: messages, conversations (claims, mix), connections (idle). Without it, a closed
    /// loop: as fast as the server answers
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// How long to measure: 20s, 10m, 1h; Ctrl-C ends it earlier
    #[arg(long, default_value = "20s", value_parser = some_duration)]
    duration: Duration,
    /// How long to warm up before that
    #[arg(long, default_value = "3s", value_parser = duration)]
    warm_up: Duration,
    /// Mean thinking time of the accounts of the mix
    #[arg(long, default_value = "1s", value_parser = duration)]
    think: Duration,
    /// Transport of idle sockets
    #[arg(long, value_enum, default_value = "websocket")]
    transport: Transport,
    /// Seed of the random generator
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The deployment's auth.jwt_secret, to sign tokens with [default: the development secret]
    #[arg(long, env = "JWT_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// Tokens to use instead of a secret, one a line; agents' tokens are recognised by their role
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tokens: Option<PathBuf>,
    /// The role of agents in the deployment
    #[arg(long, default_value = "admin")]
    agent_role: String,
    /// Write a page with histograms and rates over time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report_html: Option<PathBuf>,
    /// Write all figures as JSON; - writes them to standard output instead of the table
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    json: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), CliError> {
    // Each socket is a file descriptor. If the limit cannot be raised, the connection that fails reports it.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let options = options(&arguments)?;
    let is_printed = |file: &PathBuf| file.as_os_str() == "-";
    // Opened now, so that an unwritable file fails before an hour of measurement and not after it.
    for file in arguments.report_html.iter().chain(arguments.json.iter().filter(|file| !is_printed(file))) {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        opened.map_err(|error| CliError::File { file: file.clone(), error })?;
    }
    let display = Display::new(&options);
    let report = run_until_interrupted(options, &display).await;
    display.clear();
    let report = report?;
    let json = report.json().map_err(io::Error::from)?;
    if arguments.json.as_ref().is_some_and(is_printed) {
        writeln!(io::stdout(), "{json}")?;
    } else {
        write!(io::stdout(), "{}", table(&report))?;
    }
    let write_to = |file: &PathBuf, text: &str| {
        std::fs::write(file, text).map_err(|error| CliError::File { file: file.clone(), error })
    };
    arguments.json.iter().filter(|file| !is_printed(file)).try_for_each(|file| write_to(file, &json))?;
    arguments.report_html.iter().try_for_each(|file| write_to(file, &page(&report)))?;
    match report.outcome {
        Outcome::Clean => Ok(()),
        Outcome::Violated => Err(CliError::Violated(report.checked.broken)),
        Outcome::Nothing => Err(CliError::NothingDone),
        Outcome::Unchecked => Err(CliError::Unchecked),
    }
}

/// The first Ctrl-C ends the measurement, and what was done is checked; the second ends the command.
async fn run_until_interrupted(options: Options, display: &Rc<Display>) -> Result<Report, CliError> {
    let count = watch::Sender::new(0_u32);
    let at_least = |wanted: u32| {
        let mut counted = count.subscribe();
        async move {
            let _ = counted.wait_for(|count| *count >= wanted).await;
        }
    };
    let counting = async {
        while tokio::signal::ctrl_c().await.is_ok() {
            count.send_modify(|count| *count += 1);
            if *count.borrow() == 1 {
                display.note("interrupted: what was done is checked; Ctrl-C once more ends at once");
            }
        }
        // Signals are not available: the run continues to its end.
        std::future::pending::<()>().await;
    };
    let shown = Rc::clone(display);
    tokio::select! {
        report = switchboard_loadtest::run(options, Rc::new(move |progress| shown.show(progress)), at_least(1)) => Ok(report?),
        () = at_least(2) => Err(CliError::Interrupted),
        () = counting => Err(CliError::Interrupted),
    }
}

fn options(arguments: &Arguments) -> Result<Options, CliError> {
    let tokens = match &arguments.tokens {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| CliError::File { file: file.clone(), error })?;
            given_tokens(&text, &arguments.agent_role).map_err(switchboard_loadtest::LoadtestError::from)?
        }
        None => Tokens::Signed {
            secret: SecretString::from(arguments.secret.as_deref().unwrap_or(DEVELOPMENT_SECRET)),
            agent_role: arguments.agent_role.clone(),
        },
    };
    let defaults = Options::new(arguments.url.clone(), arguments.scenario, tokens);
    let number = |given: Option<u32>, default: usize| given.map_or(default, |given| given as usize);
    Ok(Options {
        users: number(arguments.users, defaults.users),
        agents: number(arguments.agents, defaults.agents),
        rate: arguments.rate,
        duration: arguments.duration,
        warm_up: arguments.warm_up,
        think: arguments.think,
        transport: arguments.transport,
        seed: arguments.seed,
        ..defaults
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

/// A [`duration`] that is more than nothing.
fn some_duration(text: &str) -> Result<Duration, String> {
    duration(text)
        .and_then(|duration| if duration.is_zero() { Err("it must be more than 0".to_owned()) } else { Ok(duration) })
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
        assert!(duration("0s").is_ok() && some_duration("0s").is_err());
    }

    #[test]
    fn a_rate_is_a_positive_number() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for text in ["0", "-1", "nan", "inf", "many"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
