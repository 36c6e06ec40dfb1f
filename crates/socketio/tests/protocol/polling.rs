//! Polling, to the byte: a test a rule.

use std::io::Read;
use std::time::Duration;

use crate::support::{Http, Server, echo, quiet, until};
use actix_socketio::{CloseKind, Event, Socket, SocketIo};
use engineio::EngineConfig;

fn io(engine: EngineConfig) -> SocketIo {
    SocketIo::builder(engine, quiet())
        .namespace(echo().on("close", |socket: Socket<()>, _: Event| async move {
            socket.close_transport();
        }))
        .build()
}

fn server() -> Server {
    Server::start(io(EngineConfig::default()))
}

#[tokio::test]
async fn a_post_is_answered_ok_after_its_packets_were_handed_on() {
    let server = server();
    let mut poller = server.poller().await;
    let answer = poller.post("40").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    assert_eq!(answer.headers["content-type"], "text/html");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let answer = poller.poll().await;
    assert!(answer.body.starts_with("40{"));
    poller.post("42[\"echo\",1]\x1e42[\"echo\",2]\x1e42[\"echo\",3]").await;
    assert_eq!(poller.poll().await.body, "42[\"echo\",1]\x1e42[\"echo\",2]\x1e42[\"echo\",3]");
}

#[tokio::test]
async fn binary_packets_are_base64() {
    let server = server();
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let packets = "451-[\"echo\",{\"_placeholder\":true,\"num\":0}]\x1ebAQIDBA==";
    assert_eq!(poller.post(packets).await.body, "ok");
    assert_eq!(poller.poll().await.body, packets);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_the_session_stays() {
    let server = server();
    let poller = server.poller().await;
    let answer = poller.post(&"4".repeat(1_000_001)).await;
    assert_eq!((answer.status, answer.body.as_str()), (413, ""));
    assert_eq!(poller.post("40").await.status, 200);

    // Without a length that says so.
    let mut http = Http::connect(server.address).await;
    let headers = [("Transfer-Encoding", "chunked")];
    let chunk = format!("{:x}\r\n{}\r\n", 600_000, "4".repeat(600_000));
    http.send("PUT", "/", &[], "").await;
    http.answer().await;
    http.send("GET", "/", &[], "").await;
    http.answer().await;
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\n{}: {}\r\n\r\n{chunk}{chunk}0\r\n\r\n",
        poller.path(),
        headers[0].0,
        headers[0].1
    );
    use tokio::io::AsyncWriteExt;
    let _ = http.stream.write_all(request.as_bytes()).await;
    assert_eq!(http.answer().await.status, 413);
}

#[tokio::test]
async fn a_binary_body_is_400_and_the_session_closed() {
    let server = server();
    let poller = server.poller().await;
    let headers = [("Content-Type", "application/octet-stream")];
    let answer = Http::connect(server.address).await.request("POST", &poller.path(), &headers, "40").await;
    assert_eq!(answer.status, 400);
    assert!(poller.is_dead().await);
}

#[tokio::test]
async fn what_came_before_a_bad_packet_counts_and_the_session_is_closed() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let mut other = server.joined().await;
    poller.post("40").await;
    let waiting = poller.post("42[\"echo\",1]\x1eabc\x1e42[\"echo\",2]").await;
    assert_eq!(waiting.status, 400);
    assert!(poller.is_dead().await);
    other.send("42[\"echo\",3]").await;
    other.expect("42[\"echo\",3]").await;
}

#[tokio::test]
async fn too_many_packets_in_a_body_close_the_session() {
    let engine = EngineConfig { max_packets_per_payload: 3, ..EngineConfig::default() };
    let server = Server::start(io(engine));
    let poller = server.poller().await;
    assert_eq!(poller.post("6\x1e6\x1e6").await.status, 200);
    assert_eq!(poller.post("6\x1e6\x1e6\x1e6").await.status, 400);
    assert!(poller.is_dead().await);
}

#[tokio::test]
async fn a_get_waits_for_data() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let mut waiting = poller.begin_poll().await;
    io.namespace("/").unwrap().to("all").emit("hi", &1);
    assert_eq!(waiting.answer().await.body, "42[\"hi\",1]");
}

#[tokio::test]
async fn an_answer_is_no_longer_than_the_limit_and_nothing_is_lost() {
    let engine = EngineConfig { max_payload: 1000, ..EngineConfig::default() };
    let io = io(engine);
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let all = io.namespace("/").unwrap();
    for number in 0..300 {
        all.to("all").emit("n", &number);
    }
    let mut packets = Vec::new();
    while packets.len() < 300 {
        let body = poller.poll().await.body;
        assert!(body.len() <= 1000);
        packets.extend(body.split('\x1e').map(str::to_owned).collect::<Vec<_>>());
    }
    let expected: Vec<_> = (0..300).map(|number| format!("42[\"n\",{number}]")).collect();
    assert_eq!(packets, expected);
}

