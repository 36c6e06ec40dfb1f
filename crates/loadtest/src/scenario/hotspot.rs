//! `hot` and `fanout`: one conversation with many who write, or many who listen.

use std::rc::Rc;

use futures_util::FutureExt as _;

use super::sends::open;
use super::{Workers, failed, ready};
use crate::LoadtestError;
use crate::client::Client;
use crate::history::Conversation;
use crate::rest_actions::Caller;
use crate::run_state::{Pace, World};

/// Who write where many listen.
const FANOUT_SENDERS: usize = 8;

/// `hot`: the customer's many devices write at once; agents and the customer listen.
pub(super) async fn hot(world: &Rc<World>) -> Result<Workers, LoadtestError> {
    crowd(world, world.plan.users, world.plan.agents.max(2)).await
}

/// `fanout`: some write, and many sockets listen, the customer's and agents' by turns.
pub(super) async fn fanout(world: &Rc<World>) -> Result<Workers, LoadtestError> {
    crowd(world, FANOUT_SENDERS, world.plan.users).await
}

async fn crowd(world: &Rc<World>, senders: usize, listeners: usize) -> Result<Workers, LoadtestError> {
    let customer = world.people.customers.first().ok_or_else(|| failed("a customer", "there is none"))?;
    let (conversation, id) = open(&mut Caller::new(world, customer)).await?;
    let accounts = (0..listeners).map(|number| {
        let agents = &world.people.agents;
        agents.get(number / 2 % agents.len().max(1)).filter(|_| number % 2 == 1).unwrap_or(customer)
    });
    let clients = ready(accounts.map(|account| {
        let id = &id;
        async move {
            let client = Client::start(world, account, false).await.map_err(|error| failed("a socket", error))?;
            if client.join(conversation, id).await {
                Ok(Rc::new(client))
            } else {
                Err(failed("a socket", "it was not let into the conversation"))
            }
        }
        .boxed_local()
    }))
    .await?;
    let mut crew = Workers { clients, ..Workers::default() };
    for number in 0..senders {
        let caller = Caller::new(world, customer);
        crew.work(write(caller, conversation, id.clone(), Pace::of(world, number, senders)));
    }
    Ok(crew)
}

async fn write(mut caller: Caller, conversation: Conversation, id: String, mut pace: Pace) {
    let world = Rc::clone(&caller.world);
    while let Some(due) = pace.next(&world).await {
        caller.send(conversation, &id, due).await;
    }
}
