//! `switchboard loadtest`: what an operator runs against their own deployment before launch. It is a client: of the
//! server it uses no more than the signing of tokens, and talks to it as apps do, over REST and Socket.IO.
//!
//! A run gets its people ready ([`options::Scenario`] says who they are), lets them work, waits until all is quiet, reads
//! back what the server has stored, and has the [`checker`] judge all that was asked for, answered and shown. Checker
//! and [`history`] know nothing of how a run is made, so that tests under faults can use them too.
//!
//! The map: `target`, `http`, `socket`, `polling` and `packet` are the client; `calls`, `client` and `ears` are what a
//! person does with it; `scenario` is what many do; `world` is what they share; [`statistics`] and [`report`] are the
//! figures.
//!
//! Everything of a run lives on one thread: at its rates, locks would cost more than the work.

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

use accounts::{People, PeopleError};
use endpoint::Target;
pub use endpoint::TargetError;
use options::{Plan, Scenario};
use report::Report;
use run_state::World;
use scenario::Workers;

/// The secret of a server started with `make run`.
#[cfg(test)]
const DEVELOPMENT_SECRET: &str = "development-secret-change-me-in-production";

/// How long those at work may take to finish what they have begun.
const FINISHING: Duration = Duration::from_secs(40);

/// How often whoever watches is told how it goes.
const TELLING: Duration = Duration::from_millis(250);

/// Why there was no run. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadtestError {
    /// No address.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// No tokens.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// Nobody listens.
    #[error("no server answers at {url} ({why}). Is it running? `make run` starts one; --url names another")]
    NotThere {
        /// Where.
        url: String,
        /// What the connection said.
        why: String,
    },
    /// Somebody else listens.
    #[error("what answers at {url} is not a Switchboard. Give its address with --url, without a path")]
    NotSwitchboard {
        /// Where.
        url: String,
    },
    /// It is not to be sent work.
    #[error("the server at {url} says that it is not ready: {why}")]
    NotReady {
        /// Where.
        url: String,
        /// Its reason.
        why: String,
    },
    /// Another secret.
    #[error(
        "the server at {url} refuses our token: give the secret that it runs with (--secret, or JWT_SECRET), or tokens that it accepts (--tokens FILE)"
    )]
    TokenRefused {
        /// Where.
        url: String,
    },
    /// Another role.
    #[error(
        "the server at {url} does not take our agents for agents: --agent-role must be one of its auth.agent_roles"
    )]
    NoAgent {
        /// Where.
        url: String,
    },
    /// It could not begin.
    #[error("could not get ready, {what} failed: {why}")]
    Preparation {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// It was interrupted before there was anything to report.
    #[error("interrupted before anything was measured, so there is no report")]
    Interrupted,
    /// It could not be checked.
    #[error("conversation {id} could not be read back: {why}")]
    ReadBack {
        /// Which.
        id: String,
        /// Why.
        why: String,
    },
}

/// How a run goes.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is being done.
    pub stage: &'static str,
    /// What the run is about.
    pub deed: &'static str,
    /// How much of the measurement is over, from nothing to one.
    pub share: f64,
    /// How often it was done, while measuring.
    pub count: u64,
    /// How often a second.
    pub rate: f64,
    /// Milliseconds within which half of them were.
    pub p50_ms: f64,
    /// Milliseconds within which 99 of 100 were.
    pub p99_ms: f64,
    /// Requests that failed.
    pub errors: u64,
    /// How the last of them did.
    pub last_error: Option<String>,
}

/// Runs a plan to its end, or until `interrupted` is; in either case what was done is checked.
///
/// # Errors
/// [`LoadtestError`] where there was nothing to measure. Violations and failed requests are no errors but in the
/// report, and so is a server that is gone when all is to be read back.
pub async fn run(
    plan: Plan,
    watch: Rc<dyn Fn(&Progress)>,
    interrupted: impl Future<Output = ()>,
) -> Result<Report, LoadtestError> {
    LocalSet::new().run_until(run_here(plan, watch, interrupted)).await
}

