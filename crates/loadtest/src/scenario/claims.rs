//! `claims`: of many agents who claim a new conversation at the same moment, one wins.

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
use crate::run_state::{Pace, World};
use crate::statistics::Operation;

/// How long the room's news of the winner is waited for before going on without it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A customer who opens one conversation after another, and a connection of each agent.
struct Lane {
    customer: Caller,
    client: Client,
    agents: Vec<Caller>,
}

pub(super) async fn start(world: &Rc<World>) -> Result<Workers, LoadtestError> {
    let lanes = ready(world.people.customers.iter().map(|account| Lane::new(world, account).boxed_local())).await?;
    let mut crew = Workers::default();
    let count = lanes.len();
    for (number, lane) in lanes.into_iter().enumerate() {
        crew.work_and_stay(lane.run(Pace::of(world, number, count)));
    }
    Ok(crew)
}

impl Lane {
    async fn new(world: &Rc<World>, account: &Account) -> Result<Self, LoadtestError> {
        let client = Client::start(world, account, true).await.map_err(|error| failed("a socket", error))?;
        let agents = world.people.agents.iter().map(|agent| Caller::new(world, agent)).collect();
        Ok(Self { customer: Caller::new(world, account), client, agents })
    }

    async fn run(mut self, mut pace: Pace) -> Client {
        let world = Rc::clone(&self.customer.world);
        while let Some(due) = pace.next(&world).await {
            let Some((conversation, id)) = self.customer.open(due).await else { continue };
            let joined = self.client.join(conversation, &id).await;
            let now = world.now();
            let id = &id;
            let claims = self.agents.iter_mut().map(|agent| agent.decide(conversation, id, Action::Claim, now));
            join_all(claims).await;
            world.record(Operation::Storm, now);
            let heard = async {
                while let Some(news) = self.client.news.recv().await {
                    if news == ClientEvent::Claimed(conversation) {
                        return;
                    }
                }
            };
            // Where the news does not come, the client stays, and the checker will find it missing.
            if joined && tokio::time::timeout(PATIENCE, heard).await.is_ok() {
                self.client.wish(ClientCommand::Leave(conversation, id.clone())).await;
            }
        }
        self.client
    }
}
