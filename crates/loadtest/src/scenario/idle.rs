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
use crate::run_state::RunState;
use crate::socket::SocketError;
use crate::statistics::Operation;

/// How many connect at a time where no rate is given.
const AT_A_TIME: usize = 100;

enum Held {
    Websocket(Client),
    Polling(Box<Polling>),
}

pub(super) async fn start(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    let every = run_state.options.rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
    let (due, began) = (run_state.now(), Instant::now());
    // At a rate, a connection that takes long keeps no other one waiting.
    let at_a_time = if every.is_some() { run_state.accounts.customers.len().max(1) } else { AT_A_TIME };
    let connecting = (0_u32..).zip(&run_state.accounts.customers).map(|(number, account)| async move {
        if let Some(every) = every {
            tokio::time::sleep_until(began + every * number).await;
        }
        hold(run_state, account).await
    });
    let held: Vec<Result<Held, SocketError>> = stream::iter(connecting).buffer_unordered(at_a_time).collect().await;
    run_state.record(Operation::Ramp, due);
    let mut workers = Workers::default();
    let mut refused = None;
    for held in held {
        match held {
            Ok(Held::Websocket(client)) => workers.clients.push(Rc::new(client)),
            Ok(Held::Polling(polling)) => workers.work(polling.run()),
            Err(error) => {
                run_state.error(format!("connect: {error}"));
                refused = Some(error);
            }
        }
    }
    match refused {
        Some(error) if workers.clients.is_empty() && workers.tasks.is_empty() => Err(failed("a socket", error)),
        _ => Ok(workers),
    }
}

async fn hold(run_state: &Rc<RunState>, account: &Account) -> Result<Held, SocketError> {
    match run_state.options.transport {
        Transport::Websocket => Client::start(run_state, account, false).await.map(Held::Websocket),
        Transport::Polling => Polling::start(run_state, account).await.map(Box::new).map(Held::Polling),
    }
}
