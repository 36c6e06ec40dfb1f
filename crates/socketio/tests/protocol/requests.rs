//! The order of checks, and what each answers: a test a row of the table.

use crate::support::{Answer, Frame, Server, WebSocket, quiet};
use actix_socketio::{ConnectRefusal, Namespace, SocketIo, SocketIoBuilder};
use engineio::{CorsConfig, EngineConfig, Origins};

fn builder(engine: EngineConfig) -> SocketIoBuilder {
    SocketIo::builder(engine, quiet()).namespace(Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }))
}

fn server() -> Server {
    Server::start(builder(EngineConfig::default()).build())
}

fn assert_refused(answer: &Answer, status: u16, code: u8, message: &str) {
    assert_eq!(answer.status, status);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.body, serde_json::json!({"code": code, "message": message}).to_string());
}

#[tokio::test]
async fn unknown_transport_is_code_0() {
    let server = server();
    let mut http = server.http().await;
    for query in [
        "",
        "EIO=4",
        "EIO=4&transport=",
        "EIO=4&transport=abc",
        "EIO=4&transport=constructor",
        "EIO=4&transport=__proto__",
        "EIO=4&transport=webtransport",
        "transport=abc&sid=x",
        "transport=%FF%FE",
    ] {
        let answer = http.get(&format!("/socket.io/?{query}")).await;
        assert_refused(&answer, 400, 0, "Transport unknown");
    }
}

#[tokio::test]
async fn unknown_session_is_code_1() {
    let server = server();
    let mut http = server.http().await;
    for sid in ["x", "constructor", "__proto__", "%00", "%FF", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        // The version is not looked at.
        for path in [
            format!("/socket.io/?transport=polling&sid={sid}"),
            format!("/socket.io?EIO=3&transport=polling&sid={sid}"),
        ] {
            let answer = http.get(&path).await;
            assert_refused(&answer, 400, 1, "Session ID unknown");
            let answer = server.http().await.post(&path, "4x").await;
            assert_refused(&answer, 400, 1, "Session ID unknown");
        }
    }
}

#[tokio::test]
async fn handshake_that_is_no_get_is_code_2() {
    let server = server();
    let mut http = server.http().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        // Before the version.
        let answer = http.request(method, "/socket.io/?transport=polling", &[], "").await;
        assert_refused(&answer, 400, 2, "Bad handshake method");
    }
}

#[tokio::test]
async fn another_transport_than_the_sessions_is_code_3() {
    let server = server();
    let poller = server.poller().await;
    let path = format!("/socket.io/?EIO=4&transport=websocket&sid={}", poller.sid);
    let answer = server.http().await.get(&path).await;
    assert_refused(&answer, 400, 3, "Bad request");
}

#[tokio::test]
async fn websocket_without_upgrade_header_is_code_3() {
    let server = server();
    let mut http = server.http().await;
    // Before the version.
    for query in ["EIO=4&transport=websocket", "EIO=3&transport=websocket"] {
        let answer = http.get(&format!("/socket.io/?{query}")).await;
        assert_refused(&answer, 400, 3, "Bad request");
    }
}

