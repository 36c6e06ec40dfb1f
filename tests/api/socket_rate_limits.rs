//! Rate limits of one connection: of its events and of its CONNECT packets, whatever their namespace and name
//! (`decisions.md`, "Rate limits"). The sockets are polling sessions in which every packet is visible.
//!
//! A token bucket refills while a test runs, so the number of admitted packets is compared with the elapsed time.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{ApiServer, Backend, ScratchDatabase, SupportSession, TestUser};

const EVENTS: usize = 5;

async fn start(database: &ScratchDatabase, more: &[(&str, &str)]) -> ApiServer {
    let mut settings =
        vec![("SWITCHBOARD__LIMITS__ENABLED", "true"), ("SWITCHBOARD__LIMITS__SOCKET_EVENTS_PER_SECOND", "5")];
    settings.extend(more);
    ApiServer::start_with(database, &settings).await
}

/// Sends this many events in one payload. Returns the codes of their acknowledgements, in order.
async fn codes(socket: &SupportSession, count: usize) -> Vec<String> {
    let events: Vec<_> = (0..count).map(|n| format!("42/support,{n}{}", json!(["leave_conversation", {}]))).collect();
    socket.send(&events.join("\u{1e}")).await;
    let mut codes = Vec::new();
    while codes.len() < count {
        for packet in socket.poll().await {
            let ack = packet.strip_prefix(&format!("43/support,{}", codes.len())).unwrap_or_else(|| panic!("{packet}"));
            let ack: Value = serde_json::from_str(ack).unwrap();
            codes.push(ack[0]["error"]["code"].as_str().unwrap().to_owned());
        }
    }
    codes
}

#[tokio::test]
async fn rejoining_does_not_reset_the_rate_limit() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = start(&database, &[]).await;
    let john = TestUser::customer("john");
    let socket = SupportSession::open(&server).await;
    let (begun, mut handled) = (Instant::now(), 0);
    for _ in 0..10 {
        socket.connect(&john).await;
        let codes = codes(&socket, EVENTS).await;
        handled += codes.iter().filter(|code| *code == "VALIDATION_ERROR").count();
        assert!(codes.iter().all(|code| code == "VALIDATION_ERROR" || code == "RATE_LIMITED"), "{codes:?}");
        socket.send("41/support,").await;
    }
    let gained = begun.elapsed().as_secs_f64() * EVENTS as f64;
    assert!(handled >= EVENTS && handled as f64 <= EVENTS as f64 + gained.ceil(), "{handled} in {:?}", begun.elapsed());
}

#[tokio::test]
async fn events_beyond_the_limit_are_refused_and_each_socket_has_a_limit_of_its_own() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = start(&database, &[]).await;
    let socket = SupportSession::join(&server, &TestUser::customer("john")).await;
    let begun = Instant::now();
    let codes = codes(&socket, EVENTS + 1).await;
    assert!(codes[..EVENTS].iter().all(|code| code == "VALIDATION_ERROR"), "{codes:?}");
    let gained = begun.elapsed().as_secs_f64() * EVENTS as f64;
    assert!(gained >= 1.0 || codes[EVENTS] == "RATE_LIMITED", "{codes:?}");

    let token = TestUser::customer("john").token;
    socket.send(&format!("40/help-center,{}", json!({ "token": token }))).await;
    until(&socket, |packet| packet.contains("help_center:connected")).await;
    let typing = |n| format!("42/help-center,{n}{}", json!(["help_center:typing", { "isTyping": true }]));
    socket.send(&(0..EVENTS).map(typing).collect::<Vec<_>>().join("\u{1e}")).await;
    until(&socket, |packet| packet == format!("43/help-center,{}[{{}}]", EVENTS - 1)).await;
}

/// The packets up to the one that matches, and those that arrive with it.
async fn until(socket: &SupportSession, is_it: impl Fn(&str) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    while !all.iter().any(|packet: &String| is_it(packet)) {
        for packet in socket.poll().await {
            let is_last = is_it(&packet);
            assert!(is_last || packet != "1", "the session was closed: {all:?}");
            all.push(packet);
        }
    }
    all
}

