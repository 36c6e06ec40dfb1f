//! What all clients together can make the server keep of what it has received.

use std::sync::Arc;

use actix_socketio::{EngineConfig, Event, Socket, SocketIo, SocketIoConfig, Stats};
use tokio::sync::Semaphore;

use crate::support::{Server, WebSocket, echo_namespace, wait_until, without_recovery};

const LIMIT: usize = 1024 * 1024;

/// A connection that holds no more is never closed for what others hold.
const SMALL: usize = 64 * 1024;

/// A server whose `work` does not end, and `LIMIT`.
fn server() -> (SocketIo, Server, Arc<Semaphore>) {
    let end = Arc::new(Semaphore::new(0));
    let ending = Arc::clone(&end);
    let namespace = echo_namespace().on("work", move |_: Socket<()>, event: Event| {
        let ending = Arc::clone(&ending);
        async move {
            // The arguments are kept as long as the handler runs.
            let _held = (event, ending.acquire().await);
        }
    });
    let config = SocketIoConfig { max_total_received_bytes: LIMIT, ..without_recovery() };
    let io = SocketIo::builder(EngineConfig::default(), config).namespace(namespace).build();
    let server = Server::start(io.clone());
    (io, server, end)
}

/// Attacks with what `hold` makes a connection hold, until connections are closed; a client next to it is served.
async fn attack(hold: impl AsyncFn(&mut WebSocket)) {
    let (io, server, end) = server();
    let mut bystander = server.join().await;
    let mut held = Vec::new();
    let mut closed = 0;
    for _ in 0..30 {
        let mut socket = server.join().await;
        let before = io.stats().received_bytes;
        hold(&mut socket).await;
        let is_counted = || io.stats().received_bytes >= before + SMALL;
        tokio::select! {
            is_closed = socket.closes() => {
                assert!(is_closed);
                closed += 1;
            }
            () = wait_until("it is received", is_counted) => held.push(socket),
        }
        bystander.send("42[\"echo\",1]").await;
        bystander.expect("42[\"echo\",1]").await;
    }
    assert!(held.len() > 2, "the limit is for all together, not for one");
    assert!(closed > 5, "{} connections hold {} bytes", held.len(), io.stats().received_bytes);
    assert!(io.stats().received_bytes <= LIMIT, "{}", io.stats().received_bytes);
    // What is given back can be used again.
    end.add_permits(1000);
    drop(held);
    wait_until("nothing is held", || io.stats().received_bytes == 0).await;
    let mut socket = server.join().await;
    hold(&mut socket).await;
    socket.send("42[\"echo\",2]").await;
    drop((socket, bystander));
    wait_until("nothing is left", || io.stats() == Stats::default()).await;
}

#[tokio::test]
async fn connections_that_hold_much_are_closed_above_the_limit_of_all_and_others_are_served() {
    // The arguments of a running handler: little text, much memory.
    let objects = format!("42[\"work\",[{}]]", vec!["{\"a\":1}"; 200].join(","));
    attack(async |socket| socket.send(&objects).await).await;
    // Events that wait for it.
    let text = "x".repeat(100_000);
    attack(async |socket| {
        socket.send("42[\"work\"]").await;
        socket.send(&format!("42[\"no-ack\",\"{text}\"]")).await;
    })
    .await;
    // Packets whose attachments are missing.
    attack(async |socket| {
        socket.send("452-[\"no-ack\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]").await;
        socket.send_binary(&[0; 150_000]).await;
    })
    .await;
}