#[tokio::test]
async fn refused_by_the_hook_is_code_4() {
    let io =
        builder(EngineConfig::default())
            .allow_request(|request| {
                if request.headers().contains_key("x-secret") { Ok(()) } else { Err("Forbidden".to_owned()) }
            })
            .build();
    let server = Server::start(io);
    let mut http = server.http().await;
    // Before the version.
    for query in ["EIO=4&transport=polling", "EIO=3&transport=polling"] {
        let answer = http.get(&format!("/socket.io/?{query}")).await;
        assert_refused(&answer, 403, 4, "Forbidden");
    }
    let path = "/socket.io/?EIO=4&transport=polling";
    let answer = http.request("GET", path, &[("X-Secret", "1")], "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn another_version_is_code_5() {
    let server = server();
    let mut http = server.http().await;
    for query in ["transport=polling", "EIO=3&transport=polling", "EIO=abc&transport=polling"] {
        let answer = http.get(&format!("/socket.io/?{query}")).await;
        assert_refused(&answer, 400, 5, "Unsupported protocol version");
    }
}

#[tokio::test]
async fn an_upgrade_request_is_refused_in_text_and_the_connection_closed() {
    let io = builder(EngineConfig::default())
        .allow_request(|request| match request.headers().get("x-refuse") {
            None => Ok(()),
            Some(_) => Err("Forbidden".to_owned()),
        })
        .build();
    let server = Server::start(io);
    let refused = async |query: &str, headers: &[(&str, &str)]| {
        let path = format!("/socket.io/?{query}");
        let answer = WebSocket::connect_with(server.address, &path, headers).await.err().unwrap();
        assert_eq!(answer.status, 400);
        assert_eq!(answer.headers["connection"], "close");
        answer.body
    };
    assert_eq!(refused("EIO=4&transport=abc", &[]).await, "Transport unknown");
    assert_eq!(refused("EIO=4&transport=websocket&sid=x", &[]).await, "Session ID unknown");
    assert_eq!(refused("EIO=3&transport=websocket", &[]).await, "Unsupported protocol version");
    assert_eq!(refused("EIO=4&transport=websocket", &[("X-Refuse", "1")]).await, "Forbidden");
}

#[tokio::test]
async fn an_upgrade_of_an_upgraded_session_is_closed_and_the_session_unharmed() {
    let server = server();
    let poller = server.poller().await;
    let mut first = poller.upgrade().await;
    first.send("2probe").await;
    first.expect("3probe").await;
    // While it is upgrading.
    let mut second = poller.upgrade().await;
    assert_eq!(second.next().await, Frame::Close(None));
    first.send("5").await;
    first.send("40").await;
    first.expect("40{").await;
    // And when it is upgraded.
    let mut third = poller.upgrade().await;
    assert_eq!(third.next().await, Frame::Close(None));
    first.send("41").await;
    assert!(first.is_silent().await);
}

/// Each request is wrong in two ways; what comes first in the order answers.
#[tokio::test]
async fn checks_come_in_their_order() {
    let io = builder(EngineConfig::default()).allow_request(|_| Err("Forbidden".to_owned())).build();
    let server = Server::start(io);
    for (method, query, code) in [
        ("POST", "EIO=3&transport=x&sid=unknown", 0),
        ("POST", "EIO=3&transport=websocket&sid=unknown", 1),
        ("POST", "EIO=3&transport=websocket", 2),
        ("GET", "EIO=3&transport=websocket", 3),
        ("GET", "EIO=3&transport=polling", 4),
    ] {
        let answer = server.http().await.request(method, &format!("/socket.io/?{query}"), &[], "").await;
        assert!(answer.body.starts_with(&format!("{{\"code\":{code},")), "{method} {query}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_opening_packet_has_just_these_keys() {
    let server = server();
    let answer = server.http().await.get("/socket.io/?EIO=4&transport=polling").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/plain; charset=UTF-8");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(
        answer
            .body
            .ends_with(r#"","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#)
    );
    assert_eq!(&answer.body[..9], "0{\"sid\":\"");
    assert_eq!(answer.body[9..].find('"'), Some(28));
    let mut socket = WebSocket::connect(server.address, "/socket.io?EIO=4&transport=websocket").await.ok().unwrap();
    assert!(socket.text().await.contains(r#""upgrades":[],"#));
}

#[tokio::test]
async fn cors_headers_stand_on_errors_too_and_a_preflight_is_204() {
    let engine = EngineConfig {
        cors: CorsConfig { origins: Origins::Only(vec!["https://good.example".to_owned()]), credentials: true },
        ..EngineConfig::default()
    };
    let server = Server::start(builder(engine).build());
    let mut http = server.http().await;
    let good = [("Origin", "https://good.example")];
    let bad = [("Origin", "https://bad.example")];

    let answer = http.request("GET", "/socket.io/?EIO=4", &good, "").await;
    assert_refused(&answer, 400, 0, "Transport unknown");
    assert_eq!(answer.headers["access-control-allow-origin"], "https://good.example");
    assert_eq!(answer.headers["access-control-allow-credentials"], "true");
    assert_eq!(answer.headers["vary"], "Origin");

    let mut asked = good.to_vec();
    asked.push(("Access-Control-Request-Headers", "x-a"));
    let answer = http.request("OPTIONS", "/socket.io/", &asked, "").await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(answer.headers["access-control-allow-headers"], "x-a");
    assert_eq!(answer.headers["access-control-allow-origin"], "https://good.example");

    let path = "/socket.io/?EIO=4&transport=polling";
    assert_eq!(http.request("GET", path, &good, "").await.status, 200);
    let answer = http.request("GET", path, &bad, "").await;
    assert_refused(&answer, 403, 4, "Forbidden");
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let path = "/socket.io/?EIO=4&transport=websocket";
    let refused = WebSocket::connect_with(server.address, path, &bad).await.err();
    assert_eq!(refused.unwrap().body, "Forbidden");
    assert!(WebSocket::connect_with(server.address, path, &good).await.is_ok());
}

#[tokio::test]
async fn limits_are_refused_cleanly_and_places_come_back() {
    let engine = EngineConfig { max_sessions_per_address: 2, ..EngineConfig::default() };
    let io = builder(engine).build();
    let server = Server::start(io.clone());
    let first = server.websocket().await;
    let _second = server.poller().await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let answer = server.http().await.get(path).await;
    assert_refused(&answer, 403, 4, "Too many sessions");
    first.remove();
    crate::support::until("the place is free", || io.session_count() == 1).await;
    assert_eq!(server.http().await.get(path).await.status, 200);
    assert_eq!(server.http().await.get(&format!("{path}&{}", "x".repeat(5000))).await.status, 400);
}

#[tokio::test]
async fn handshakes_a_second_are_limited() {
    let engine = EngineConfig { max_handshakes_per_second: 3, ..EngineConfig::default() };
    let server = Server::start(builder(engine).build());
    let mut http = server.http().await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(http.get(path).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 403, 403]);
}
