//! Socket.IO on the wire: a test a row of the table.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::support::{Frame, Server, WebSocket, quiet, until};
use serde_json::{Value, json};
use switchboard::{
    engineio::EngineConfig,
    socketio::{
        AckError, CloseKind, ConnectRefusal, DisconnectReason, Event, Handshake, Namespace, Socket, SocketIo,
        SocketIoConfig,
    },
};

type Log = Arc<Mutex<Vec<String>>>;

fn namespace(name: &str, log: &Log) -> Namespace<Value> {
    let left = Arc::clone(log);
    let acked = Arc::clone(log);
    Namespace::<Value>::new(name, |handshake: Handshake| async move {
        let auth = handshake.auth.unwrap_or_else(|| json!({}));
        match auth.get("refuse") {
            Some(data) => {
                Err(ConnectRefusal { message: "refused".to_owned(), data: (!data.is_null()).then(|| data.clone()) })
            }
            None => {
                if auth.get("slow").is_some() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Ok(auth)
            }
        }
    })
    .on_connect(|socket: Socket<Value>| async move {
        socket.join("all");
        socket.emit("welcome", socket.data());
    })
    .on("echo", |socket: Socket<Value>, event: Event| async move {
        if event.wants_ack {
            return event.into_arguments();
        }
        socket.emit_arguments("echo", &event.clone().into_arguments());
        event.into_arguments()
    })
    .on("nothing", |_: Socket<Value>, _: Event| async {})
    .on("none", |_: Socket<Value>, _: Event| async { None::<()> })
    .on("late", |_: Socket<Value>, event: Event| async move {
        tokio::time::sleep(Duration::from_millis(event.first::<u64>().unwrap())).await;
        Some(event.arguments)
    })
    .on("leave me", |socket: Socket<Value>, _: Event| async move {
        socket.disconnect();
        assert!(!socket.join("again"), "one that has left cannot join");
    })
    .on("ask", move |socket: Socket<Value>, _: Event| {
        let acked = Arc::clone(&acked);
        async move {
            let patience = Duration::from_millis(300);
            // Not within the handler: the answer is not held up by it, but the next event is.
            let asked = socket.clone();
            actix_rt::spawn(async move {
                let answer = match asked.emit_with_ack("question", &1, patience).await {
                    Ok(arguments) => {
                        format!("{:?} {}", arguments.values, arguments.attachments.len())
                    }
                    Err(error) => error.to_string(),
                };
                acked.lock().unwrap().push(answer);
            });
        }
    })
    .on("count", |socket: Socket<Value>, _: Event| async move { Some(socket.rooms().len()) })
    .on_disconnect(move |_: Socket<Value>, reason: DisconnectReason| {
        let left = Arc::clone(&left);
        async move { left.lock().unwrap().push(reason.to_string()) }
    })
}

fn server_with(config: SocketIoConfig) -> (Server, SocketIo, Log) {
    let log = Log::default();
    let io = SocketIo::builder(EngineConfig::default(), config)
        .namespace(namespace("/", &log))
        .namespace(namespace("/a", &log))
        .build();
    (Server::start(io.clone()), io, log)
}

fn server() -> (Server, SocketIo, Log) {
    server_with(quiet())
}

async fn joined(server: &Server) -> WebSocket {
    let mut socket = server.joined().await;
    socket.expect("42[\"welcome\"").await;
    socket
}

async fn logged(log: &Log) -> String {
    until("something is logged", || !log.lock().unwrap().is_empty()).await;
    log.lock().unwrap().remove(0)
}

#[tokio::test]
async fn connect_is_answered_with_a_sid() {
    let (server, ..) = server();
    let mut socket = server.websocket().await;
    for (connect, answer, welcome) in [
        ("40", "40{\"sid\":\"", "42[\"welcome\",{}]"),
        ("40/a,{\"token\":1}", "40/a,{\"sid\":\"", "42/a,[\"welcome\",{\"token\":1}]"),
    ] {
        socket.send(connect).await;
        let answered = socket.expect(answer).await;
        assert_eq!(answered.len(), answer.len() + 20 + 2, "{answered}");
        assert_eq!(socket.text().await, welcome);
    }
}

