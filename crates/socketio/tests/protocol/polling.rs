//! HTTP polling, to the byte.

use std::io::Read;
use std::time::Duration;

use actix_socketio::{EngineConfig, Event, ShutdownMode, Socket, SocketIo};

use crate::support::{Http, Server, echo_namespace, wait_until, without_recovery};

fn io(engine: EngineConfig) -> SocketIo {
    SocketIo::builder(engine, without_recovery())
        .namespace(echo_namespace().on("close", |socket: Socket<()>, _: Event| async move {
            socket.close_transport();
        }))
        .build()
}

fn server() -> Server {
    Server::start(io(EngineConfig::default()))
}

#[tokio::test]
async fn a_post_is_answered_with_ok_after_its_packets_are_handled() {
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

    // Without a Content-Length.
    let mut http = Http::connect(server.address).await;
    let headers = [("Transfer-Encoding", "chunked")];
    let chunk = format!("{:x}\r\n{}\r\n", 600_000, "4".repeat(600_000));
    http.send("PUT", "/", &[], "").await;
    http.response().await;
    http.send("GET", "/", &[], "").await;
    http.response().await;
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\n{}: {}\r\n\r\n{chunk}{chunk}0\r\n\r\n",
        poller.path(),
        headers[0].0,
        headers[0].1
    );
    use tokio::io::AsyncWriteExt;
    let _ = http.stream.write_all(request.as_bytes()).await;
    assert_eq!(http.response().await.status, 413);
}

#[tokio::test]
async fn a_binary_body_is_400_and_closes_the_session() {
    let server = server();
    let poller = server.poller().await;
    let headers = [("Content-Type", "application/octet-stream")];
    let answer = Http::connect(server.address).await.request("POST", &poller.path(), &headers, "40").await;
    assert_eq!(answer.status, 400);
    assert!(poller.is_closed().await);
}

#[tokio::test]
async fn packets_before_an_invalid_one_are_handled_and_the_session_closes() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let mut other = server.join().await;
    poller.post("40").await;
    let waiting = poller.post("42[\"echo\",1]\x1eabc\x1e42[\"echo\",2]").await;
    assert_eq!(waiting.status, 400);
    assert!(poller.is_closed().await);
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
    assert!(poller.is_closed().await);
}

#[tokio::test]
async fn a_get_waits_for_data() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let mut waiting = poller.start_poll().await;
    io.namespace("/").unwrap().to("all").emit("hi", &1);
    assert_eq!(waiting.response().await.body, "42[\"hi\",1]");
}

#[tokio::test]
async fn a_response_is_split_at_the_limit_and_no_packet_is_lost() {
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
async fn a_second_get_closes_the_session() {
    let server = server();
    let poller = server.poller().await;
    let mut waiting = poller.start_poll().await;
    let second = Http::connect(server.address).await.get(&poller.path()).await;
    assert_eq!((second.status, second.body.as_str()), (400, ""));
    let first = waiting.response().await;
    assert_eq!((first.status, first.body.as_str()), (200, "1"));
    assert!(poller.is_closed().await);
}

#[tokio::test]
async fn a_second_post_closes_the_session() {
    let server = server();
    let poller = server.poller().await;
    let mut first = Http::connect(server.address).await;
    use tokio::io::AsyncWriteExt;
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4", poller.path());
    first.stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(poller.post("40").await.status, 400);
    assert!(poller.is_closed().await);
}

#[tokio::test]
async fn an_abandoned_poll_closes_the_session() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let waiting = poller.start_poll().await;
    drop(waiting);
    wait_until("the session is gone", || io.session_count() == 0).await;
    assert!(poller.is_closed().await);
}

#[tokio::test]
async fn an_abandoned_post_closes_the_session() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let mut post = Http::connect(server.address).await;
    use tokio::io::AsyncWriteExt;
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4", poller.path());
    post.stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(post);
    wait_until("the session is gone", || io.session_count() == 0).await;
}

/// No pong can arrive while the POST is incomplete, so it times out with the heartbeat.
#[tokio::test]
async fn a_post_that_never_ends_times_out() {
    let (ping_interval, ping_timeout) = (Duration::from_millis(200), Duration::from_millis(200));
    let io = io(EngineConfig { ping_interval, ping_timeout, ..EngineConfig::default() });
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let mut http = server.http().await;
    let head = format!("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n", poller.path());
    tokio::io::AsyncWriteExt::write_all(&mut http.stream, head.as_bytes()).await.unwrap();
    let trickle = async {
        while tokio::io::AsyncWriteExt::write_all(&mut http.stream, b"4").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), trickle).await.expect("the server never abandons the POST");
}

#[tokio::test]
async fn a_close_packet_answers_the_waiting_get_with_a_noop() {
    let server = server();
    let poller = server.poller().await;
    let mut waiting = poller.start_poll().await;
    assert_eq!(poller.post("1").await.status, 200);
    let answer = waiting.response().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "6"));
    assert!(poller.is_closed().await);
}

#[tokio::test]
async fn a_get_just_after_the_close_packet_is_answered_with_a_noop_too() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    assert_eq!(poller.post("1").await.status, 200);
    assert_eq!(poller.poll().await.body, "6");
    assert!(poller.is_closed().await);
    // Without a GET the session closes anyway.
    let poller = server.poller().await;
    poller.post("1").await;
    wait_until("the session is gone", || io.session_count() == 0).await;
}

#[tokio::test]
async fn a_server_close_answers_the_waiting_get_with_a_close_packet() {
    let server = server();
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let mut waiting = poller.start_poll().await;
    poller.post("42[\"close\"]").await;
    assert_eq!(waiting.response().await.body, "1");
    assert!(poller.is_closed().await);
}

#[tokio::test]
async fn a_server_close_sends_pending_packets_first() {
    let server = server();
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    poller.post("42[\"echo\",1]\x1e42[\"close\"]").await;
    assert_eq!(poller.poll().await.body, "42[\"echo\",1]\x1e1");
    assert!(poller.is_closed().await);
}

#[tokio::test]
async fn a_server_close_without_a_waiting_get_answers_the_next_one() {
    let io = io(EngineConfig { polling_close_timeout: Duration::from_millis(500), ..EngineConfig::default() });
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let abandoned = server.poller().await;
    poller.post("42[\"close\"]").await;
    assert_eq!(poller.poll().await.body, "6\x1e1");
    assert!(poller.is_closed().await);
    // Without a GET it is kept for `polling_close_timeout` only.
    abandoned.post("40\x1e42[\"close\"]").await;
    assert_eq!(io.session_count(), 1);
    wait_until("the session is gone", || io.session_count() == 0).await;
}

#[tokio::test]
async fn long_bodies_are_gzipped_if_the_client_accepts_it() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    let all = io.namespace("/").unwrap();
    let mut get = async |accept_encoding: &str, length: usize| {
        all.to("all").emit("n", &"x".repeat(length));
        let path = poller.path();
        let headers = [("Accept-Encoding", accept_encoding)];
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
async fn a_stopping_server_closes_polling_sessions_and_refuses_new_ones() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let poller = server.poller().await;
    let mut waiting = poller.start_poll().await;
    io.close(ShutdownMode::Reconnect).await;
    assert_eq!(waiting.response().await.body, "1");
    assert_eq!(io.session_count(), 0);
    let path = "/socket.io/?EIO=4&transport=polling";
    assert_eq!(server.http().await.get(path).await.status, 403);
}
