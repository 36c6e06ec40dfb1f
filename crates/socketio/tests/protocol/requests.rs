//! The checks of a request, their order, and their responses.

use actix_socketio::{ConnectRefusal, CorsConfig, EngineConfig, Namespace, Origins, SocketIo, SocketIoBuilder};

use crate::support::{Frame, Response, Server, WebSocket, wait_until, without_recovery};

fn builder(engine: EngineConfig) -> SocketIoBuilder {
    SocketIo::builder(engine, without_recovery())
        .namespace(Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }))
}

fn server() -> Server {
    Server::start(builder(EngineConfig::default()).build())
}

fn assert_refused(response: &Response, status: u16, code: u8, message: &str) {
    assert_eq!(response.status, status);
    assert_eq!(response.headers["content-type"], "application/json");
    assert_eq!(response.body, serde_json::json!({"code": code, "message": message}).to_string());
}

#[tokio::test]
async fn an_unknown_transport_is_code_0() {
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
        let response = http.get(&format!("/socket.io/?{query}")).await;
        assert_refused(&response, 400, 0, "Transport unknown");
    }
}

#[tokio::test]
async fn an_unknown_session_is_code_1() {
    let server = server();
    let mut http = server.http().await;
    for sid in ["x", "constructor", "__proto__", "%00", "%FF", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        // The version is not checked.
        for path in [
            format!("/socket.io/?transport=polling&sid={sid}"),
            format!("/socket.io?EIO=3&transport=polling&sid={sid}"),
        ] {
            let response = http.get(&path).await;
            assert_refused(&response, 400, 1, "Session ID unknown");
            let response = server.http().await.post(&path, "4x").await;
            assert_refused(&response, 400, 1, "Session ID unknown");
        }
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_a_get_is_code_2() {
    let server = server();
    let mut http = server.http().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        // Before the version.
        let response = http.request(method, "/socket.io/?transport=polling", &[], "").await;
        assert_refused(&response, 400, 2, "Bad handshake method");
    }
}

#[tokio::test]
async fn a_transport_other_than_the_sessions_is_code_3() {
    let server = server();
    let poller = server.poller().await;
    let path = format!("/socket.io/?EIO=4&transport=websocket&sid={}", poller.sid);
    let response = server.http().await.get(&path).await;
    assert_refused(&response, 400, 3, "Bad request");
}

#[tokio::test]
async fn a_websocket_request_without_upgrade_header_is_code_3() {
    let server = server();
    let mut http = server.http().await;
    // Before the version.
    for query in ["EIO=4&transport=websocket", "EIO=3&transport=websocket"] {
        let response = http.get(&format!("/socket.io/?{query}")).await;
        assert_refused(&response, 400, 3, "Bad request");
    }
}

#[tokio::test]
async fn a_request_refused_by_the_hook_is_code_4() {
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
        let response = http.get(&format!("/socket.io/?{query}")).await;
        assert_refused(&response, 403, 4, "Forbidden");
    }
    let path = "/socket.io/?EIO=4&transport=polling";
    let response = http.request("GET", path, &[("X-Secret", "1")], "").await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn an_unsupported_version_is_code_5() {
    let server = server();
    let mut http = server.http().await;
    for query in ["transport=polling", "EIO=3&transport=polling", "EIO=abc&transport=polling"] {
        let response = http.get(&format!("/socket.io/?{query}")).await;
        assert_refused(&response, 400, 5, "Unsupported protocol version");
    }
}

#[tokio::test]
async fn a_refused_upgrade_request_gets_plain_text_and_is_closed() {
    let io = builder(EngineConfig::default())
        .allow_request(|request| match request.headers().get("x-refuse") {
            None => Ok(()),
            Some(_) => Err("Forbidden".to_owned()),
        })
        .build();
    let server = Server::start(io);
    let refused = async |query: &str, headers: &[(&str, &str)]| {
        let path = format!("/socket.io/?{query}");
        let response = WebSocket::connect_with(server.address, &path, headers).await.err().unwrap();
        assert_eq!(response.status, 400);
        assert_eq!(response.headers["connection"], "close");
        response.body
    };
    assert_eq!(refused("EIO=4&transport=abc", &[]).await, "Transport unknown");
    assert_eq!(refused("EIO=4&transport=websocket&sid=x", &[]).await, "Session ID unknown");
    assert_eq!(refused("EIO=3&transport=websocket", &[]).await, "Unsupported protocol version");
    assert_eq!(refused("EIO=4&transport=websocket", &[("X-Refuse", "1")]).await, "Forbidden");
}

#[tokio::test]
async fn a_second_upgrade_is_closed_and_the_session_stays() {
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
    // After the upgrade.
    let mut third = poller.upgrade().await;
    assert_eq!(third.next().await, Frame::Close(None));
    first.send("41").await;
    assert!(first.is_silent().await);
}

/// Each request fails two checks; the first one determines the response.
#[tokio::test]
async fn checks_run_in_the_documented_order() {
    let io = builder(EngineConfig::default()).allow_request(|_| Err("Forbidden".to_owned())).build();
    let server = Server::start(io);
    for (method, query, code) in [
        ("POST", "EIO=3&transport=x&sid=unknown", 0),
        ("POST", "EIO=3&transport=websocket&sid=unknown", 1),
        ("POST", "EIO=3&transport=websocket", 2),
        ("GET", "EIO=3&transport=websocket", 3),
        ("GET", "EIO=3&transport=polling", 4),
    ] {
        let response = server.http().await.request(method, &format!("/socket.io/?{query}"), &[], "").await;
        assert!(response.body.starts_with(&format!("{{\"code\":{code},")), "{method} {query}: {}", response.body);
    }
}

#[tokio::test]
async fn the_open_packet_has_exactly_the_documented_keys() {
    let server = server();
    let response = server.http().await.get("/socket.io/?EIO=4&transport=polling").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["content-type"], "text/plain; charset=UTF-8");
    assert_eq!(response.headers["cache-control"], "no-store");
    assert!(
        response
            .body
            .ends_with(r#"","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#)
    );
    assert_eq!(&response.body[..9], "0{\"sid\":\"");
    assert_eq!(response.body[9..].find('"'), Some(28));
    let mut socket = WebSocket::connect(server.address, "/socket.io?EIO=4&transport=websocket").await.ok().unwrap();
    assert!(socket.text().await.contains(r#""upgrades":[],"#));
}

#[tokio::test]
async fn errors_have_cors_headers_too_and_a_preflight_is_204() {
    let engine = EngineConfig {
        cors: CorsConfig {
            origins: Origins::Only(vec!["https://good.example".to_owned()]),
            credentials: true,
            ..CorsConfig::default()
        },
        ..EngineConfig::default()
    };
    let server = Server::start(builder(engine).build());
    let mut http = server.http().await;
    let good = [("Origin", "https://good.example")];
    let bad = [("Origin", "https://bad.example")];

    let response = http.request("GET", "/socket.io/?EIO=4", &good, "").await;
    assert_refused(&response, 400, 0, "Transport unknown");
    assert_eq!(response.headers["access-control-allow-origin"], "https://good.example");
    assert_eq!(response.headers["access-control-allow-credentials"], "true");
    assert_eq!(response.headers["vary"], "Origin");

    let mut asked = good.to_vec();
    asked.push(("Access-Control-Request-Headers", "x-a"));
    let response = http.request("OPTIONS", "/socket.io/", &asked, "").await;
    assert_eq!((response.status, response.body.as_str()), (204, ""));
    assert_eq!(response.headers["access-control-allow-headers"], "x-a");
    assert_eq!(response.headers["access-control-allow-origin"], "https://good.example");

    let path = "/socket.io/?EIO=4&transport=polling";
    assert_eq!(http.request("GET", path, &good, "").await.status, 200);
    let response = http.request("GET", path, &bad, "").await;
    assert_refused(&response, 403, 4, "Forbidden");
    assert!(!response.headers.contains_key("access-control-allow-origin"));
    let path = "/socket.io/?EIO=4&transport=websocket";
    let refused = WebSocket::connect_with(server.address, path, &bad).await.err();
    assert_eq!(refused.unwrap().body, "Forbidden");
    assert!(WebSocket::connect_with(server.address, path, &good).await.is_ok());
}

#[tokio::test]
async fn requests_over_a_limit_are_refused_and_a_closed_session_frees_its_slot() {
    let path = "/socket.io/?EIO=4&transport=polling";
    for engine in [
        EngineConfig { max_sessions_per_address: 2, ..EngineConfig::default() },
        EngineConfig { max_sessions: 2, ..EngineConfig::default() },
    ] {
        let io = builder(engine).build();
        let server = Server::start(io.clone());
        let first = server.websocket().await;
        let _second = server.poller().await;
        let response = server.http().await.get(path).await;
        assert_refused(&response, 403, 4, "Too many sessions");
        first.abort();
        wait_until("a slot is free", || io.session_count() == 1).await;
        assert_eq!(server.http().await.get(path).await.status, 200);
        assert_eq!(server.http().await.get(&format!("{path}&{}", "x".repeat(5000))).await.status, 400);
    }
}

#[tokio::test]
async fn handshakes_per_second_are_limited() {
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
