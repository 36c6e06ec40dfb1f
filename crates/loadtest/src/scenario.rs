//! The scenarios. Each prepares its accounts, starts its workers, and returns them.

mod churn;
mod claims;
mod fanout;
mod hot;
mod idle;
mod mix;
mod sends;
mod shared_conversation;

use std::fmt::Display;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, StreamExt as _};
use tokio::task::JoinHandle;

use super::LoadtestError;
use super::client::Client;
use super::options::Scenario;
use super::run_state::RunState;
use super::statistics::Operation;

/// How many accounts are prepared at a time, so that the preparation is no load test.
const AT_A_TIME: usize = 50;

/// The running workers, and the clients whose sockets are held open.
#[derive(Default)]
pub(super) struct Workers {
    /// They end when the run is over.
    pub(super) tasks: Vec<JoinHandle<Option<Client>>>,
    /// Their sockets stay open until the final reads are done.
    pub(super) clients: Vec<Rc<Client>>,
}

impl Workers {
    fn work(&mut self, task: impl Future<Output = ()> + 'static) {
        self.tasks.push(tokio::task::spawn_local(async move {
            task.await;
            None
        }));
    }

    /// Starts a worker that returns its client, so that the socket stays open until the final reads are done.
    fn work_and_stay(&mut self, task: impl Future<Output = Client> + 'static) {
        self.tasks.push(tokio::task::spawn_local(async move { Some(task.await) }));
    }
}

/// The number of customer accounts that a scenario needs.
pub(super) fn customers(scenario: Scenario, users: usize) -> usize {
    match scenario {
        Scenario::Hot | Scenario::Fanout => 1,
        _ => users,
    }
}

/// The operation that a scenario is about.
pub(super) fn main_operation(scenario: Scenario) -> Operation {
    match scenario {
        Scenario::Sends | Scenario::Hot | Scenario::Mix => Operation::Send,
        Scenario::Claims => Operation::Storm,
        Scenario::Fanout => Operation::Delivery,
        Scenario::Idle => Operation::Connect,
        Scenario::Jitter | Scenario::Reconnect => Operation::Return,
    }
}

/// Prepares the scenario's accounts and starts its workers.
pub(super) async fn start(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    match run_state.options.scenario {
        Scenario::Sends => sends::start(run_state).await,
        Scenario::Hot => hot::start(run_state).await,
        Scenario::Fanout => fanout::start(run_state).await,
        Scenario::Claims => claims::start(run_state).await,
        Scenario::Idle => idle::start(run_state).await,
        Scenario::Jitter => churn::jitter(run_state).await,
        Scenario::Reconnect => churn::reconnect(run_state).await,
        Scenario::Mix => mix::start(run_state).await,
    }
}

/// Prepares many, [`AT_A_TIME`] concurrently.
async fn ready<T>(
    makers: impl IntoIterator<Item = LocalBoxFuture<'_, Result<T, LoadtestError>>>,
) -> Result<Vec<T>, LoadtestError> {
    let made: Vec<Result<T, LoadtestError>> = stream::iter(makers).buffered(AT_A_TIME).collect().await;
    made.into_iter().collect()
}

fn failed(what: &str, why: impl Display) -> LoadtestError {
    LoadtestError::Preparation { what: what.to_owned(), why: why.to_string() }
}
