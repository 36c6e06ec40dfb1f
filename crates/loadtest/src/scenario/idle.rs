//! `idle`: sockets that connect, answer pings and do nothing.

use std::rc::Rc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use super::{Workers, failed};
use crate::LoadtestError;
use crate::accounts::Account;
use crate::client::Client;
use crate::options::Transport;
use crate::polling::Polling;
use crate::run_state::World;
use crate::socket::SocketError;
use crate::statistics::Operation;

/// How many connect at a time where no rate is given.
const AT_A_TIME: usize = 100;

enum Held {
    Websocket(Client),
    Polling(Box<Polling>),
}

pub(super) async fn start(world: &Rc<World>) -> Result<Workers, LoadtestError> {
    let every = world.plan.rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
    let (due, began) = (world.now(), Instant::now());
    // At a rate, a connection that takes long keeps no other one waiting.
    let at_a_time = if every.is_some() { world.people.customers.len().max(1) } else { AT_A_TIME };
    let connecting = (0_u32..).zip(&world.people.customers).map(|(number, account)| async move {
        if let Some(every) = every {
            tokio::time::sleep_until(began + every * number).await;
        }
        hold(world, account).await
    });
    let held: Vec<Result<Held, SocketError>> = stream::iter(connecting).buffer_unordered(at_a_time).collect().await;
    world.record(Operation::Ramp, due);
    let mut crew = Workers::default();
    let mut refused = None;
    for held in held {
        match held {
            Ok(Held::Websocket(client)) => crew.clients.push(Rc::new(client)),
            Ok(Held::Polling(polling)) => crew.work(polling.run()),
            Err(error) => {
                world.error(format!("connect: {error}"));
                refused = Some(error);
            }
        }
    }
    match refused {
        Some(error) if crew.clients.is_empty() && crew.tasks.is_empty() => Err(failed("a socket", error)),
        _ => Ok(crew),
    }
}

async fn hold(world: &Rc<World>, account: &Account) -> Result<Held, SocketError> {
    match world.plan.transport {
        Transport::Websocket => Client::start(world, account, false).await.map(Held::Websocket),
        Transport::Polling => Polling::start(world, account).await.map(Box::new).map(Held::Polling),
    }
}
