//! Messages on a WebSocket, frame by frame.

use crate::support::{Frame, logging_server};

#[tokio::test]
async fn each_frame_is_one_packet_and_order_is_kept() {
    let (server, ..) = logging_server();
    let mut socket = server.join().await;
    for number in 0..200 {
        socket.send(&format!("42[\"echo\",{number}]")).await;
    }
    for number in 0..200 {
        assert_eq!(socket.text().await, format!("42[\"echo\",{number}]"));
    }
}

#[tokio::test]
async fn a_fragmented_message_is_assembled() {
    let (server, ..) = logging_server();
    let mut socket = server.join().await;
    socket.frame(0x01, b"42[\"ec").await;
    socket.frame(0x89, b"ping").await;
    socket.frame(0x00, b"ho\",").await;
    socket.frame(0x80, b"1]").await;
    assert_eq!(socket.next().await, Frame::Pong(b"ping".to_vec()));
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn a_message_over_the_limit_closes_the_session() {
    let (server, _, log) = logging_server();
    let mut socket = server.join().await;
    let longest = format!("42[\"echo\",\"{}\"]", "x".repeat(1_000_000 - 13));
    assert_eq!(longest.len(), 1_000_000);
    socket.send(&longest).await;
    assert_eq!(socket.text().await, longest);
    socket.send(&format!("4{longest}")).await;
    assert!(socket.closes().await);
    assert_eq!(log.next().await, "transport error");

    // The header is sufficient.
    let mut socket = server.join().await;
    use tokio::io::AsyncWriteExt;
    let header = [0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4];
    socket.stream.write_all(&header).await.unwrap();
    assert_eq!(socket.next().await, Frame::Close(Some(1009)));

    // Fragments that are too long in total.
    let mut socket = server.join().await;
    socket.frame(0x01, &[b'4'; 300_000]).await;
    for _ in 0..3 {
        socket.frame(0x00, &[b'4'; 300_000]).await;
    }
    assert!(socket.closes().await);
}

#[tokio::test]
async fn many_empty_fragments_use_no_memory() {
    let (server, ..) = logging_server();
    let mut socket = server.join().await;
    socket.frame(0x01, b"").await;
    for _ in 0..20_000 {
        socket.frame(0x00, b"").await;
    }
    socket.frame(0x80, b"42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn frames_that_violate_rfc_6455_close_the_session() {
    let (server, _, log) = logging_server();
    for (first, data) in [
        (0x80, &b"continuation of nothing"[..]),
        (0x83, b"unknown opcode"),
        (0xc1, b"reserved bit"),
        (0x81, &[0xff, 0xfe]),
        (0x89, &[0; 126]),
    ] {
        let mut socket = server.join().await;
        socket.frame(first, data).await;
        assert!(socket.closes().await);
        assert_eq!(log.next().await, "transport error");
    }
}
