//! `jitter` and `reconnect`: connections that are cut, one now and then or all at once, while messages go on.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;

use super::Workers;
use super::sends::{Customer, settled};
use crate::LoadtestError;
use crate::client::Client;
use crate::history::Moment;
use crate::run_state::{Pace, World};
use crate::statistics::Operation;

/// Between two messages of a customer whose connection is cut now and then.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(200);
/// A connection lasts at least so long.
const SHORTEST: Duration = Duration::from_secs(1);
/// And at most so much longer.
const SPREAD: Duration = Duration::from_secs(3);
/// A client is away at most so long.
const AWAY: Duration = Duration::from_millis(1500);
/// Between two avalanches.
const CALM: Duration = Duration::from_secs(2);
/// How long all are away.
const ALL_AWAY: Duration = Duration::from_millis(500);

pub(super) async fn jitter(world: &Rc<World>) -> Result<Workers, LoadtestError> {
    let customers = settled(world).await?;
    let mut crew = Workers::default();
    let count = customers.len();
    for (number, customer) in customers.into_iter().enumerate() {
        crew.clients.push(Rc::clone(&customer.client));
        crew.work(cut_now_and_then(Rc::clone(world), Rc::clone(&customer.client)));
        crew.work(write(customer, Pace::of(world, number, count)));
    }
    Ok(crew)
}

async fn write(mut customer: Customer, mut pace: Pace) {
    let world = Rc::clone(&customer.caller.world);
    while let Some(due) = pace.next(&world).await {
        customer.caller.send(customer.conversation, &customer.id, due).await;
        if world.plan.rate.is_none() && !world.pause(BETWEEN_MESSAGES.mul_f64(0.5 + world.chance())).await {
            return;
        }
    }
}

/// Every second time the client has lost its memory too, so that it must join anew and fetch.
async fn cut_now_and_then(world: Rc<World>, client: Rc<Client>) {
    while world.pause(SHORTEST + SPREAD.mul_f64(world.chance())).await {
        let (away, forget) = (AWAY.mul_f64(world.chance()), world.chance() < 0.5);
        client.cut(away, forget).await;
    }
}

pub(super) async fn reconnect(world: &Rc<World>) -> Result<Workers, LoadtestError> {
    let mut customers = settled(world).await?;
    let clients = customers.iter().map(|customer| Rc::clone(&customer.client)).collect();
    let mut crew = Workers { clients, ..Workers::default() };
    let world = Rc::clone(world);
    crew.work(async move {
        while world.pause(CALM).await {
            avalanche(&world, &mut customers).await;
        }
    });
    Ok(crew)
}

/// All are cut; while they are away, each is written to; all come back, half of them without a memory.
async fn avalanche(world: &Rc<World>, customers: &mut [Customer]) {
    let due = world.now();
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
    world.record(Operation::Avalanche, Moment(due.0 + Moment::after(ALL_AWAY).0));
}
