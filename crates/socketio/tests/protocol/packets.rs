//! Socket.IO packets on the wire.

use std::time::Duration;

use actix_socketio::{AckError, ShutdownMode, SocketIoConfig};

use crate::support::{Frame, join, next_entry, scripted_server, scripted_server_with, wait_until, without_recovery};

#[tokio::test]
async fn connect_is_answered_with_a_sid() {
    let (server, ..) = scripted_server();
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
async fn an_auth_payload_that_is_not_an_object_closes_the_connection() {
    let (server, ..) = scripted_server();
    for connect in ["40[]", "40\"x\"", "40null", "40{", "40/a,[1]"] {
        let mut socket = server.websocket().await;
        socket.send(connect).await;
        let closes = socket.closes().await;
        assert!(closes, "{connect}");
    }
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_connection_stays() {
    let (server, ..) = scripted_server();
    let mut socket = join(&server).await;
    socket.send("40/b,{\"x\":1}").await;
    assert_eq!(socket.text().await, "44/b,{\"message\":\"Invalid namespace\"}");
    socket.send("40/a?x=1,").await;
    assert_eq!(socket.text().await, "44/a?x=1,{\"message\":\"Invalid namespace\"}");
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn a_refusal_by_the_middleware_is_sent_and_no_socket_remains() {
    let (server, io, log) = scripted_server();
    let mut socket = join(&server).await;
    socket.send("40/a,{\"refuse\":{\"code\":7}}").await;
    assert_eq!(socket.text().await, "44/a,{\"message\":\"refused\",\"data\":{\"code\":7}}");
    socket.send("40/a,{\"refuse\":null}").await;
    assert_eq!(socket.text().await, "44/a,{\"message\":\"refused\"}");
    let namespace = io.namespace("/a").unwrap();
    assert_eq!(namespace.socket_count(), 0);
    assert_eq!(namespace.to("all").emit("x", &1), 0);
    assert!(log.lock().unwrap().is_empty());
    // The client may retry.
    socket.send("40/a,").await;
    socket.expect("40/a,{").await;
}

#[tokio::test]
async fn a_connection_without_a_namespace_closes_after_the_connect_timeout() {
    let (server, io, _) =
        scripted_server_with(SocketIoConfig { connect_timeout: Duration::from_millis(200), ..without_recovery() });
    let mut idle = server.websocket().await;
    let mut socket = join(&server).await;
    assert!(idle.closes().await);
    wait_until("one session is left", || io.session_count() == 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    socket.send("41").await;
    assert!(socket.is_silent().await);
    assert!(socket.closes().await);
    // A refused CONNECT does not count.
    let mut refused = server.websocket().await;
    refused.send("40/a,{\"refuse\":1}").await;
    refused.expect("44/a,").await;
    assert!(refused.closes().await);
}

#[tokio::test]
async fn an_unexpected_packet_closes_the_connection() {
    let (server, _, log) = scripted_server();
    for packet in ["40", "42/a,[\"echo\"]", "43/a,1[]", "41/a,", "44", "44{\"message\":\"x\"}", "42/b,[\"echo\"]"] {
        let mut socket = join(&server).await;
        socket.send(packet).await;
        assert!(socket.closes().await, "{packet}");
        assert_eq!(next_entry(&log).await, "forced server close", "{packet}");
    }
}

#[tokio::test]
async fn an_invalid_packet_closes_the_connection() {
    let (server, _, log) = scripted_server();
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
        let mut socket = join(&server).await;
        socket.send(packet).await;
        assert!(socket.closes().await, "{packet}");
        assert_eq!(next_entry(&log).await, "forced close", "{packet}");
    }
}

#[tokio::test]
async fn a_wrong_number_of_attachments_closes_the_connection() {
    let (server, ..) = scripted_server();
    let header = "451-[\"echo\",{\"_placeholder\":true,\"num\":0}]";
    let mut socket = join(&server).await;
    socket.send(header).await;
    socket.send("42[\"echo\"]").await;
    assert!(socket.closes().await);
    let mut socket = join(&server).await;
    socket.send_binary(b"x").await;
    assert!(socket.closes().await);
    let mut socket = join(&server).await;
    socket.send(header).await;
    socket.send_binary(b"x").await;
    socket.send_binary(b"y").await;
    socket.expect(header).await;
    assert!(socket.closes().await);
}

#[tokio::test]
async fn events_are_handled_in_order_and_acknowledged_once() {
    let (server, ..) = scripted_server();
    let mut socket = join(&server).await;
    socket.send("421[\"delay\",100]").await;
    socket.send("422[\"delay\",1]").await;
    socket.send("429007199254740992[\"echo\",1,\"2\",{\"3\":[false]}]").await;
    socket.send("423[\"ack-empty\"]").await;
    socket.send("424[\"no-ack\"]").await;
    socket.send("42[7]").await;
    socket.send("425[\"no handler\"]").await;
    socket.send("426[\"echo\"]").await;
    for ack in ["431[[100]]", "432[[1]]", "439007199254740992[1,\"2\",{\"3\":[false]}]", "433[]", "436[]"] {
        assert_eq!(socket.text().await, ack);
    }
    assert!(socket.is_silent().await);
}

#[tokio::test]
async fn binary_events_and_acks_are_sent_and_received() {
    let (server, _, log) = scripted_server();
    let mut socket = join(&server).await;
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
    assert!(next_entry(&log).await.ends_with(" 1"));
    // With no attachments announced, none are expected.
    socket.send("450-[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn an_acknowledgement_arrives_or_times_out() {
    let (server, _, log) = scripted_server();
    let mut socket = join(&server).await;
    socket.send("42[\"ask\"]").await;
    socket.expect("420[\"question\",1]").await;
    socket.send("430[1,\"x\"]").await;
    assert_eq!(next_entry(&log).await, "[Number(1), String(\"x\")] 0");
    // Twice, or to nothing: ignored.
    socket.send("430[1]").await;
    socket.send("4399[1]").await;
    socket.send("42[\"ask\"]").await;
    socket.expect("421[\"question\",1]").await;
    assert_eq!(next_entry(&log).await, AckError::Timeout.to_string());
    socket.send("42[\"ask\"]").await;
    socket.expect("422[").await;
    socket.send("41").await;
    assert_eq!(next_entry(&log).await, "client namespace disconnect");
    assert_eq!(next_entry(&log).await, AckError::Disconnected.to_string());
}

#[tokio::test]
async fn the_number_of_pending_acks_is_limited() {
    let (server, _, log) = scripted_server_with(SocketIoConfig { max_pending_acks: 2, ..without_recovery() });
    let mut socket = join(&server).await;
    for _ in 0..3 {
        socket.send("42[\"ask\"]").await;
    }
    assert_eq!(next_entry(&log).await, AckError::TooMany.to_string());
}

#[tokio::test]
async fn leaving_a_namespace_does_not_affect_the_others() {
    let (server, io, log) = scripted_server();
    let mut socket = join(&server).await;
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
    socket.expect("42/a,").await;
    socket.send("41/a,").await;
    assert_eq!(next_entry(&log).await, "client namespace disconnect");
    assert_eq!(io.namespace("/a").unwrap().to("all").emit("x", &1), 0);
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
    // The client may rejoin at once, with a new socket.
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
    socket.expect("42/a,").await;
    socket.send("41/a").await;
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
}

#[tokio::test]
async fn packets_are_ignored_for_a_grace_period_after_a_server_disconnect() {
    let (server, io, log) =
        scripted_server_with(SocketIoConfig { disconnect_grace: Duration::from_millis(200), ..without_recovery() });
    let mut socket = join(&server).await;
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
    socket.expect("42/a,").await;
    socket.send("42/a,[\"kick\"]").await;
    socket.send("42/a,[\"echo\",1]").await;
    assert_eq!(socket.text().await, "41/a,");
    assert_eq!(next_entry(&log).await, "server namespace disconnect");
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
async fn an_event_before_the_connect_answer_closes_the_connection() {
    let (server, ..) = scripted_server();
    let mut socket = server.websocket().await;
    socket.send("40{\"slow\":1}").await;
    socket.send("42[\"echo\",1]").await;
    assert!(socket.closes().await);
}

#[tokio::test]
async fn a_client_that_disconnects_during_the_middleware_leaves_no_socket() {
    let (server, io, _) = scripted_server();
    let mut socket = server.websocket().await;
    socket.send("40{\"slow\":1}").await;
    socket.abort();
    wait_until("no session", || io.session_count() == 0).await;
    assert_eq!(io.namespace("/").unwrap().to("all").emit("x", &1), 0);
}

#[tokio::test]
async fn a_shutdown_with_disconnect_sends_disconnect_packets() {
    let (server, io, log) = scripted_server();
    let mut socket = join(&server).await;
    io.close(ShutdownMode::Disconnect).await;
    assert_eq!(socket.text().await, "41");
    assert_eq!(next_entry(&log).await, "server namespace disconnect");
    assert!(socket.closes().await);
}

#[tokio::test]
async fn the_total_size_of_attachments_is_limited() {
    let (server, ..) = scripted_server_with(SocketIoConfig { max_message_bytes: 100_000, ..without_recovery() });
    let header = "452-[\"echo\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]";
    for (length, passes) in [(40_000, true), (50_001, false)] {
        let mut socket = join(&server).await;
        socket.send(header).await;
        socket.send_binary(&vec![7; length]).await;
        socket.send_binary(&vec![7; length]).await;
        if passes {
            socket.expect("452-[\"echo\"").await;
        } else {
            assert!(socket.closes().await);
        }
    }
}

#[tokio::test]
async fn a_middleware_that_times_out_refuses_the_client() {
    let config = SocketIoConfig { authorise_timeout: Duration::from_millis(50), ..without_recovery() };
    let (server, ..) = scripted_server_with(config);
    let mut socket = server.websocket().await;
    socket.send("40{\"slow\":1}").await;
    assert_eq!(socket.text().await, "44{\"message\":\"timeout\"}");
    // The connection stays open.
    socket.send("40").await;
    socket.expect("40{").await;
}

#[tokio::test]
async fn the_size_of_events_held_until_the_connect_answer_is_limited() {
    // The cost of the welcome: its frame, of which `\x81\x7e` and two bytes of length are the header, plus 64.
    let welcome = |text: &str| format!("42[\"welcome\",{{\"x\":\"{text}\"}}]");
    let cost = welcome(&"y".repeat(1000)).len() + 4 + 64;
    let (server, ..) = scripted_server_with(SocketIoConfig { max_held_bytes: cost, ..without_recovery() });
    for (length, passes) in [(1000, true), (1001, false)] {
        let text = "y".repeat(length);
        let mut socket = server.websocket().await;
        socket.send(&format!("40{{\"x\":\"{text}\"}}")).await;
        if passes {
            socket.expect("40{").await;
            assert_eq!(socket.text().await, welcome(&text));
        } else {
            assert!(socket.closes().await);
        }
    }
}