async fn run_here(
    plan: Plan,
    watch: Rc<dyn Fn(&Progress)>,
    interrupted: impl Future<Output = ()>,
) -> Result<Report, LoadtestError> {
    let target = Rc::new(Target::resolve(&plan.url).await?);
    let people = People::of(&plan, scenario::customers(plan.scenario, plan.users))?;
    preflight::look(&target, &people).await?;
    let world = World::new(plan, target, people);
    let telling = tokio::task::spawn_local(tell(Rc::clone(&world), watch));
    let outcome = work_and_read_back(&world, interrupted).await;
    telling.abort();
    let checked = match outcome {
        Ok(()) => Ok(checker::check(&world.history.borrow())),
        // The figures stand all the same.
        Err(error @ LoadtestError::ReadBack { .. }) => Err(error.to_string()),
        Err(error) => return Err(error),
    };
    Ok(Report::new(&world.plan, &world.statistics.borrow(), checked, world.now()))
}

async fn work_and_read_back(world: &Rc<World>, interrupted: impl Future<Output = ()>) -> Result<(), LoadtestError> {
    // Sockets stay open until all has been read, or a late event would have nobody to come to.
    let _crew = work(world, interrupted).await?;
    world.stage.set("waiting until all is quiet");
    final_read::settle(world).await;
    world.stage.set("reading back");
    final_read::read(world).await
}

/// Everybody works, warm first, then measured; nobody is in the middle of anything when this is over.
async fn work(world: &Rc<World>, interrupted: impl Future<Output = ()>) -> Result<Workers, LoadtestError> {
    let mut interrupted = std::pin::pin!(interrupted);
    // Of sockets that do nothing, the connecting is what is measured.
    let at_once = world.plan.scenario == Scenario::Idle;
    if at_once {
        world.statistics.borrow_mut().begin(world.now());
        world.stage.set("connecting");
    }
    let getting_ready = async {
        let crew = scenario::start(world).await?;
        if !at_once {
            world.stage.set("warming up");
            tokio::time::sleep(world.plan.warm_up).await;
        }
        Ok::<Workers, LoadtestError>(crew)
    };
    let mut crew = tokio::select! {
        crew = getting_ready => crew?,
        () = &mut interrupted => return Err(LoadtestError::Interrupted),
    };
    if !at_once {
        world.statistics.borrow_mut().begin(world.now());
    }
    world.stage.set("measuring");
    tokio::select! {
        () = tokio::time::sleep(world.plan.duration) => {}
        () = interrupted => world.statistics.borrow_mut().interrupted = true,
    }
    world.statistics.borrow_mut().end(world.now());
    world.stop();
    world.stage.set("finishing what was begun");
    let mut tasks = std::mem::take(&mut crew.tasks);
    let finishing = async {
        for task in &mut tasks {
            if let Ok(Some(client)) = task.await {
                crew.clients.push(Rc::new(client));
            }
        }
    };
    if tokio::time::timeout(FINISHING, finishing).await.is_err() {
        world.error("somebody did not finish what they had begun");
    }
    Ok(crew)
}

async fn tell(world: Rc<World>, watch: Rc<dyn Fn(&Progress)>) {
    let deed = scenario::main_deed(world.plan.scenario);
    loop {
        {
            let statistics = world.statistics.borrow();
            let measured = statistics.measured(world.now());
            let series = statistics.of(deed);
            let quantile =
                |quantile| series.map_or(0.0, |series| statistics::millis(series.latency.value_at_quantile(quantile)));
            let count = series.map_or(0, |series| series.latency.len());
            watch(&Progress {
                stage: world.stage.get(),
                deed: deed.title(),
                share: (measured.as_secs_f64() / world.plan.duration.as_secs_f64().max(0.001)).min(1.0),
                count,
                rate: count as f64 / measured.as_secs_f64().max(0.001),
                p50_ms: quantile(0.5),
                p99_ms: quantile(0.99),
                errors: statistics.errors.values().sum(),
                last_error: statistics.last_error.clone(),
            });
        }
        tokio::time::sleep(TELLING).await;
    }
}
