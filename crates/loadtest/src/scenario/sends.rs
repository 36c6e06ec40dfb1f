//! `sends`: each customer writes into a conversation of their own, and listens to it. Other scenarios use these customers.

use std::rc::Rc;

use futures_util::FutureExt as _;

use super::{Workers, failed, ready};
use crate::LoadtestError;
use crate::accounts::Account;
use crate::client::Client;
use crate::history::Conversation;
use crate::rest_actions::Caller;
use crate::run_state::{Pace, RunState};

/// How often opening a conversation is tried.
const OPEN_ATTEMPTS: u32 = 5;

/// A customer with a conversation of their own, which their client has joined.
pub(super) struct Customer {
    pub(super) caller: Caller,
    pub(super) client: Rc<Client>,
    pub(super) conversation: Conversation,
    /// The server's id of the conversation.
    pub(super) id: String,
}

impl Customer {
    /// Opens the conversation, connects and joins it.
    pub(super) async fn prepare(run_state: &Rc<RunState>, account: &Account) -> Result<Self, LoadtestError> {
        let mut caller = Caller::new(run_state, account);
        let (conversation, id) = open(&mut caller).await?;
        let client = Client::start(run_state, account, false).await.map_err(|error| failed("a socket", error))?;
        if !client.join(conversation, &id).await {
            return Err(failed("a socket", "it could not join its conversation"));
        }
        Ok(Self { caller, client: Rc::new(client), conversation, id })
    }
}

/// Opens a conversation, and tries again if that fails, for example because of a rate limit. Returns its key in the
/// history and the server's id.
pub(super) async fn open(caller: &mut Caller) -> Result<(Conversation, String), LoadtestError> {
    for _ in 0..OPEN_ATTEMPTS {
        let due = caller.run_state.now();
        if let Some(opened) = caller.open(due).await {
            return Ok(opened);
        }
    }
    let error = caller.run_state.statistics.borrow().errors.keys().next().cloned();
    Err(failed("a conversation", error.unwrap_or_else(|| "the server did not open one".to_owned())))
}

/// Prepares every customer of the run.
pub(super) async fn prepare_all(run_state: &Rc<RunState>) -> Result<Vec<Customer>, LoadtestError> {
    ready(run_state.accounts.customers.iter().map(|account| Customer::prepare(run_state, account).boxed_local())).await
}

pub(super) async fn start(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    let customers = prepare_all(run_state).await?;
    let mut workers = Workers::default();
    let count = customers.len();
    for (number, mut customer) in customers.into_iter().enumerate() {
        workers.clients.push(Rc::clone(&customer.client));
        let mut pace = Pace::of(run_state, number, count);
        let run_state = Rc::clone(run_state);
        workers.work(async move {
            while let Some(due) = pace.next(&run_state).await {
                customer.caller.send(customer.conversation, &customer.id, due).await;
            }
        });
    }
    Ok(workers)
}
