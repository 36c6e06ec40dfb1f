use std::future::poll_fn;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

fn connection() -> (HalfCloseStream<DuplexStream>, DuplexStream) {
    let (server, client) = duplex(1024);
    (HalfCloseStream::new(server), client)
}

#[actix_web::test]
async fn a_flush_ends_the_sending_only_when_nothing_follows() {
    let (mut server, mut client) = connection();
    let mut received = [0; 6];
    for _ in 0..2 {
        server.write_all(b"frames").await.unwrap();
        server.flush().await.unwrap();
        client.read_exact(&mut received).await.unwrap();
    }
    server.write_all(b"closes").await.unwrap();
    server.state.end_sending();
    server.flush().await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"closes");
    // The other direction is open, and whatever ends the connection later finds the sending ended.
    client.write_all(b"answer").await.unwrap();
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"answer");
    server.flush().await.unwrap();
    server.shutdown().await.unwrap();
}

#[actix_web::test]
async fn sending_ends_after_what_the_client_has_not_read_yet() {
    let (io, mut client) = duplex(4);
    let mut server = HalfCloseStream::new(io);
    server.state.end_sending();
    let writing = async {
        server.write_all(b"longer than the buffer").await.unwrap();
        server.flush().await.unwrap();
        server
    };
    let mut received = Vec::new();
    let (_server, _) = futures_util::future::join(writing, client.read_to_end(&mut received)).await;
    assert_eq!(received, b"longer than the buffer");
}

#[actix_web::test]
async fn the_end_of_receiving_wakes_the_task_that_waits_for_it() {
    let (mut server, mut client) = connection();
    let state = Rc::clone(&server.state);
    let waiting = actix_rt::spawn(async move { poll_fn(|context| state.poll_receiving_over(context)).await });
    let reading = actix_rt::spawn(async move {
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).await.unwrap();
        bytes
    });
    client.write_all(b"GET").await.unwrap();
    drop(client);
    waiting.await.unwrap();
    assert_eq!(reading.await.unwrap(), b"GET");
}

#[actix_web::test]
async fn a_read_without_space_is_no_end() {
    let (mut server, mut client) = connection();
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read(&mut []).await.unwrap(), 0);
    assert!(!server.state.is_receiving_over.get());
}
