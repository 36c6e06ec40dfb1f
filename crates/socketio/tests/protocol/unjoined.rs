//! What a client can make the server keep: nothing to speak of before it joins a namespace, and text instead of parsed
//! JSON after it has.

use std::time::Duration;

use actix_socketio::{ConnectRefusal, EngineConfig, Event, Namespace, Socket, SocketIo, SocketIoConfig};

use crate::support::{
    Frame, Server, echo_namespace, fast_heartbeat, join, logging_server_with, scripted_server, scripted_server_with,
    without_recovery,
};

fn limited_to(bytes: usize) -> SocketIoConfig {
    SocketIoConfig { max_unjoined_payload: bytes, ..without_recovery() }
}

#[tokio::test]
async fn before_a_namespace_is_joined_only_connect_is_accepted() {
    let (server, ..) = scripted_server();
    for packet in ["42[\"echo\"]", "42/a,[\"echo\"]", "451-[\"echo\"]", "43/a,1[]", "461-1[]", "44", "4x", "4"] {
        // Also after a refused attempt, and while another is decided.
        for before in [None, Some("40/b,"), Some("40/a,{\"refuse\":1}"), Some("40/a,{\"slow\":1}")] {
            let mut socket = server.websocket().await;
            if let Some(before) = before {
                socket.send(before).await;
            }
            socket.send(packet).await;
            assert!(socket.closes().await, "{packet} after {before:?}");
        }
    }
    let mut socket = server.websocket().await;
    socket.send_binary(b"x").await;
    assert!(socket.closes().await, "an attachment");
}

#[tokio::test]
async fn a_long_message_before_joining_ends_a_websocket_at_its_header() {
    let (server, ..) = scripted_server_with(limited_to(2000));
    let connect = |length: usize| format!("40{{\"a\":\"{}\"}}", "x".repeat(length - 10));
    let mut socket = server.websocket().await;
    socket.send(&connect(2001)).await;
    assert_eq!(socket.next().await, Frame::Close(Some(1009)));
    // In fragments, which are counted together.
    let mut socket = server.websocket().await;
    socket.frame(0x01, b"40{\"a\":\"").await;
    socket.frame(0x00, &[b'x'; 1500]).await;
    socket.frame(0x00, &[b'x'; 1500]).await;
    assert_eq!(socket.next().await, Frame::Close(Some(1009)));
    let mut socket = server.websocket().await;
    socket.send(&connect(2000)).await;
    socket.expect("40{\"sid\"").await;
    socket.expect("42[\"welcome\"").await;
    // Joined, and then no longer.
    socket.send(&format!("42[\"no-ack\",\"{}\"]", "x".repeat(100_000))).await;
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
    socket.send("41").await;
    socket.send("40/b,").await;
    socket.expect("44/b,").await;
    socket.send(&connect(2001)).await;
    assert_eq!(socket.next().await, Frame::Close(Some(1009)));
}

#[tokio::test]
async fn a_long_body_before_joining_is_refused_and_the_session_stays() {
    let (server, ..) = scripted_server_with(limited_to(2000));
    let mut poller = server.poller().await;
    let connect = |length: usize| format!("40{{\"a\":\"{}\"}}", "x".repeat(length - 10));
    assert_eq!(poller.post(&connect(2001)).await.status, 413);
    assert_eq!(poller.post(&connect(2000)).await.status, 200);
    let answer = poller.poll().await;
    assert!(answer.body.starts_with("40{\"sid\""), "{}", answer.body);
    let event = format!("42[\"no-ack\",\"{}\"]", "x".repeat(100_000));
    assert_eq!(poller.post(&event).await.status, 200);
}

