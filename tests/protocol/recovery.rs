//! Clients that come back: with everything they missed, or told that they must fetch it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::support::{Frame, Server, WebSocket, until};
use serde_json::{Value, json};
use switchboard::{
    engineio::EngineConfig,
    socketio::{
        CloseKind, ConnectRefusal, DisconnectReason, Event, Handshake, Namespace, NamespaceHandle, RecoveryConfig,
        Socket, SocketIo, SocketIoConfig,
    },
};

type Log = Arc<Mutex<Vec<String>>>;

struct World {
    server: Server,
    io: SocketIo,
    log: Log,
}

impl World {
    fn new() -> Self {
        Self::with(EngineConfig::default(), RecoveryConfig::default())
    }

    fn with(engine: EngineConfig, recovery: RecoveryConfig) -> Self {
        let log = Log::default();
        let (came, left) = (Arc::clone(&log), Arc::clone(&log));
        let config = SocketIoConfig { recovery: Some(recovery), ..SocketIoConfig::default() };
        let namespace = Namespace::<String>::new("/", |handshake: Handshake| async move {
            let auth = handshake.auth.unwrap_or_default();
            match auth.get("token").and_then(Value::as_str) {
                Some(token) => Ok(token.to_owned()),
                None => Err(ConnectRefusal::new("no token")),
            }
        })
        .recover_if(|old, new| old == new)
        .on_connect(move |socket: Socket<String>| {
            let came = Arc::clone(&came);
            async move {
                came.lock().unwrap().push(format!("came {}", socket.recovered()));
                socket.join("always");
                socket.emit("hello", &socket.recovered());
            }
        })
        .on("join", |socket: Socket<String>, event: Event| async move {
            Some(socket.join(event.first::<String>().unwrap()))
        })
        .on("slow", |_: Socket<String>, _: Event| async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
        })
        .on_disconnect(move |_: Socket<String>, reason: DisconnectReason| {
            let left = Arc::clone(&left);
            async move { left.lock().unwrap().push(format!("left {reason}")) }
        });
        let io = SocketIo::builder(engine, config).namespace(namespace).build();
        Self { server: Server::start(io.clone()), io, log }
    }

    fn namespace(&self) -> NamespaceHandle {
        self.io.namespace("/").unwrap()
    }

    async fn client(&self, auth: Value) -> Client {
        let mut socket = self.server.websocket().await;
        socket.send(&format!("40{auth}")).await;
        let mut missed = Vec::new();
        let mut last = Value::Null;
        loop {
            let text = socket.text().await;
            if let Some(answer) = text.strip_prefix("40") {
                let answer: Value = serde_json::from_str(answer).unwrap();
                let mut client = Client {
                    socket,
                    missed,
                    sid: answer["sid"].as_str().unwrap().to_owned(),
                    pid: answer["pid"].as_str().unwrap().to_owned(),
                    last,
                };
                // Broadcasts may come in between, as it is in its rooms already.
                loop {
                    let event = client.event().await;
                    if event[0] == "hello" {
                        return client;
                    }
                    client.missed.push(event[1].clone());
                }
            }
            let event: Value = serde_json::from_str(&text[2..]).unwrap();
            last = event[2].clone();
            missed.push(event[1].clone());
        }
    }

    async fn back(&self, client: &Client) -> Client {
        self.client(client.auth()).await
    }

    async fn settled(&self) {
        until("the client is away", || self.namespace().socket_count() == 0).await;
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

struct Client {
    socket: WebSocket,
    /// First arguments of the events before the greeting.
    missed: Vec<Value>,
    sid: String,
    pid: String,
    /// The last event's last argument, as a stock client keeps it.
    last: Value,
}

impl Client {
    async fn event(&mut self) -> Value {
        let text = self.socket.expect("42").await;
        let event: Value = serde_json::from_str(&text[2..]).unwrap();
        self.last = event[event.as_array().unwrap().len() - 1].clone();
        assert!(self.last.is_string(), "every event ends with an offset");
        event
    }

    fn auth(&self) -> Value {
        json!({"pid": self.pid, "offset": self.last, "token": "mine"})
    }

    async fn join(&mut self, room: &str) {
        self.socket.send(&format!("429[\"join\",\"{room}\"]")).await;
        self.socket.expect("439[true]").await;
    }
}

fn mine() -> Value {
    json!({"token": "mine"})
}

#[tokio::test]
async fn what_was_missed_comes_before_the_connect_answer_and_rooms_are_as_they_were() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.join("room").await;
    let room = world.namespace();
    room.to("room").emit("n", &1);
    client.event().await;
    client.socket.frame(0x88, &[]).await;
    world.settled().await;
    assert_eq!(room.to("room").emit("n", &2), 0);
    room.to("room").volatile().emit("n", &"volatile");
    room.to("another").emit("n", &"not for it");
    room.to("room").to("always").emit("n", &3);
    let mut back = world.back(&client).await;
    assert_eq!(back.missed, [2, 3]);
    assert_eq!((&back.sid, &back.pid), (&client.sid, &client.pid));
    assert_eq!(room.to("room").emit("n", &4), 1);
    assert_eq!(back.event().await[1], 4);
    assert_eq!(world.log(), ["came false", "left transport close", "came true"]);
}

