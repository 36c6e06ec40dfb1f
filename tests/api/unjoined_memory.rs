//! The memory that clients without a token can make the server keep: at most 64 MiB for the process, whatever they send.
//!
//! Each attack keeps as much on the server as it can over many connections: parsed, the objects that it sends would take
//! a hundred times their text.

use std::net::SocketAddr;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::idle_memory::{read_until, resident_kib};
use crate::support::{ScratchDatabase, ServerOptions, TestServer};

const ALLOWED_KIB: f64 = 64.0 * 1024.0;
/// A hundred connections can send 95 MiB in messages that the server's own limit of a packet allows.
const CONNECTIONS: usize = 100;
const LONG: usize = 950_000;

/// First bytes of control frames.
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// What an attacker sends on a connection, and keeps open.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// An event of small objects, whose attachment never arrives.
    Attachments,
    /// The same after a CONNECT with an invalid token.
    AttachmentsAfterRefusal,
    /// The same in the help center, which accepts the connection before it refuses the token.
    AttachmentsInHelpCenter,
    /// A CONNECT whose auth payload is small objects.
    Auth,
    /// A message whose last fragment never arrives.
    Fragments,
    /// A polling body that does not end.
    Body,
}

impl Attack {
    async fn start(self, address: SocketAddr) -> TcpStream {
        match self {
            Self::Body => body(address).await,
            _ => {
                let mut stream = websocket(address).await;
                for (first, text) in self.frames() {
                    send(&mut stream, first, text.as_bytes()).await;
                }
                // Its answer, or the end of the connection, shows that the server has read everything before it.
                send(&mut stream, PING, b"").await;
                read_until_handled(&mut stream, &[PONG, 0]).await;
                stream
            }
        }
    }

    /// First byte and data of each frame.
    fn frames(self) -> Vec<(u8, String)> {
        let objects = |length: usize| vec![r#"{"":1}"#; length / 7].join(",");
        let event = |namespace: &str, length| (0x81, format!(r#"451-{namespace},["x",[{}]]"#, objects(length)));
        match self {
            Self::Attachments => vec![event("/support", LONG)],
            Self::AttachmentsAfterRefusal => {
                vec![(0x81, r#"40/support,{"token":"x"}"#.to_owned()), event("/support", 32_000)]
            }
            Self::AttachmentsInHelpCenter => {
                vec![(0x81, r#"40/help-center,{"token":"x"}"#.to_owned()), event("/help-center", 32_000)]
            }
            Self::Auth => vec![(0x81, format!(r#"40/support,{{"a":[{}]}}"#, objects(16_000)))],
            Self::Fragments => vec![(0x01, format!("40/support,{}", "x".repeat(32_000)))],
            Self::Body => Vec::new(),
        }
    }
}

async fn websocket(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut stream, "maxPayload").await;
    stream
}

/// Sends a frame. The server may close the connection before it has read all of it.
async fn send(stream: &mut TcpStream, first: u8, data: &[u8]) {
    let mut frame = vec![first, 0xff];
    frame.extend((data.len() as u64).to_be_bytes());
    frame.extend([0; 4]); // a mask that changes nothing
    frame.extend(data);
    let _ = stream.write_all(&frame).await;
}

/// Reads until the server has sent these bytes or ended the connection.
async fn read_until_handled(stream: &mut TcpStream, sign: &[u8]) {
    let mut bytes = Vec::new();
    while !bytes.windows(sign.len()).any(|window| window == sign) {
        // A connection that is reset has ended, too.
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

async fn body(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let path = "/socket.io/?EIO=4&transport=polling";
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
    let handshake = read_until(&mut stream, "maxPayload").await;
    let sid = handshake.split('"').skip_while(|part| *part != "sid").nth(2).unwrap();
    // Without a length, so that it cannot be refused by that.
    let request = format!("POST {path}&sid={sid} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let _ = stream.write_all(format!("{LONG:x}\r\n{}", "4".repeat(LONG)).as_bytes()).await;
    // It is refused long before its end.
    read_until_handled(&mut stream, b"HTTP/1.1 413").await;
    stream
}

async fn measure(attack: Attack) {
    let database = ScratchDatabase::sqlite();
    let binary = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    // One worker, so that the well-behaved client meets the attack.
    let options = ServerOptions::new(&database).set("SWITCHBOARD__SERVER__WORKERS", "1");
    let server = TestServer::spawn(binary, &options).await.unwrap();
    // The first sessions allocate what every worker allocates once.
    for _ in 0..8 {
        drop(websocket(server.address()).await);
    }
    let before = resident_kib(&server);
    let started: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(attack.start(server.address()))).collect();
    let mut connections = Vec::new();
    for connection in started {
        connections.push(connection.await.unwrap());
    }
    // While they are open a well-behaved client is served.
    let mut client = websocket(server.address()).await;
    send(&mut client, 0x81, b"40/nowhere,").await;
    read_until(&mut client, "44/nowhere,").await;
    let grown = resident_kib(&server) - before;
    assert!(grown <= ALLOWED_KIB, "{attack:?}: {grown} KiB, {ALLOWED_KIB} allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_without_a_token_cannot_make_the_server_keep_much() {
    for attack in [
        Attack::Attachments,
        Attack::AttachmentsAfterRefusal,
        Attack::AttachmentsInHelpCenter,
        Attack::Auth,
        Attack::Fragments,
        Attack::Body,
    ] {
        measure(attack).await;
    }
}