#[tokio::test]
async fn arguments_that_are_too_deep_or_too_large_are_refused_and_the_connection_stays() {
    let mirror = echo_namespace().on("mirror", |_: Socket<()>, event: Event| async move { event.into_arguments() });
    let io = SocketIo::builder(EngineConfig::default(), SocketIoConfig { max_json_depth: 5, ..without_recovery() })
        .namespace(mirror.on_refused(|_, event: Event| async move {
            assert!(event.arguments.is_empty());
            Some(format!("{} refused", event.name))
        }))
        .build();
    let server = Server::start(io);
    let mut socket = server.join().await;
    socket.send("421[\"mirror\",[[[[]]]]]").await;
    socket.expect("431[[[[[]]]]]").await;
    socket.send("422[\"mirror\",[[[[[]]]]]]").await;
    socket.expect("432[\"mirror refused\"]").await;
    socket.send("42[\"echo\",[[[[[]]]]]]").await;
    socket.send(&format!("423[\"nothing\",[{}]]", vec!["{\"\":1}"; 50_000].join(","))).await;
    socket.expect("433[\"nothing refused\"]").await;
    // What is no JSON closes the connection, however deep it is.
    for invalid in
        ["42[\"echo\",[[[[[[", "42[\"echo\",[[[[[[]]]]]]", "42[{},[[[[[[]]]]]]]", "42[\"connect\",[[[[[]]]]]]"]
    {
        let mut socket = server.join().await;
        socket.send(invalid).await;
        assert!(socket.closes().await, "{invalid}");
    }
}

/// The heartbeat continues, as pings are answered between the header and its attachments.
#[tokio::test]
async fn attachments_that_do_not_arrive_close_the_connection_although_pongs_do() {
    let io = SocketIo::builder(
        fast_heartbeat(),
        SocketIoConfig { attachment_timeout: Duration::from_millis(700), ..without_recovery() },
    )
    .namespace(echo_namespace())
    .build();
    let server = Server::start(io);
    let mut socket = server.join().await;
    socket.send("452-[\"echo\",{\"_placeholder\":true,\"num\":0}]").await;
    socket.send_binary(b"one of two").await;
    let mut pongs = 0;
    loop {
        match socket.next().await {
            Frame::Text(text) if text == "2" => {
                pongs += 1;
                socket.send("3").await;
            }
            Frame::Text(_) => {}
            end => break assert!(matches!(end, Frame::Close(_) | Frame::End), "{end:?}"),
        }
    }
    assert!(pongs >= 1, "it is not the heartbeat that ended it");
}

/// A pong is a message itself, so there is none within a message; the transport's own pings do not count.
#[tokio::test]
async fn a_message_in_fragments_may_take_no_longer_than_the_heartbeat() {
    let (server, _, log) = logging_server_with(fast_heartbeat());
    let mut socket = server.join().await;
    socket.frame(0x01, b"42[\"echo\",\"").await;
    loop {
        match socket.next().await {
            Frame::Text(text) if text == "2" => socket.frame(0x89, b"").await,
            Frame::Text(_) | Frame::Pong(_) => {}
            end => break assert!(matches!(end, Frame::Close(_) | Frame::End), "{end:?}"),
        }
        socket.frame(0x00, b"x").await;
    }
    assert_eq!(log.next().await, "ping timeout");
}

#[tokio::test]
async fn a_client_that_joins_again_sends_long_messages_again() {
    let (server, ..) = scripted_server_with(limited_to(2000));
    let mut socket = join(&server).await;
    socket.send("41").await;
    socket.send("40").await;
    socket.expect("40{\"sid\"").await;
    socket.expect("42[\"welcome\"").await;
    socket.send(&format!("42[\"no-ack\",\"{}\"]", "x".repeat(100_000))).await;
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
}

/// Joining a namespace that is open to anyone does not identify a client.
#[tokio::test]
async fn an_anonymous_namespace_lifts_no_limit() {
    let config = SocketIoConfig {
        connect_timeout: Duration::from_millis(300),
        max_unjoined_payload: 2000,
        ..without_recovery()
    };
    let io = SocketIo::builder(EngineConfig::default(), config)
        .namespace(echo_namespace().anonymous())
        .namespace(Namespace::<()>::new("/known", |_| async { Ok::<_, ConnectRefusal>(()) }))
        .build();
    let server = Server::start(io);
    let long = format!("42[\"echo\",\"{}\"]", "x".repeat(2000));
    let mut socket = server.join().await;
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
    socket.send(&long).await;
    assert_eq!(socket.next().await, Frame::Close(Some(1009)));
    let mut idle = server.join().await;
    assert!(idle.closes().await, "after the connect timeout");
    let mut known = server.join().await;
    known.send("40/known,").await;
    known.expect("40/known,{").await;
    known.send(&long).await;
    known.expect("42[\"echo\"").await;
}
