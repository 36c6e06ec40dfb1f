//! One conversation with any number of senders and listeners: the common part of `hot` and `fanout`.

use std::rc::Rc;

use futures_util::FutureExt as _;

use super::sends::open;
use super::{Workers, failed, ready};
use crate::LoadtestError;
use crate::client::Client;
use crate::history::Conversation;
use crate::rest_actions::Caller;
use crate::run_state::{Pace, RunState};

/// Opens a conversation, and starts this many senders and listeners in it.
pub(super) async fn start(
    run_state: &Rc<RunState>,
    senders: usize,
    listeners: usize,
) -> Result<Workers, LoadtestError> {
    let customer = run_state.accounts.customers.first().ok_or_else(|| failed("a customer", "there is none"))?;
    let (conversation, id) = open(&mut Caller::new(run_state, customer)).await?;
    let accounts = (0..listeners).map(|number| {
        let agents = &run_state.accounts.agents;
        agents.get(number / 2 % agents.len().max(1)).filter(|_| number % 2 == 1).unwrap_or(customer)
    });
    let clients = ready(accounts.map(|account| {
        let id = &id;
        async move {
            let client = Client::start(run_state, account, false).await.map_err(|error| failed("a socket", error))?;
            if client.join(conversation, id).await {
                Ok(Rc::new(client))
            } else {
                Err(failed("a socket", "it could not join the conversation"))
            }
        }
        .boxed_local()
    }))
    .await?;
    let mut workers = Workers { clients, ..Workers::default() };
    for number in 0..senders {
        let caller = Caller::new(run_state, customer);
        workers.work(write(caller, conversation, id.clone(), Pace::of(run_state, number, senders)));
    }
    Ok(workers)
}

async fn write(mut caller: Caller, conversation: Conversation, id: String, mut pace: Pace) {
    let run_state = Rc::clone(&caller.run_state);
    while let Some(due) = pace.next(&run_state).await {
        caller.send(conversation, &id, due).await;
    }
}
