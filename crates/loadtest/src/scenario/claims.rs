//! `claims`: many agents claim a new conversation at the same time, and one succeeds.

use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::{Workers, failed, ready};
use crate::LoadtestError;
use crate::accounts::Account;
use crate::client::{Client, ClientCommand};
use crate::event_recorder::ClientEvent;
use crate::history::Action;
use crate::rest_actions::Caller;
use crate::run_state::{Pace, RunState};
use crate::statistics::Operation;

/// How long to wait for the event that announces the winner.
const PATIENCE: Duration = Duration::from_secs(5);

/// A customer who opens one conversation after another, and a connection of each agent.
struct Lane {
    customer: Caller,
    client: Client,
    agents: Vec<Caller>,
}

pub(super) async fn start(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    let lanes =
        ready(run_state.accounts.customers.iter().map(|account| Lane::new(run_state, account).boxed_local())).await?;
    let mut workers = Workers::default();
    let count = lanes.len();
    for (number, lane) in lanes.into_iter().enumerate() {
        workers.work_and_stay(lane.run(Pace::of(run_state, number, count)));
    }
    Ok(workers)
}

impl Lane {
    async fn new(run_state: &Rc<RunState>, account: &Account) -> Result<Self, LoadtestError> {
        let client = Client::start(run_state, account, true).await.map_err(|error| failed("a socket", error))?;
        let agents = run_state.accounts.agents.iter().map(|agent| Caller::new(run_state, agent)).collect();
        Ok(Self { customer: Caller::new(run_state, account), client, agents })
    }

    async fn run(mut self, mut pace: Pace) -> Client {
        let run_state = Rc::clone(&self.customer.run_state);
        while let Some(due) = pace.next(&run_state).await {
            let Some((conversation, id)) = self.customer.open(due).await else { continue };
            let joined = self.client.join(conversation, &id).await;
            let now = run_state.now();
            let id = &id;
            let claims = self.agents.iter_mut().map(|agent| agent.decide(conversation, id, Action::Claim, now));
            join_all(claims).await;
            run_state.record(Operation::Storm, now);
            let announced = async {
                while let Some(event) = self.client.events.recv().await {
                    if event == ClientEvent::Claimed(conversation) {
                        return;
                    }
                }
            };
            // If the event does not arrive, the client stays joined, so that the checker reports the event as lost.
            if joined && tokio::time::timeout(PATIENCE, announced).await.is_ok() {
                self.client.command(ClientCommand::Leave(conversation, id.clone())).await;
            }
        }
        self.client
    }
}
