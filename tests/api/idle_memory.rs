//! The memory that an idle session on `/support` costs: the growth of the server's resident memory per session.
//!
//! The binary is `SWITCHBOARD_RELEASE_BIN` if set, else `SWITCHBOARD_BIN`, else the one built for tests. A binary in a
//! folder `release` is held to the limits for releases. `SOAK=1` opens 10 000 sessions and requires such a binary, which
//! `scripts/test` builds.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{ScratchDatabase, ServerOptions, TestServer, TestUser};

const WEBSOCKET: Limits = Limits { release: 18.0, test: 20.0 };
const POLLING: Limits = Limits { release: 20.0, test: 24.0 };

/// KiB per session. A test build has larger futures, and fewer sessions share the fixed costs.
struct Limits {
    release: f64,
    test: f64,
}

/// How long a session may take to open on a busy machine.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Sessions that are opened at the same time.
const BATCH: usize = 50;

/// Headers that a browser sends.
const HEADERS: &str = "Host: support.example.com\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\n\
    Accept-Language: en-GB,en;q=0.9\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n\
    Origin: https://app.example.com\r\nReferer: https://app.example.com/\r\nSec-Fetch-Mode: cors\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n";

pub(super) fn resident_kib(server: &TestServer) -> f64 {
    let status = server.proc_status().expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Opens sessions, many at a time; their connections stay open.
async fn open_many(address: SocketAddr, transport: Transport, number: usize) -> Vec<TcpStream> {
    let mut sessions = Vec::new();
    while sessions.len() < number {
        let batch: Vec<_> = (sessions.len()..number.min(sessions.len() + BATCH))
            .map(|index| tokio::spawn(timeout(OPEN_TIMEOUT, open(address, transport, index))))
            .collect();
        for session in batch {
            sessions.push(session.await.unwrap().expect("a session did not open in time"));
        }
    }
    sessions
}

#[derive(Clone, Copy)]
enum Transport {
    Polling,
    WebSocket,
}

/// Opens a session by hand, as a browser does, and joins `/support`. A polling session then has a poll pending.
async fn open(address: SocketAddr, transport: Transport, index: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let token = TestUser::customer(&format!("customer-{index}")).token;
    let connect = format!(r#"40/support,{{"token":"{token}"}}"#);
    match transport {
        Transport::WebSocket => {
            let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            let request = format!("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n{HEADERS}{upgrade}\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            read_until(&mut stream, "maxPayload").await;
            let length = u16::try_from(connect.len()).unwrap();
            let mut frame = vec![0x81, 0xfe];
            frame.extend(length.to_be_bytes());
            frame.extend([0; 4]); // a mask that changes nothing
            frame.extend(connect.as_bytes());
            stream.write_all(&frame).await.unwrap();
        }
        Transport::Polling => {
            let path = "/socket.io/?EIO=4&transport=polling";
            stream.write_all(format!("GET {path} HTTP/1.1\r\n{HEADERS}\r\n").as_bytes()).await.unwrap();
            let handshake = read_until(&mut stream, "maxPayload").await;
            let sid = handshake.split('"').skip_while(|part| *part != "sid").nth(2).unwrap();
            let path = format!("{path}&sid={sid}");
            let mut request = format!("POST {path} HTTP/1.1\r\n{HEADERS}Content-Length: {}\r\n\r\n", connect.len());
            write!(request, "{connect}").unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            read_until(&mut stream, "ok").await;
            let poll = format!("GET {path} HTTP/1.1\r\n{HEADERS}\r\n");
            stream.write_all(poll.as_bytes()).await.unwrap();
            read_until(&mut stream, "40/support,{").await;
            stream.write_all(poll.as_bytes()).await.unwrap();
            return stream;
        }
    }
    read_until(&mut stream, "40/support,{").await;
    stream
}

pub(super) async fn read_until(stream: &mut TcpStream, sign: &str) -> String {
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "ended: {}", String::from_utf8_lossy(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        if text.contains(sign) {
            return text.into_owned();
        }
    }
}

#[expect(clippy::print_stdout, reason = "a soak reports the figure, not only whether it holds")]
async fn measure_idle_sessions(transport: Transport, limits: &Limits) {
    let is_soak = std::env::var_os("SOAK").is_some();
    let number = if is_soak { 10_000 } else { 500 };
    let binary = std::env::var("SWITCHBOARD_RELEASE_BIN").or_else(|_| std::env::var("SWITCHBOARD_BIN"));
    let binary = binary.unwrap_or_else(|_| env!("CARGO_BIN_EXE_switchboard").to_owned());
    let is_release = binary.contains("/release/");
    assert!(is_release || !is_soak, "the long form needs a release build in SWITCHBOARD_RELEASE_BIN");
    let (limit, build) = if is_release { (limits.release, "release") } else { (limits.test, "test") };
    let database = ScratchDatabase::sqlite();
    let server = TestServer::spawn(Path::new(&binary), &ServerOptions::new(&database)).await.unwrap();
    // The first sessions allocate what every worker allocates once.
    drop(open_many(server.address(), transport, BATCH).await);
    let before = resident_kib(&server);
    let sessions = open_many(server.address(), transport, number).await;
    let each = (resident_kib(&server) - before) / number as f64;
    println!("{each:.1} KiB for each of {number} sessions of the {build} build, {limit} KiB allowed");
    assert!(each <= limit, "{each:.1} KiB for each of {number} sessions of the {build} build, {limit} KiB allowed");
    drop(sessions);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_websocket_session_stays_within_its_memory_limit() {
    measure_idle_sessions(Transport::WebSocket, &WEBSOCKET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_polling_session_stays_within_its_memory_limit() {
    measure_idle_sessions(Transport::Polling, &POLLING).await;
}
