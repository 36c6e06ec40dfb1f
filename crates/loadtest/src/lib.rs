//! A load generator and a consistency checker for Switchboard: the command `switchboard loadtest`, as a library.
//!
//! The load test is a client. It shares no code with the server and talks to it as apps do, over REST and Socket.IO.
//! [`run`] prepares the accounts of a [`Scenario`], lets them work, waits until no event is under way, reads back what
//! the server has stored, and passes the recorded history to the [`checker`].
//!
//! [`history`] and [`checker`] do not depend on the rest, so another harness can record and check a run of its own: see
//! there.
//!
//! | modules | what they are |
//! |---|---|
//! | `endpoint`, `http`, `socket`, `polling`, `packet` | the HTTP and Socket.IO client |
//! | `accounts`, `token` | customers and agents with their tokens |
//! | `rest_actions`, `client`, `event_recorder` | what one account does, and how it is recorded |
//! | `scenario` | what many accounts do |
//! | `run_state` | the state that they share |
//! | `preflight`, `final_read` | before and after a run |
//! | [`statistics`], [`report`] | latencies and rates, and their presentation |
//!
//! A run stays on one thread: at its rates, locks would cost more than the work.

mod client;
mod endpoint;
mod event_recorder;
mod final_read;
mod http;
mod packet;
mod polling;
mod preflight;
mod rest_actions;
mod run_state;
mod scenario;
mod socket;
mod token;

pub mod accounts;
pub mod checker;
pub mod history;
pub mod options;
pub mod report;
pub mod statistics;

use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;

use accounts::{Accounts, AccountsError};
use endpoint::Endpoint;
pub use endpoint::EndpointError;
use options::{Options, Scenario};
use report::Report;
use run_state::RunState;
use scenario::Workers;

/// The secret of a server that `make run` starts.
#[cfg(test)]
const DEVELOPMENT_SECRET: &str = "development-secret-change-me-in-production";

/// How long workers may take to finish their last calls.
const FINISHING: Duration = Duration::from_secs(40);

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Why a run did not take place. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadtestError {
    /// The URL is no endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The accounts have no tokens.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// No server answers at the URL.
    #[error("no server answers at {url} ({why}). Is it running? `make run` starts one; --url names another")]
    Unreachable {
        /// Where.
        url: String,
        /// The error of the connection.
        why: String,
    },
    /// Another program answers at the URL.
    #[error("what answers at {url} is not a Switchboard. Give its address with --url, without a path")]
    NotSwitchboard {
        /// Where.
        url: String,
    },
    /// The server is not ready.
    #[error("the server at {url} is not ready: {why}")]
    NotReady {
        /// Where.
        url: String,
        /// The reason that it returned.
        why: String,
    },
    /// The server rejects the tokens.
    #[error(
        "the server at {url} refuses our token: give the secret that it runs with (--secret, or JWT_SECRET), or tokens that it accepts (--tokens FILE)"
    )]
    TokenRefused {
        /// Where.
        url: String,
    },
    /// The server does not accept the agents as agents.
    #[error(
        "the server at {url} does not take our agents for agents: --agent-role must be one of its auth.agent_roles"
    )]
    NoAgent {
        /// Where.
        url: String,
    },
    /// An account could not be prepared.
    #[error("could not get ready, {what} failed: {why}")]
    Preparation {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// Interrupted before the measurement began.
    #[error("interrupted before anything was measured, so there is no report")]
    Interrupted,
    /// A conversation could not be read at the end, so nothing can be checked.
    #[error("conversation {id} could not be read back: {why}")]
    ReadBack {
        /// Which.
        id: String,
        /// Why.
        why: String,
    },
}

/// The progress of a run.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The current phase.
    pub stage: &'static str,
    /// The name of the operation that the scenario is about.
    pub operation: &'static str,
    /// The part of the measurement that is over, from 0 to 1.
    pub share: f64,
    /// How often the operation was done while measuring.
    pub count: u64,
    /// Operations a second.
    pub rate: f64,
    /// Their median latency in milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile of their latency in milliseconds.
    pub p99_ms: f64,
    /// The number of failed requests.
    pub errors: u64,
    /// The last failure.
    pub last_error: Option<String>,
}

/// Runs a load test to its end, or until `interrupted` completes. Either way the history is checked.
///
/// # Errors
/// [`LoadtestError`] if nothing was measured. Violations, failed requests and failed final reads are part of the report,
/// not errors.
pub async fn run(
    options: Options,
    watch: Rc<dyn Fn(&Progress)>,
    interrupted: impl Future<Output = ()>,
) -> Result<Report, LoadtestError> {
    LocalSet::new().run_until(run_here(options, watch, interrupted)).await
}

