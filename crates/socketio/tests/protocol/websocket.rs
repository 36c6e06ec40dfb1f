//! Messages on a WebSocket, frame by frame: a test a rule.

use crate::support::Frame;
use crate::support::reasons::server;

#[tokio::test]
async fn one_packet_a_frame_and_in_order() {
    let (server, ..) = server();
    let mut socket = server.joined().await;
    for number in 0..200 {
        socket.send(&format!("42[\"echo\",{number}]")).await;
    }
    for number in 0..200 {
        assert_eq!(socket.text().await, format!("42[\"echo\",{number}]"));
    }
}

#[tokio::test]
async fn messages_come_in_fragments_too() {
    let (server, ..) = server();
    let mut socket = server.joined().await;
    socket.frame(0x01, b"42[\"ec").await;
    socket.frame(0x89, b"ping").await;
    socket.frame(0x00, b"ho\",").await;
    socket.frame(0x80, b"1]").await;
    assert_eq!(socket.next().await, Frame::Pong(b"ping".to_vec()));
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn a_message_up_to_the_limit_passes_and_one_over_it_closes() {
    let (server, _, reasons) = server();
    let mut socket = server.joined().await;
    let longest = format!("42[\"echo\",\"{}\"]", "x".repeat(1_000_000 - 13));
    assert_eq!(longest.len(), 1_000_000);
    socket.send(&longest).await;
    assert_eq!(socket.text().await, longest);
    socket.send(&format!("4{longest}")).await;
    assert!(socket.closes().await);
    assert_eq!(reasons.next().await, "transport error");

    // The header alone is enough.
    let mut socket = server.joined().await;
    use tokio::io::AsyncWriteExt;
    let header = [0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4];
    socket.stream.write_all(&header).await.unwrap();
    assert_eq!(socket.next().await, Frame::Close(Some(1009)));

    // And many fragments that are each short enough.
    let mut socket = server.joined().await;
    socket.frame(0x01, &[b'4'; 300_000]).await;
    for _ in 0..3 {
        socket.frame(0x00, &[b'4'; 300_000]).await;
    }
    assert!(socket.closes().await);
}

#[tokio::test]
async fn empty_fragments_without_end_cost_nothing() {
    let (server, ..) = server();
    let mut socket = server.joined().await;
    socket.frame(0x01, b"").await;
    for _ in 0..20_000 {
        socket.frame(0x00, b"").await;
    }
    socket.frame(0x80, b"42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn frames_against_the_rules_close() {
    let (server, _, reasons) = server();
    for (first, data) in [
        (0x80, &b"continuation of nothing"[..]),
        (0x83, b"unknown opcode"),
        (0xc1, b"reserved bit"),
        (0x81, &[0xff, 0xfe]),
        (0x89, &[0; 126]),
    ] {
        let mut socket = server.joined().await;
        socket.frame(first, data).await;
        assert!(socket.closes().await);
        assert_eq!(reasons.next().await, "transport error");
    }
}
