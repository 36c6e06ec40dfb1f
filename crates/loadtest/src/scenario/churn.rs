//! `jitter` and `reconnect`: connections that are cut, one at random times or all at once, while messages continue.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;

use super::Workers;
use super::sends::{Customer, prepare_all};
use crate::LoadtestError;
use crate::client::Client;
use crate::history::Elapsed;
use crate::run_state::{Pace, RunState};
use crate::statistics::Operation;

/// The mean pause between two messages of a customer in `jitter`.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(200);
/// A connection lasts at least so long.
const SHORTEST: Duration = Duration::from_secs(1);
/// It lasts at most so much longer.
const SPREAD: Duration = Duration::from_secs(3);
/// A client is away at most so long.
const AWAY: Duration = Duration::from_millis(1500);
/// Between two avalanches.
const CALM: Duration = Duration::from_secs(2);
/// How long all are away.
const ALL_AWAY: Duration = Duration::from_millis(500);

pub(super) async fn jitter(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    let customers = prepare_all(run_state).await?;
    let mut workers = Workers::default();
    let count = customers.len();
    for (number, customer) in customers.into_iter().enumerate() {
        workers.clients.push(Rc::clone(&customer.client));
        workers.work(cut_at_random(Rc::clone(run_state), Rc::clone(&customer.client)));
        workers.work(write(customer, Pace::of(run_state, number, count)));
    }
    Ok(workers)
}

async fn write(mut customer: Customer, mut pace: Pace) {
    let run_state = Rc::clone(&customer.caller.run_state);
    while let Some(due) = pace.next(&run_state).await {
        customer.caller.send(customer.conversation, &customer.id, due).await;
        if run_state.options.rate.is_none()
            && !run_state.pause(BETWEEN_MESSAGES.mul_f64(0.5 + run_state.random())).await
        {
            return;
        }
    }
}

/// With a probability of one half the client forgets its session, so that it must join again and fetch.
async fn cut_at_random(run_state: Rc<RunState>, client: Rc<Client>) {
    while run_state.pause(SHORTEST + SPREAD.mul_f64(run_state.random())).await {
        let (away, forget) = (AWAY.mul_f64(run_state.random()), run_state.random() < 0.5);
        client.cut(away, forget).await;
    }
}

pub(super) async fn reconnect(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    let mut customers = prepare_all(run_state).await?;
    let clients = customers.iter().map(|customer| Rc::clone(&customer.client)).collect();
    let mut workers = Workers { clients, ..Workers::default() };
    let run_state = Rc::clone(run_state);
    workers.work(async move {
        while run_state.pause(CALM).await {
            avalanche(&run_state, &mut customers).await;
        }
    });
    Ok(workers)
}

/// Cuts every client, sends to each while it is away, and waits until all have reconnected. Half of them forget their
/// session.
async fn avalanche(run_state: &Rc<RunState>, customers: &mut [Customer]) {
    let due = run_state.now();
    let cuts: Vec<_> = customers
        .iter()
        .enumerate()
        .map(|(number, customer)| {
            let client = Rc::clone(&customer.client);
            tokio::task::spawn_local(async move { client.cut(ALL_AWAY, number % 2 == 1).await })
        })
        .collect();
    let sends = customers.iter_mut().map(|customer| customer.caller.send(customer.conversation, &customer.id, due));
    join_all(sends).await;
    join_all(cuts).await;
    run_state.record(Operation::Avalanche, Elapsed(due.0 + Elapsed::after(ALL_AWAY).0));
}