#[tokio::test]
async fn a_client_that_got_no_event_needs_no_offset() {
    let world = World::new();
    let client = world.client(mine()).await;
    client.socket.vanish();
    world.settled().await;
    world.namespace().to("always").emit("n", &1);
    let auth = json!({"pid": client.pid, "token": "mine"});
    // It did not even get the greeting.
    let back = world.client(auth).await;
    assert_eq!((back.sid, back.missed), (client.sid, vec![json!(false), json!(1)]));
}

#[tokio::test]
async fn an_offset_from_before_this_socket_counts_as_none() {
    let world = World::new();
    let first = world.client(mine()).await;
    let second = world.client(mine()).await;
    second.socket.vanish();
    // A stock client keeps its offset when it gets a new secret.
    let auth = json!({"pid": second.pid, "offset": first.last, "token": "mine"});
    let back = world.client(auth).await;
    assert_eq!((back.sid, back.missed), (second.sid, vec![json!(false)]));
}

#[tokio::test]
async fn a_live_session_is_taken_over_by_its_secret() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.join("room").await;
    // The old connection stays open and silent, and swallows what is sent.
    for number in 0..100 {
        assert_eq!(world.namespace().to("room").emit("n", &number), 1);
    }
    let back = world.back(&client).await;
    assert_eq!(back.sid, client.sid);
    assert_eq!(back.missed, (0..100).map(Value::from).collect::<Vec<_>>());
    assert_eq!(world.log(), ["came false", "left transport close", "came true"]);
    assert!(client.socket.closes().await);
    assert_eq!(world.namespace().socket_count(), 1);
    until("the old session is gone", || world.io.session_count() == 1).await;
}

#[tokio::test]
async fn a_takeover_waits_for_the_old_connections_handlers() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.socket.send("42[\"slow\"]").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let back = world.back(&client).await;
    assert_eq!(back.sid, client.sid);
    assert_eq!(world.log(), ["came false", "left transport close", "came true"]);
}

/// Its greeting is not waited for for ever, and the client then gets what it missed from its own connection, once.
#[tokio::test]
async fn a_greeting_that_outlives_its_connection_says_nothing_to_the_next_one() {
    let gate = Arc::new(tokio::sync::Semaphore::new(1));
    let [greeted, left] = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let (greeting, opening, leaving) = (Arc::clone(&greeted), Arc::clone(&gate), Arc::clone(&left));
    let recovery = RecoveryConfig { takeover_timeout: Duration::from_millis(200), ..RecoveryConfig::default() };
    let config = SocketIoConfig { recovery: Some(recovery), ..SocketIoConfig::default() };
    let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
        .on_connect(move |socket: Socket<()>| {
            let gate = Arc::clone(&opening);
            greeting.fetch_add(1, Ordering::SeqCst);
            async move {
                socket.join("always");
                gate.acquire().await.unwrap().forget();
            }
        })
        .on_disconnect(move |_: Socket<()>, _: DisconnectReason| {
            leaving.fetch_add(1, Ordering::SeqCst);
            async {}
        });
    let io = SocketIo::builder(EngineConfig::default(), config).namespace(namespace).build();
    let server = Server::start(io.clone());
    let mut first = server.websocket().await;
    first.send("40").await;
    let answer = first.expect("40").await;
    let secret: Value = serde_json::from_str(&answer[2..]).unwrap();
    let connect = format!("40{}", json!({"pid": secret["pid"]}));

    let mut second = server.websocket().await;
    second.send(&connect).await;
    until("the second is greeted", || greeted.load(Ordering::SeqCst) == 2).await;
    io.namespace("/").unwrap().to("always").emit("n", &1);
    let mut third = server.websocket().await;
    third.send(&connect).await;
    until("the third is greeted", || greeted.load(Ordering::SeqCst) == 3).await;
    // Who waits longest is let go first.
    gate.add_permits(1);
    until("the second has left", || left.load(Ordering::SeqCst) == 2).await;
    gate.add_permits(1);
    third.expect("42[\"n\",1,").await;
    assert_eq!(third.expect("40").await, answer);
}