#[tokio::test]
async fn a_second_get_kills_the_session() {
    let server = server();
    let poller = server.poller().await;
    let mut waiting = poller.begin_poll().await;
    let second = Http::connect(server.address).await.get(&poller.path()).await;
    assert_eq!((second.status, second.body.as_str()), (400, ""));
    let first = waiting.answer().await;
    assert_eq!((first.status, first.body.as_str()), (200, "1"));
    assert!(poller.is_dead().await);
}

#[tokio::test]
async fn a_second_post_kills_the_session() {
    let server = server();
    let poller = server.poller().await;
    let mut first = Http::connect(server.address).await;
    use tokio::io::AsyncWriteExt;
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4", poller.path());
    first.stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(poller.post("40").await.status, 400);
    assert!(poller.is_dead().await);
}

#[tokio::test]
async fn a_poll_that_is_given_up_closes_the_session() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let waiting = poller.begin_poll().await;
    drop(waiting);
    until("the session is gone", || io.session_count() == 0).await;
    assert!(poller.is_dead().await);
}

#[tokio::test]
async fn a_post_that_is_given_up_closes_the_session() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let mut post = Http::connect(server.address).await;
    use tokio::io::AsyncWriteExt;
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4", poller.path());
    post.stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(post);
    until("the session is gone", || io.session_count() == 0).await;
}

/// While it is under way no pong can come, so it has as long as the heartbeat has.
#[tokio::test]
async fn a_post_that_never_ends_is_given_up() {
    let (ping_interval, ping_timeout) = (Duration::from_millis(200), Duration::from_millis(200));
    let io = io(EngineConfig { ping_interval, ping_timeout, ..EngineConfig::default() });
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let mut http = server.http().await;
    let head = format!("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n", poller.path());
    tokio::io::AsyncWriteExt::write_all(&mut http.stream, head.as_bytes()).await.unwrap();
    let trickling = async {
        while tokio::io::AsyncWriteExt::write_all(&mut http.stream, b"4").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), trickling)
        .await
        .expect("the connection stays for as long as it trickles");
}

#[tokio::test]
async fn a_close_packet_answers_the_waiting_get_with_a_noop() {
    let server = server();
    let poller = server.poller().await;
    let mut waiting = poller.begin_poll().await;
    assert_eq!(poller.post("1").await.status, 200);
    let answer = waiting.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "6"));
    assert!(poller.is_dead().await);
}

#[tokio::test]
async fn a_get_that_comes_in_just_after_the_close_packet_gets_its_noop_too() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    assert_eq!(poller.post("1").await.status, 200);
    assert_eq!(poller.poll().await.body, "6");
    assert!(poller.is_dead().await);
    // Where none comes, it is not waited for.
    let poller = server.poller().await;
    poller.post("1").await;
    until("the session is gone", || io.session_count() == 0).await;
}

#[tokio::test]
async fn when_the_server_closes_a_waiting_get_is_told() {
    let server = server();
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let mut waiting = poller.begin_poll().await;
    poller.post("42[\"close\"]").await;
    assert_eq!(waiting.answer().await.body, "1");
    assert!(poller.is_dead().await);
}

#[tokio::test]
async fn when_the_server_closes_what_is_pending_leaves_first() {
    let server = server();
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    poller.post("42[\"echo\",1]\x1e42[\"close\"]").await;
    assert_eq!(poller.poll().await.body, "42[\"echo\",1]\x1e1");
    assert!(poller.is_dead().await);
}

#[tokio::test]
async fn when_the_server_closes_with_no_get_waiting_the_next_one_is_told() {
    let io = io(EngineConfig { polling_close_timeout: Duration::from_millis(500), ..EngineConfig::default() });
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let forgotten = server.poller().await;
    poller.post("42[\"close\"]").await;
    assert_eq!(poller.poll().await.body, "6\x1e1");
    assert!(poller.is_dead().await);
    // It is not kept for ever.
    forgotten.post("40\x1e42[\"close\"]").await;
    assert_eq!(io.session_count(), 1);
    until("the session is gone", || io.session_count() == 0).await;
}

#[tokio::test]
async fn long_bodies_are_gzipped_where_accepted() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let all = io.namespace("/").unwrap();
    let mut get = async |accepted: &str, length: usize| {
        all.to("all").emit("n", &"x".repeat(length));
        let path = poller.path();
        let headers = [("Accept-Encoding", accepted)];
        poller.http.request("GET", &path, &headers, "").await
    };
    assert!(!get("gzip", 900).await.headers.contains_key("content-encoding"));
    assert!(!get("identity", 2000).await.headers.contains_key("content-encoding"));
    assert!(!get("gzip;q=0", 2000).await.headers.contains_key("content-encoding"));
    let answer = get("gzip, deflate, br", 2000).await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(answer.raw_body.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, format!("42[\"n\",\"{}\"]", "x".repeat(2000)));
}

#[tokio::test]
async fn a_stopping_server_tells_pollers_and_takes_no_more() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let mut waiting = poller.begin_poll().await;
    io.close(CloseKind::GoElsewhere).await;
    assert_eq!(waiting.answer().await.body, "1");
    assert_eq!(io.session_count(), 0);
    let path = "/socket.io/?EIO=4&transport=polling";
    assert_eq!(server.http().await.get(path).await.status, 403);
}
