//! The end of a WebSocket's TCP connection (RFC 6455, sections 5.5.1 and 7.1.1): the server sends FIN right after its close
//! frame, and does not wait for a client that neither answers nor hangs up.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::idle_memory::read_until;
use crate::support::{QUEUE, ScratchDatabase, ServerOptions, TestServer, TestUser};

/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// What makes the server close a WebSocket.
#[derive(Clone, Copy, Debug)]
enum Cause {
    /// The client's close frame.
    Frame,
    /// The client's close packet.
    Packet,
    /// A packet that is not valid.
    InvalidPacket,
    /// A frame that is not valid.
    InvalidFrame,
    /// A token that the help center refuses.
    Refusal,
}

async fn spawn(options: ServerOptions) -> TestServer {
    TestServer::spawn(std::path::Path::new(env!("CARGO_BIN_EXE_switchboard")), &options).await.unwrap()
}

async fn websocket(server: &TestServer, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n").as_bytes()).await.unwrap();
    stream
}

async fn open(server: &TestServer) -> TcpStream {
    let mut stream = websocket(server, "/socket.io/?EIO=4&transport=websocket").await;
    read_until(&mut stream, "maxPayload").await;
    stream
}

async fn send(stream: &mut TcpStream, first: u8, data: &[u8]) {
    // A mask that changes nothing.
    let frame = [&[first, 0x80 | u8::try_from(data.len()).unwrap(), 0, 0, 0, 0], data].concat();
    stream.write_all(&frame).await.unwrap();
}

impl Cause {
    /// A WebSocket that the server is about to close.
    async fn closing(self, server: &TestServer) -> TcpStream {
        let mut stream = open(server).await;
        match self {
            Self::Frame => send(&mut stream, CLOSE, &1000_u16.to_be_bytes()).await,
            Self::Packet => send(&mut stream, TEXT, b"1").await,
            Self::InvalidPacket => send(&mut stream, TEXT, b"x").await,
            Self::InvalidFrame => send(&mut stream, 0xff, b"").await,
            Self::Refusal => send(&mut stream, TEXT, br#"40/help-center,{"token":"x"}"#).await,
        }
        stream
    }
}

/// The second WebSocket of a session that attempts an upgrade: the server accepts and closes it while the first is open.
async fn closing_upgrade(server: &TestServer) -> (TcpStream, TcpStream) {
    let path = "/socket.io/?EIO=4&transport=polling";
    let mut http = TcpStream::connect(server.address()).await.unwrap();
    http.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
    let handshake = read_until(&mut http, "maxPayload").await;
    let sid = handshake.split('"').skip_while(|part| *part != "sid").nth(2).unwrap();
    let path = format!("/socket.io/?EIO=4&transport=websocket&sid={sid}");
    let mut first = websocket(server, &path).await;
    read_until(&mut first, "101").await;
    (websocket(server, &path).await, first)
}

/// Reads to the end. The last that arrived before it is a close frame.
async fn assert_ends_after_close_frame(stream: &mut TcpStream, cause: impl std::fmt::Debug) {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("it stays open").unwrap();
    let closes = bytes.ends_with(&[CLOSE, 0]) || matches!(bytes[..], [.., CLOSE, 2, _, _]);
    assert!(closes, "{cause:?}: {bytes:?}");
}

async fn assert_ends_before(mut lingering: TcpStream, closing: &mut TcpStream, cause: impl std::fmt::Debug) {
    let mut rest = Vec::new();
    tokio::select! {
        biased;
        () = assert_ends_after_close_frame(closing, &cause) => {}
        _ = lingering.read_to_end(&mut rest) => panic!("{cause:?}: the connection lingers"),
    }
}

/// A connection whose end actix-http waits for after its last answer, as it would for that of a WebSocket.
async fn lingering(server: &TestServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!("POST {QUEUE}/x/claim HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut stream, "\"PAYLOAD_TOO_LARGE\"").await;
    stream
}

/// The client sends nothing in answer, and sees the end before that of a connection which the server waits for.
#[tokio::test]
async fn the_connection_ends_right_after_the_close_frame_on_a_close_by_either_side() {
    let database = ScratchDatabase::sqlite();
    let server = spawn(ServerOptions::new(&database)).await;
    for cause in [Cause::Frame, Cause::Packet, Cause::InvalidPacket, Cause::InvalidFrame] {
        let lingering = lingering(&server).await;
        assert_ends_before(lingering, &mut cause.closing(&server).await, cause).await;
    }
    let lingering = lingering(&server).await;
    let (mut second, _first) = closing_upgrade(&server).await;
    assert_ends_before(lingering, &mut second, "a second upgrade").await;
    // The server gives its clients a second for this one, so there is nothing to compare it with.
    assert_ends_after_close_frame(&mut Cause::Refusal.closing(&server).await, "a refusal").await;
}

#[tokio::test]
async fn the_connections_end_right_after_their_close_frames_when_the_server_stops() {
    let database = ScratchDatabase::sqlite();
    let server = spawn(ServerOptions::new(&database)).await;
    let mut lingering = lingering(&server).await;
    let mut sockets = Vec::new();
    for number in 0..20 {
        let mut socket = open(&server).await;
        if number % 2 == 0 {
            let token = TestUser::customer(&format!("customer-{number}")).token;
            let connect = format!("40/support,{}", json!({ "token": token }));
            let mut frame = vec![TEXT, 0xfe];
            frame.extend(u16::try_from(connect.len()).unwrap().to_be_bytes());
            frame.extend([0; 4]);
            frame.extend(connect.as_bytes());
            socket.write_all(&frame).await.unwrap();
            read_until(&mut socket, "40/support,{").await;
        }
        sockets.push(socket);
    }
    let stopped = std::process::Command::new("bash").args(["-c", &format!("kill -TERM {}", server.pid())]).status();
    assert!(stopped.unwrap().success());
    let closed = async {
        for socket in &mut sockets {
            assert_ends_after_close_frame(socket, "SIGTERM").await;
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        biased;
        () = closed => {}
        _ = lingering.read_to_end(&mut rest) => panic!("the connections linger"),
    }
}

/// The server's side is closed for good: the client's system learns of that when it sends.
#[tokio::test]
async fn a_client_that_neither_answers_nor_hangs_up_is_ended() {
    let database = ScratchDatabase::sqlite();
    let server = spawn(ServerOptions::new(&database)).await;
    for cause in [Cause::Frame, Cause::Packet, Cause::InvalidFrame] {
        let mut stream = cause.closing(&server).await;
        assert_ends_after_close_frame(&mut stream, cause).await;
        let writing = async {
            while stream.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, writing).await.unwrap_or_else(|_| panic!("{cause:?}: the connection is never closed"));
    }
}