#[tokio::test]
async fn a_forged_or_foreign_secret_gets_nothing() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.join("room").await;
    world.namespace().to("room").emit("n", &1);
    for (pid, token) in [("x", "mine"), ("AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "mine"), (client.pid.as_str(), "another's")] {
        let auth = json!({"pid": pid, "offset": client.last, "token": token});
        let forger = world.client(auth).await;
        assert_ne!(forger.sid, client.sid);
        assert_ne!(forger.pid, client.pid);
        assert!(forger.missed.is_empty());
    }
    // Without a good token it is not even asked for.
    let mut socket = world.server.websocket().await;
    let auth = json!({"pid": client.pid, "offset": client.last});
    socket.send(&format!("40{auth}")).await;
    socket.expect("44{\"message\":\"no token\"}").await;
    // Its owner did not notice.
    assert_eq!(client.event().await[1], 1);
}

#[tokio::test]
async fn of_many_with_one_secret_one_has_it_at_a_time() {
    let world = World::new();
    let client = world.client(mine()).await;
    let connect = format!("40{}", client.auth());
    let mut rivals = Vec::new();
    for _ in 0..5 {
        rivals.push(world.server.websocket().await);
    }
    for rival in &mut rivals {
        rival.send(&connect).await;
    }
    let mut with_it = 0;
    for rival in &mut rivals {
        // Its answer, unless another one has taken over before.
        while let Frame::Text(text) = rival.next().await {
            if text.starts_with("40") {
                with_it += usize::from(text.contains(&client.sid));
                break;
            }
        }
    }
    assert!(with_it >= 1);
    until("one has it", || {
        let ids = world.namespace().sockets_in("always");
        ids.iter().filter(|id| ***id == *client.sid).count() == 1
    })
    .await;
}

#[tokio::test]
async fn one_that_left_on_purpose_has_nothing_to_come_back_to() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.socket.send("41").await;
    world.settled().await;
    let back = world.back(&client).await;
    assert_ne!(back.sid, client.sid);

    let mut client = back;
    world.namespace().to(&client.sid).disconnect();
    client.socket.expect("41").await;
    until("it has left", || world.namespace().socket_count() == 0).await;
    assert_ne!(world.back(&client).await.sid, client.sid);
}