async fn run_here(
    options: Options,
    watch: Rc<dyn Fn(&Progress)>,
    interrupted: impl Future<Output = ()>,
) -> Result<Report, LoadtestError> {
    let endpoint = Rc::new(Endpoint::resolve(&options.url).await?);
    let accounts = Accounts::of(&options, scenario::customers(options.scenario, options.users))?;
    preflight::check(&endpoint, &accounts).await?;
    let run_state = RunState::new(options, endpoint, accounts);
    let progress = tokio::task::spawn_local(report_progress(Rc::clone(&run_state), watch));
    let outcome = work_and_read_back(&run_state, interrupted).await;
    progress.abort();
    let checked = match outcome {
        Ok(()) => Ok(checker::check(&run_state.history.borrow())),
        // The figures are valid all the same.
        Err(error @ LoadtestError::ReadBack { .. }) => Err(error.to_string()),
        Err(error) => return Err(error),
    };
    Ok(Report::new(&run_state.options, &run_state.statistics.borrow(), checked, run_state.now()))
}

async fn work_and_read_back(
    run_state: &Rc<RunState>,
    interrupted: impl Future<Output = ()>,
) -> Result<(), LoadtestError> {
    // Sockets stay open until the final read: a late event must still be delivered.
    let _workers = work(run_state, interrupted).await?;
    run_state.stage.set("waiting for the last events");
    final_read::settle(run_state).await;
    run_state.stage.set("reading back");
    final_read::read(run_state).await
}

/// Warms up and measures. When it returns, every worker has finished its last call.
async fn work(run_state: &Rc<RunState>, interrupted: impl Future<Output = ()>) -> Result<Workers, LoadtestError> {
    let mut interrupted = std::pin::pin!(interrupted);
    // Idle sockets are measured while they connect.
    let is_idle = run_state.options.scenario == Scenario::Idle;
    if is_idle {
        run_state.statistics.borrow_mut().begin(run_state.now());
        run_state.stage.set("connecting");
    }
    let preparing = async {
        let workers = scenario::start(run_state).await?;
        if !is_idle {
            run_state.stage.set("warming up");
            tokio::time::sleep(run_state.options.warm_up).await;
        }
        Ok::<Workers, LoadtestError>(workers)
    };
    let mut workers = tokio::select! {
        workers = preparing => workers?,
        () = &mut interrupted => return Err(LoadtestError::Interrupted),
    };
    if !is_idle {
        run_state.statistics.borrow_mut().begin(run_state.now());
    }
    run_state.stage.set("measuring");
    tokio::select! {
        () = tokio::time::sleep(run_state.options.duration) => {}
        () = interrupted => run_state.statistics.borrow_mut().interrupted = true,
    }
    run_state.statistics.borrow_mut().end(run_state.now());
    run_state.stop();
    run_state.stage.set("finishing the last calls");
    let mut tasks = std::mem::take(&mut workers.tasks);
    let finishing = async {
        for task in &mut tasks {
            if let Ok(Some(client)) = task.await {
                workers.clients.push(Rc::new(client));
            }
        }
    };
    if tokio::time::timeout(FINISHING, finishing).await.is_err() {
        run_state.error("an account did not finish its last call");
    }
    Ok(workers)
}

async fn report_progress(run_state: Rc<RunState>, watch: Rc<dyn Fn(&Progress)>) {
    let operation = scenario::main_operation(run_state.options.scenario);
    loop {
        {
            let statistics = run_state.statistics.borrow();
            let measured = statistics.measured(run_state.now());
            let series = statistics.of(operation);
            let quantile =
                |quantile| series.map_or(0.0, |series| statistics::millis(series.latency.value_at_quantile(quantile)));
            let count = series.map_or(0, |series| series.latency.len());
            watch(&Progress {
                stage: run_state.stage.get(),
                operation: operation.title(),
                share: (measured.as_secs_f64() / run_state.options.duration.as_secs_f64().max(0.001)).min(1.0),
                count,
                rate: count as f64 / measured.as_secs_f64().max(0.001),
                p50_ms: quantile(0.5),
                p99_ms: quantile(0.99),
                errors: statistics.errors.values().sum(),
                last_error: statistics.last_error.clone(),
            });
        }
        tokio::time::sleep(PROGRESS_INTERVAL).await;
    }
}