#[tokio::test]
async fn auth_must_be_an_object() {
    let (server, ..) = server();
    for connect in ["40[]", "40\"x\"", "40null", "40{", "40/a,[1]"] {
        let mut socket = server.websocket().await;
        socket.send(connect).await;
        let closes = socket.closes().await;
        assert!(closes, "{connect}");
    }
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_connection_stays() {
    let (server, ..) = server();
    let mut socket = joined(&server).await;
    socket.send("40/b,{\"x\":1}").await;
    assert_eq!(socket.text().await, "44/b,{\"message\":\"Invalid namespace\"}");
    socket.send("40/a?x=1,").await;
    assert_eq!(socket.text().await, "44/a?x=1,{\"message\":\"Invalid namespace\"}");
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn the_middlewares_refusal_is_told_and_nothing_remains() {
    let (server, io, log) = server();
    let mut socket = joined(&server).await;
    socket.send("40/a,{\"refuse\":{\"code\":7}}").await;
    assert_eq!(socket.text().await, "44/a,{\"message\":\"refused\",\"data\":{\"code\":7}}");
    socket.send("40/a,{\"refuse\":null}").await;
    assert_eq!(socket.text().await, "44/a,{\"message\":\"refused\"}");
    let namespace = io.namespace("/a").unwrap();
    assert_eq!(namespace.socket_count(), 0);
    assert_eq!(namespace.to("all").emit("x", &1), 0);
    assert!(log.lock().unwrap().is_empty());
    // It may try again.
    socket.send("40/a,").await;
    socket.expect("40/a,{").await;
}

#[tokio::test]
async fn nothing_joined_in_time_or_all_left_again_closes() {
    let (server, io, _) = server_with(SocketIoConfig { connect_timeout: Duration::from_millis(200), ..quiet() });
    let mut idle = server.websocket().await;
    let mut socket = joined(&server).await;
    assert!(idle.closes().await);
    until("one session is left", || io.session_count() == 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    socket.send("41").await;
    assert!(socket.is_silent().await);
    assert!(socket.closes().await);
    // One that is refused in time is not joined.
    let mut refused = server.websocket().await;
    refused.send("40/a,{\"refuse\":1}").await;
    refused.expect("44/a,").await;
    assert!(refused.closes().await);
}

#[tokio::test]
async fn what_is_not_expected_closes() {
    let (server, _, log) = server();
    for packet in ["40", "42/a,[\"echo\"]", "43/a,1[]", "41/a,", "44", "44{\"message\":\"x\"}", "42/b,[\"echo\"]"] {
        let mut socket = joined(&server).await;
        socket.send(packet).await;
        assert!(socket.closes().await, "{packet}");
        assert_eq!(logged(&log).await, "forced server close", "{packet}");
    }
}

#[tokio::test]
async fn bad_packets_close() {
    let (server, _, log) = server();
    for packet in [
        "42{}",
        "42abc[\"echo\"]",
        "4abc",
        "4",
        "42",
        "42[]",
        "42[null]",
        "42[\"echo\"",
        "42[\"connect\"]",
        "42[\"connect_error\"]",
        "42[\"disconnect\"]",
        "42[\"disconnecting\"]",
        "42[\"newListener\"]",
        "42[\"removeListener\"]",
        "429007199254740993[\"echo\"]",
        "431{}",
        "41{}",
        "45[\"echo\"]",
        "4511-[\"echo\"]",
        "451-[\"echo\",{\"_placeholder\":true,\"num\":1}]",
    ] {
        let mut socket = joined(&server).await;
        socket.send(packet).await;
        assert!(socket.closes().await, "{packet}");
        assert_eq!(logged(&log).await, "forced close", "{packet}");
    }
}

#[tokio::test]
async fn attachments_are_exactly_those_announced() {
    let (server, ..) = server();
    let header = "451-[\"echo\",{\"_placeholder\":true,\"num\":0}]";
    let mut socket = joined(&server).await;
    socket.send(header).await;
    socket.send("42[\"echo\"]").await;
    assert!(socket.closes().await);
    let mut socket = joined(&server).await;
    socket.send_binary(b"x").await;
    assert!(socket.closes().await);
    let mut socket = joined(&server).await;
    socket.send(header).await;
    socket.send_binary(b"x").await;
    socket.send_binary(b"y").await;
    socket.expect(header).await;
    assert!(socket.closes().await);
}

#[tokio::test]
async fn events_are_handled_in_order_and_acked_once() {
    let (server, ..) = server();
    let mut socket = joined(&server).await;
    socket.send("421[\"late\",100]").await;
    socket.send("422[\"late\",1]").await;
    socket.send("429007199254740992[\"echo\",1,\"2\",{\"3\":[false]}]").await;
    socket.send("423[\"nothing\"]").await;
    socket.send("424[\"none\"]").await;
    socket.send("42[7]").await;
    socket.send("425[\"nobody listens\"]").await;
    socket.send("426[\"echo\"]").await;
    for ack in ["431[[100]]", "432[[1]]", "439007199254740992[1,\"2\",{\"3\":[false]}]", "433[]", "436[]"] {
        assert_eq!(socket.text().await, ack);
    }
    assert!(socket.is_silent().await);
}

#[tokio::test]
async fn binary_events_and_acks_pass_both_ways() {
    let (server, _, log) = server();
    let mut socket = joined(&server).await;
    let placeholders = "{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}";
    socket.send(&format!("452-[\"echo\",{placeholders}]")).await;
    socket.send_binary(&[1]).await;
    socket.send_binary(&[2, 3]).await;
    assert_eq!(socket.text().await, format!("452-[\"echo\",{placeholders}]"));
    assert_eq!(socket.next().await, Frame::Binary(vec![1]));
    assert_eq!(socket.next().await, Frame::Binary(vec![2, 3]));

    socket.send(&format!("452-7[\"echo\",{placeholders}]")).await;
    socket.send_binary(&[1]).await;
    socket.send_binary(&[]).await;
    assert_eq!(socket.text().await, format!("462-7[{placeholders}]"));
    assert_eq!(socket.next().await, Frame::Binary(vec![1]));
    assert_eq!(socket.next().await, Frame::Binary(vec![]));

    socket.send("42[\"ask\"]").await;
    socket.expect("420[\"question\",1]").await;
    socket.send("461-0[{\"_placeholder\":true,\"num\":0}]").await;
    socket.send_binary(&[9]).await;
    assert!(logged(&log).await.ends_with(" 1"));
    // No attachments announced, none come.
    socket.send("450-[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn acks_from_clients_come_in_time_or_not_at_all() {
    let (server, _, log) = server();
    let mut socket = joined(&server).await;
    socket.send("42[\"ask\"]").await;
    socket.expect("420[\"question\",1]").await;
    socket.send("430[1,\"x\"]").await;
    assert_eq!(logged(&log).await, "[Number(1), String(\"x\")] 0");
    // Twice, or to nothing: ignored.
    socket.send("430[1]").await;
    socket.send("4399[1]").await;
    socket.send("42[\"ask\"]").await;
    socket.expect("421[\"question\",1]").await;
    assert_eq!(logged(&log).await, AckError::Timeout.to_string());
    socket.send("42[\"ask\"]").await;
    socket.expect("422[").await;
    socket.send("41").await;
    assert_eq!(logged(&log).await, "client namespace disconnect");
    assert_eq!(logged(&log).await, AckError::Disconnected.to_string());
}

#[tokio::test]
async fn pending_acks_are_bounded() {
    let (server, _, log) = server_with(SocketIoConfig { max_pending_acks: 2, ..quiet() });
    let mut socket = joined(&server).await;
    for _ in 0..3 {
        socket.send("42[\"ask\"]").await;
    }
    assert_eq!(logged(&log).await, AckError::TooMany.to_string());
}

#[tokio::test]
async fn leaving_one_namespace_leaves_the_others() {
    let (server, io, log) = server();
    let mut socket = joined(&server).await;
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
    socket.expect("42/a,").await;
    socket.send("41/a,").await;
    assert_eq!(logged(&log).await, "client namespace disconnect");
    assert_eq!(io.namespace("/a").unwrap().to("all").emit("x", &1), 0);
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
    // It may come back at once, and is another socket then.
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
    socket.expect("42/a,").await;
    socket.send("41/a").await;
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
}

#[tokio::test]
async fn one_put_out_by_the_server_has_a_grace() {
    let (server, io, log) = server_with(SocketIoConfig { left_grace: Duration::from_millis(200), ..quiet() });
    let mut socket = joined(&server).await;
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
    socket.expect("42/a,").await;
    socket.send("42/a,[\"leave me\"]").await;
    socket.send("42/a,[\"echo\",1]").await;
    assert_eq!(socket.text().await, "41/a,");
    assert_eq!(logged(&log).await, "server namespace disconnect");
    socket.send("42/a,[\"echo\",2]").await;
    socket.send("43/a,1[]").await;
    socket.send("41/a,").await;
    socket.send("42[\"echo\",3]").await;
    assert_eq!(socket.text().await, "42[\"echo\",3]");
    assert_eq!(io.namespace("/a").unwrap().socket_count(), 0);
    tokio::time::sleep(Duration::from_millis(250)).await;
    socket.send("42/a,[\"echo\",4]").await;
    assert!(socket.closes().await);
}

#[tokio::test]
async fn an_event_before_the_connect_answer_closes() {
    let (server, ..) = server();
    let mut socket = server.websocket().await;
    socket.send("40{\"slow\":1}").await;
    socket.send("42[\"echo\",1]").await;
    assert!(socket.closes().await);
}

#[tokio::test]
async fn one_that_goes_while_it_is_let_in_leaves_nothing() {
    let (server, io, _) = server();
    let mut socket = server.websocket().await;
    socket.send("40{\"slow\":1}").await;
    socket.vanish();
    until("no session", || io.session_count() == 0).await;
    assert_eq!(io.namespace("/").unwrap().to("all").emit("x", &1), 0);
}

#[tokio::test]
async fn rooms_reach_each_socket_once_and_not_the_sender() {
    let (server, io, _) = server();
    let mut first = joined(&server).await;
    let mut second = joined(&server).await;
    let namespace = io.namespace("/").unwrap();
    let ids = namespace.sockets_in("all");
    assert_eq!(ids.len(), 2);
    assert_eq!(namespace.to("all").join("more"), 2);
    let reached = namespace.to("all").to("more").to(&ids[0]).emit("x", &1);
    assert_eq!(reached, 2);
    assert_eq!(namespace.all().emit("x", &2), 2);
    assert_eq!(namespace.to("nobody").emit("x", &3), 0);
    for socket in [&mut first, &mut second] {
        assert_eq!(socket.text().await, "42[\"x\",1]");
        assert_eq!(socket.text().await, "42[\"x\",2]");
        assert!(socket.is_silent().await);
    }
    assert_eq!(namespace.to("all").except(&ids[1]).emit("x", &4), 1);
    assert_eq!(namespace.to(&ids[1]).emit("x", &5), 1);
    let mut texts = [first.text().await, second.text().await];
    texts.sort();
    assert_eq!(texts, ["42[\"x\",4]", "42[\"x\",5]"]);
    namespace.to("all").leave("more");
    assert_eq!(namespace.to("more").emit("x", &1), 0);
    namespace.to(&ids[0]).disconnect();
    until("one has left", || namespace.socket_count() == 1).await;
}

#[tokio::test]
async fn broadcasts_of_one_thread_are_seen_in_its_order_by_all() {
    let (server, io, _) = server();
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(joined(&server).await);
    }
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let namespace = io.namespace("/").unwrap();
            std::thread::spawn(move || {
                for number in 0..500 {
                    namespace.to("all").emit("n", &(thread, number));
                }
            })
        })
        .collect();
    for socket in &mut sockets {
        let mut next = [0; 4];
        for _ in 0..2000 {
            let text = socket.text().await;
            let event: (String, (usize, usize)) = serde_json::from_str(&text[2..]).unwrap();
            let (thread, number) = event.1;
            assert_eq!(next[thread], number);
            next[thread] += 1;
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn a_binary_broadcast_is_never_torn_apart() {
    let (server, io, _) = server();
    let mut socket = joined(&server).await;
    let arguments = switchboard::socketio::Arguments {
        values: vec![json!({"_placeholder": true, "num": 0})],
        attachments: vec![vec![1].into()],
    };
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (namespace, arguments) = (io.namespace("/").unwrap(), arguments.clone());
            std::thread::spawn(move || {
                for _ in 0..500 {
                    namespace.to("all").emit_arguments("b", &arguments);
                    namespace.to("all").emit("t", &1);
                }
            })
        })
        .collect();
    for _ in 0..4000 {
        if socket.expect("4").await.starts_with("45") {
            assert_eq!(socket.next().await, Frame::Binary(vec![1]));
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn rooms_and_namespaces_of_one_connection_are_bounded() {
    let log = Log::default();
    let config = SocketIoConfig { max_rooms: 3, max_namespaces: 2, ..quiet() };
    let io = SocketIo::builder(EngineConfig::default(), config)
        .namespace(namespace("/", &log))
        .namespace(namespace("/a", &log))
        .namespace(namespace("/b", &log))
        .build();
    let server = Server::start(io.clone());
    let mut socket = joined(&server).await;
    let all = io.namespace("/").unwrap();
    let joined: usize = (0..5).map(|room| all.to("all").join(format!("room {room}"))).sum();
    assert_eq!(joined, 2);
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
    socket.expect("42/a,").await;
    socket.send("40/b,").await;
    socket.expect("44/b,").await;
}

#[tokio::test]
async fn ten_thousand_rooms_are_left_at_once() {
    let (server, io, _) = server();
    let socket = joined(&server).await;
    let all = io.namespace("/").unwrap();
    for room in 0..10_000 {
        assert_eq!(all.to("all").join(format!("room {room}")), 1);
    }
    socket.vanish();
    until("all rooms are empty", || all.to("room 9999").emit("x", &1) == 0 && all.to("all").emit("x", &1) == 0).await;
}

#[tokio::test]
async fn a_full_event_queue_stops_the_reading_and_loses_nothing() {
    let log = Log::default();
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&handled);
    let config = SocketIoConfig { max_queued_events: 4, ..quiet() };
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let namespace = namespace("/", &log).on("gated", move |_: Socket<Value>, _: Event| {
        let (gate, counted) = (Arc::clone(&gate), Arc::clone(&counted));
        async move {
            gate.acquire().await.unwrap().forget();
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let io = SocketIo::builder(EngineConfig::default(), config).namespace(namespace).build();
    let server = Server::start(io);
    let mut socket = joined(&server).await;
    let padding = "x".repeat(10_000);
    let packet = format!("42[\"gated\",\"{padding}\"]");
    // More than the buffers on the way hold, so that the client cannot go on writing.
    let writing = async {
        for _ in 0..3000 {
            socket.send(&packet).await;
        }
    };
    let stuck = tokio::time::timeout(Duration::from_millis(800), writing).await;
    assert!(stuck.is_err(), "the reading has stopped");
    assert_eq!(handled.load(Ordering::SeqCst), 0);
    opened.add_permits(1_000_000);
    until("some were handled", || handled.load(Ordering::SeqCst) > 100).await;
}

#[tokio::test]
async fn stay_away_puts_clients_out() {
    let (server, io, log) = server();
    let mut socket = joined(&server).await;
    io.close(CloseKind::StayAway).await;
    assert_eq!(socket.text().await, "41");
    assert_eq!(logged(&log).await, "server namespace disconnect");
    assert!(socket.closes().await);
}