#[tokio::test]
async fn after_too_long_it_is_told() {
    let recovery = RecoveryConfig { max_disconnection: Duration::from_millis(150), ..RecoveryConfig::default() };
    let world = World::with(EngineConfig::default(), recovery);
    let mut client = world.client(mine()).await;
    client.join("room").await;
    let again = world.client(mine()).await;
    client.socket.frame(0x88, &[]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let auth = again.auth();
    again.socket.vanish();
    let again_back = world.client(auth).await;
    assert_eq!(again_back.sid, again.sid);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let back = world.back(&client).await;
    assert_ne!(back.sid, client.sid);
    assert!(back.missed.is_empty());
    assert_eq!(world.namespace().to("room").emit("n", &1), 0);
    // The other one came back in time and is still there.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.namespace().socket_count(), 2);
}

#[tokio::test]
async fn more_than_is_kept_is_told_not_hidden() {
    let recovery = RecoveryConfig { max_packets: 10, ..RecoveryConfig::default() };
    let world = World::with(EngineConfig::default(), recovery);
    let client = world.client(mine()).await;
    client.socket.vanish();
    world.settled().await;
    for number in 0..10 {
        world.namespace().to("always").emit("n", &number);
    }
    let client = world.client(json!({"pid": client.pid, "offset": client.last, "token": "mine"})).await;
    assert_eq!(client.missed.len(), 10);
    let auth = client.auth();
    client.socket.vanish();
    world.settled().await;
    for number in 0..11 {
        world.namespace().to("always").emit("n", &number);
    }
    let back = world.client(auth).await;
    assert_ne!(back.sid, client.sid);
    assert!(back.missed.is_empty());
}

#[tokio::test]
async fn sockets_that_are_away_are_bounded_in_number() {
    let recovery = RecoveryConfig { max_sockets: 2, ..RecoveryConfig::default() };
    let world = World::with(EngineConfig::default(), recovery);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(world.client(mine()).await);
    }
    let kept: Vec<_> = clients.iter().map(|client| (client.sid.clone(), client.auth())).collect();
    for client in clients {
        client.socket.vanish();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    world.settled().await;
    let mut same = Vec::new();
    let mut backs = Vec::new();
    for (sid, auth) in kept {
        let back = world.client(auth).await;
        same.push(back.sid == sid);
        // It would be one more that is away.
        backs.push(back);
    }
    assert_eq!(same, [false, true, true]);
}

#[tokio::test]
async fn one_that_comes_and_goes_does_not_cost_the_others_their_places() {
    let world = World::with(EngineConfig::default(), RecoveryConfig { max_sockets: 3, ..RecoveryConfig::default() });
    let patient = world.client(mine()).await;
    let mut restless = world.client(mine()).await;
    let (sid, auth) = (patient.sid.clone(), patient.auth());
    patient.socket.vanish();
    until("one is left", || world.namespace().socket_count() == 1).await;
    for _ in 0..5 {
        let auth = restless.auth();
        restless.socket.vanish();
        world.settled().await;
        restless = world.client(auth).await;
    }
    assert_eq!(world.client(auth).await.sid, sid);
}

#[tokio::test]
async fn bytes_over_the_limit_of_a_socket_are_told_not_hidden() {
    for (length, kept) in [(100, true), (2000, false)] {
        let recovery = RecoveryConfig { max_bytes: 2000, ..RecoveryConfig::default() };
        let world = World::with(EngineConfig::default(), recovery);
        let client = world.client(mine()).await;
        let auth = client.auth();
        client.socket.vanish();
        world.settled().await;
        world.namespace().to("always").emit("n", &"x".repeat(length));
        assert_eq!(world.client(auth).await.sid == client.sid, kept, "{length} bytes");
    }
}

#[tokio::test]
async fn bytes_kept_for_all_together_are_bounded() {
    let limit = 100_000;
    let recovery = RecoveryConfig { max_total_bytes: limit, ..RecoveryConfig::default() };
    let world = World::with(EngineConfig::default(), recovery);
    let mut away = Vec::new();
    for number in 0..4 {
        let mut client = world.client(mine()).await;
        client.join(&format!("room {number}")).await;
        away.push((client.sid.clone(), client.auth()));
        client.socket.vanish();
        world.settled().await;
        // Three of them fit; each was sent to one socket alone.
        world.namespace().to(&format!("room {number}")).emit("n", &"x".repeat(limit / 4));
    }
    let mut recovered = Vec::new();
    for (sid, auth) in away {
        recovered.push(world.client(auth).await.sid == sid);
    }
    assert_eq!(recovered, [true, true, true, false]);
}

#[tokio::test]
async fn a_pong_lets_go_of_what_arrived() {
    let engine = EngineConfig { ping_interval: Duration::from_millis(100), ..EngineConfig::default() };
    let world = World::with(engine, RecoveryConfig::default());
    let mut client = world.client(mine()).await;
    world.namespace().to("always").emit("n", &1);
    let greeting = client.last.clone();
    client.event().await;
    client.socket.expect("2").await;
    client.socket.send("3").await;
    client.socket.expect("2").await;
    world.namespace().to("always").emit("n", &2);
    let auth = client.auth();
    client.socket.vanish();
    world.settled().await;
    let back = world.client(auth).await;
    assert_eq!((&back.sid, &back.missed), (&client.sid, &vec![json!(2)]));
    // One that pretends to have got less than it confirmed is told.
    back.socket.vanish();
    world.settled().await;
    let auth = json!({"pid": back.pid, "offset": greeting, "token": "mine"});
    assert_ne!(world.client(auth).await.sid, back.sid);
}

#[tokio::test]
async fn a_client_sent_elsewhere_may_come_back_too() {
    let world = World::new();
    let client = world.client(mine()).await;
    world.namespace().to("always").close_transports();
    world.settled().await;
    world.namespace().to("always").emit("n", &1);
    let back = world.back(&client).await;
    assert_eq!((back.sid, back.missed), (client.sid, vec![json!(1)]));
    world.io.close(CloseKind::GoElsewhere).await;
}

#[tokio::test]
async fn many_cuts_while_packets_flow_lose_double_and_mix_nothing() {
    let world = Arc::new(World::new());
    let client = world.client(mine()).await;
    let namespace = world.namespace();
    let sender = std::thread::spawn(move || {
        for number in 0..2000 {
            namespace.to("always").emit("n", &number);
            if number % 20 == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let mut seen: Vec<Value> = Vec::new();
    let sid = client.sid.clone();
    let mut client = client;
    let mut silent = Vec::new();
    let mut cut = 7;
    while seen.len() < 2000 {
        for _ in 0..cut.min(2000 - seen.len()) {
            let event = client.event().await;
            if event[0] == "n" {
                seen.push(event[1].clone());
            }
        }
        cut = cut * 5 % 97 + 1;
        let mut back = world.back(&client).await;
        assert_eq!(back.sid, sid);
        seen.extend(back.missed.drain(..).filter(|first| first.is_number()));
        // In one form both sides notice the cut, in the other only the client does.
        if cut % 2 == 0 {
            silent.push(client);
        } else {
            client.socket.vanish();
        }
        client = back;
    }
    sender.join().unwrap();
    assert_eq!(seen, (0..2000).map(Value::from).collect::<Vec<_>>());
}
