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
//! | `run_state` | what they share |
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
pub mod recording;
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

/// How long workers may take to finish what they have begun.
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
    /// No server listens there.
    #[error("no server answers at {url} ({why}). Is it running? `make run` starts one; --url names another")]
    NotThere {
        /// Where.
        url: String,
        /// The error of the connection.
        why: String,
    },
    /// Another program listens there.
    #[error("what answers at {url} is not a Switchboard. Give its address with --url, without a path")]
    NotSwitchboard {
        /// Where.
        url: String,
    },
    /// The server is not ready.
    #[error("the server at {url} says that it is not ready: {why}")]
    NotReady {
        /// Where.
        url: String,
        /// The reason that it gives.
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

/// Runs a load test to its end or until `interrupted` completes. In either case what was done is checked.
///
/// # Errors
/// [`LoadtestError`] where there was nothing to measure. Violations and failed requests are no errors but in the
/// report, and so is a server that is gone when all is to be read back.
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
    preflight::look(&endpoint, &accounts).await?;
    let run_state = RunState::new(options, endpoint, accounts);
    let telling = tokio::task::spawn_local(tell(Rc::clone(&run_state), watch));
    let outcome = work_and_read_back(&run_state, interrupted).await;
    telling.abort();
    let checked = match outcome {
        Ok(()) => Ok(checker::check(&run_state.history.borrow())),
        // The figures stand all the same.
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
    run_state.stage.set("waiting until all is quiet");
    final_read::settle(run_state).await;
    run_state.stage.set("reading back");
    final_read::read(run_state).await
}

/// Warms up and measures. When it returns, every worker has finished its last call.
async fn work(run_state: &Rc<RunState>, interrupted: impl Future<Output = ()>) -> Result<Workers, LoadtestError> {
    let mut interrupted = std::pin::pin!(interrupted);
    // Of sockets that do nothing, the connecting is what is measured.
    let at_once = run_state.options.scenario == Scenario::Idle;
    if at_once {
        run_state.statistics.borrow_mut().begin(run_state.now());
        run_state.stage.set("connecting");
    }
    let getting_ready = async {
        let workers = scenario::start(run_state).await?;
        if !at_once {
            run_state.stage.set("warming up");
            tokio::time::sleep(run_state.options.warm_up).await;
        }
        Ok::<Workers, LoadtestError>(workers)
    };
    let mut workers = tokio::select! {
        workers = getting_ready => workers?,
        () = &mut interrupted => return Err(LoadtestError::Interrupted),
    };
    if !at_once {
        run_state.statistics.borrow_mut().begin(run_state.now());
    }
    run_state.stage.set("measuring");
    tokio::select! {
        () = tokio::time::sleep(run_state.options.duration) => {}
        () = interrupted => run_state.statistics.borrow_mut().interrupted = true,
    }
    run_state.statistics.borrow_mut().end(run_state.now());
    run_state.stop();
    run_state.stage.set("finishing what was begun");
    let mut tasks = std::mem::take(&mut workers.tasks);
    let finishing = async {
        for task in &mut tasks {
            if let Ok(Some(client)) = task.await {
                workers.clients.push(Rc::new(client));
            }
        }
    };
    if tokio::time::timeout(FINISHING, finishing).await.is_err() {
        run_state.error("somebody did not finish what they had begun");
    }
    Ok(workers)
}

async fn tell(run_state: Rc<RunState>, watch: Rc<dyn Fn(&Progress)>) {
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