#[tokio::test]
async fn an_unknown_event_counts_too() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let one = [("SWITCHBOARD__LIMITS__SOCKET_EVENTS_PER_SECOND", "1")];
    let server = start(&database, &one).await;
    let socket = SupportSession::join(&server, &TestUser::customer("john")).await;
    // One is admitted, eight are refused, and only the event with an acknowledgement is answered.
    let begun = Instant::now();
    let nonsense = "42/support,[\"nonsense\"]\u{1e}".repeat(9);
    socket.send(&format!("{nonsense}42/support,7[\"leave_conversation\",{{}}]")).await;
    let answer = socket.poll().await;
    assert!(begun.elapsed().as_secs() >= 1 || answer[0].contains("RATE_LIMITED"), "{answer:?}");
    assert_eq!(answer.len(), 1, "{answer:?}");
}

#[tokio::test]
async fn a_flooding_client_is_disconnected_whatever_its_events() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = start(&database, &[]).await;
    for event in ["leave_conversation", "nonsense"] {
        let socket = SupportSession::join(&server, &TestUser::customer("john")).await;
        let flood: Vec<_> = (0..5000).map(|n| format!("42/support,{n}{}", json!([event, {}]))).collect();
        let begun = Instant::now();
        let payload = flood.join("\u{1e}");
        let (_, heard) = tokio::join!(socket.try_send(&payload), until(&socket, |packet| packet == "1"));
        let answers = heard.iter().filter(|packet| packet.starts_with("43/support,")).count();
        assert_eq!(heard[heard.len() - 2..], ["41/support,", "1"], "{event}");
        let gained = begun.elapsed().as_secs_f64() * EVENTS as f64 * 11.0;
        assert!(answers as f64 <= EVENTS as f64 * 11.0 + gained.ceil(), "{answers} {event}");
        assert!(!socket.is_open().await);
    }
}

#[tokio::test]
async fn connects_are_limited_whatever_namespace_and_token() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let three = [("SWITCHBOARD__LIMITS__SOCKET_CONNECTS_PER_SECOND", "3")];
    let server = start(&database, &three).await;
    for (namespace, refused) in [("/support", "Unauthorized"), ("/nowhere", "Invalid namespace")] {
        let socket = SupportSession::open(&server).await;
        let begun = Instant::now();
        let mut answers = Vec::new();
        // One after another: a namespace must not be joined again while a join is pending.
        for _ in 0..20 {
            socket.send(&format!("40{namespace},{{\"token\":\"forged\"}}")).await;
            let answer = socket.poll().await.remove(0);
            let answer = answer.strip_prefix(&format!("44{namespace},")).unwrap_or_else(|| panic!("{answer}"));
            answers.push(serde_json::from_str::<Value>(answer).unwrap());
        }
        let asked = answers.iter().filter(|answer| answer["message"] == refused).count();
        let gained = begun.elapsed().as_secs_f64() * 3.0;
        assert!(answers[..3].iter().all(|answer| answer["message"] == refused), "{answers:?}");
        assert!(asked as f64 <= 3.0 + gained.ceil(), "{asked} in {:?}", begun.elapsed());
        let others = answers.iter().filter(|answer| answer["message"] != refused);
        assert!(others.into_iter().all(|answer| answer["data"] == json!({ "code": "RATE_LIMITED" })), "{answers:?}");
    }
    // Far beyond the limit, in a namespace that answers at once: a bucket of 3 and one of 30 admit as many.
    let socket = SupportSession::open(&server).await;
    let flood = vec!["40/nowhere,"; 5000];
    let begun = Instant::now();
    let payload = flood.join("\u{1e}");
    let (_, heard) = tokio::join!(socket.try_send(&payload), until(&socket, |packet| packet == "1"));
    assert!(heard.len() as f64 <= 34.0 + begun.elapsed().as_secs_f64().ceil() * 33.0, "{}", heard.len());
    assert!(!socket.is_open().await);
}
