//! What an idle session on `/support` costs: the program's resident memory, divided.
//!
//! The program is `SWITCHBOARD_RELEASE_BIN` where that is set, else `SWITCHBOARD_BIN`, else what is built for tests.
//! One out of a folder `release` is held to what `performance.md` allows. `SOAK=1` makes it 10 000 sessions and takes
//! no other: `scripts/test` builds it then.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Person, Program};

/// KiB that one may take: of the `shipped` program as `performance.md` has it. What is built for tests has larger
/// futures, and few sessions share what is there once.
const WEBSOCKET: Limits = Limits { shipped: 18.0, tested: 20.0 };
const POLLING: Limits = Limits { shipped: 20.0, tested: 24.0 };

struct Limits {
    shipped: f64,
    tested: f64,
}

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Sessions that are opened at the same time.
const AT_ONCE: usize = 50;

/// What a browser sends besides.
const HEADERS: &str = "Host: support.example.com\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\n\
    Accept-Language: en-GB,en;q=0.9\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n\
    Origin: https://app.example.com\r\nReferer: https://app.example.com/\r\nSec-Fetch-Mode: cors\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n";

fn resident_kib(program: &Program) -> f64 {
    let status = program.status();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Opens sessions, many at a time, and keeps them.
async fn open_many(address: SocketAddr, transport: Transport, number: usize) -> Vec<TcpStream> {
    let mut sessions = Vec::new();
    while sessions.len() < number {
        let opening: Vec<_> = (sessions.len()..number.min(sessions.len() + AT_ONCE))
            .map(|index| tokio::spawn(timeout(PATIENCE, open(address, transport, index))))
            .collect();
        for session in opening {
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

/// A session that has joined `/support` and then waits.
async fn open(address: SocketAddr, transport: Transport, index: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let token = Person::customer(&format!("customer-{index}")).token;
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
            let opened = read_until(&mut stream, "maxPayload").await;
            let sid = opened.split('"').skip_while(|part| *part != "sid").nth(2).unwrap();
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

async fn read_until(stream: &mut TcpStream, sign: &str) -> String {
    let mut read = Vec::new();
    loop {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "ended: {}", String::from_utf8_lossy(&read));
        let text = String::from_utf8_lossy(&read);
        if text.contains(sign) {
            return text.into_owned();
        }
    }
}

#[expect(clippy::print_stdout, reason = "which limit was held, and how well, is what a soak is for")]
async fn idle_sessions_stay_within(transport: Transport, limits: &Limits) {
    let is_soak = std::env::var_os("SOAK").is_some();
    let number = if is_soak { 10_000 } else { 500 };
    let binary = std::env::var("SWITCHBOARD_RELEASE_BIN").or_else(|_| std::env::var("SWITCHBOARD_BIN"));
    let binary = binary.unwrap_or_else(|_| env!("CARGO_BIN_EXE_switchboard").to_owned());
    let is_shipped = binary.contains("/release/");
    assert!(is_shipped || !is_soak, "the long form needs a release build in SWITCHBOARD_RELEASE_BIN");
    let (limit, kind) = match is_shipped {
        true => (limits.shipped, "shipped"),
        false => (limits.tested, "tested"),
    };
    // What is made once, on every worker, is not counted.
    let program = Program::start(&binary, "").await;
    drop(open_many(program.address, transport, AT_ONCE).await);
    let before = resident_kib(&program);
    let sessions = open_many(program.address, transport, number).await;
    let each = (resident_kib(&program) - before) / number as f64;
    println!("{each:.1} KiB for each of {number} sessions of the {kind} program, which may take {limit} KiB");
    assert!(each <= limit, "{each:.1} KiB for each of {number} sessions, {limit} allowed ({kind})");
    drop(sessions);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_websocket_costs_no_more_than_it_may() {
    idle_sessions_stay_within(Transport::WebSocket, &WEBSOCKET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_poll_costs_no_more_than_it_may() {
    idle_sessions_stay_within(Transport::Polling, &POLLING).await;
}
