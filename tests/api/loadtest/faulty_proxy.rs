//! A proxy in front of the server that changes what the server says on its way to the load test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// One message does not arrive at a socket.
    Drop,
    /// One arrives twice.
    Double,
    /// Two arrive in each other's place.
    Swap,
    /// One loser of a claim storm is told that they have won.
    SecondWinner,
    /// What is read back lacks its last message.
    Forget,
    /// The first agent who declines a handover is taken to have accepted it.
    TurnNoToYes,
    /// No lie: in the middle of the run the server is gone for good.
    Vanish,
    /// No lie: whoever loses a claim storm is told that they ask too often, as a server with limits would say.
    Limit,
}

/// Told once. Lives as long as the test.
pub(super) struct Liar {
    pub(super) url: String,
    pub(super) has_lied: Arc<AtomicBool>,
}

impl Liar {
    pub(super) async fn before(server: &str, lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let has_lied = Arc::new(AtomicBool::new(false));
        let (told, server) = (Arc::clone(&has_lied), server.trim_start_matches("http://").to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if lie == Lie::Vanish && told.load(Ordering::SeqCst) {
                    continue;
                }
                let upstream = TcpStream::connect(&server).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = upstream.into_split();
                let asked = Arc::new(Mutex::new(String::new()));
                let turns = (lie == Lie::TurnNoToYes).then(|| Arc::clone(&told));
                tokio::spawn(forward(from_client, to_server, Arc::clone(&asked), turns));
                let back = Back { lie, told: Arc::clone(&told), asked, held: None, seen: 0 };
                tokio::spawn(back.carry(from_server, to_client));
            }
        });
        Self { url, has_lied }
    }
}

/// Unchanged, but for a no that `turns` into a yes; the first line of each request is noted.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    asked: Arc<Mutex<String>>,
    turns: Option<Arc<AtomicBool>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let text = String::from_utf8_lossy(&buffer[..read.min(300)]);
        if let Some(line) = text.lines().next().filter(|line| line.contains(" HTTP/1.1")) {
            line.clone_into(&mut asked.lock());
        }
        let no = buffer[..read].windows(10).position(|part| part == b"\"rejected\"");
        if let (Some(no), Some(told)) = (no, &turns)
            && !told.swap(true, Ordering::SeqCst)
        {
            buffer[no..no + 10].copy_from_slice(b"\"accepted\"");
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// The way back, where it is lied.
struct Back {
    lie: Lie,
    told: Arc<AtomicBool>,
    asked: Arc<Mutex<String>>,
    held: Option<Vec<u8>>,
    seen: u32,
}

impl Back {
    async fn carry(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut pending: Vec<u8> = Vec::new();
        let mut is_socket = false;
        while let Ok(1..) = from.read_buf(&mut pending).await {
            if self.lie == Lie::Vanish && self.told.load(Ordering::SeqCst) {
                return;
            }
            let mut out = Vec::new();
            while let Some(length) = if is_socket { frame_length(&pending) } else { answer_length(&pending) } {
                let unit: Vec<u8> = pending.drain(..length).collect();
                if is_socket {
                    out.extend(self.frame(unit));
                } else {
                    is_socket = unit.starts_with(b"HTTP/1.1 101");
                    out.extend(self.answer(unit));
                }
            }
            if to.write_all(&out).await.is_err() {
                return;
            }
        }
    }

    /// Once, to whoever comes first.
    fn may_lie(&self) -> bool {
        !self.told.swap(true, Ordering::SeqCst)
    }

    fn frame(&mut self, frame: Vec<u8>) -> Vec<u8> {
        if !frame.windows(13).any(|part| part == b"\"new_message\"") {
            return frame;
        }
        if let Some(held) = self.held.take() {
            return [frame, held].concat();
        }
        // Not the first ones: the run should be under way.
        self.seen += 1;
        match self.lie {
            Lie::Drop if self.seen > 5 && self.may_lie() => Vec::new(),
            Lie::Vanish if self.seen > 5 && self.may_lie() => Vec::new(),
            Lie::Double if self.seen > 5 && self.may_lie() => frame.repeat(2),
            Lie::Swap if self.seen > 5 && self.may_lie() => {
                self.held = Some(frame);
                Vec::new()
            }
            _ => frame,
        }
    }

    fn answer(&mut self, answer: Vec<u8>) -> Vec<u8> {
        let text = String::from_utf8_lossy(&answer);
        let asked = self.asked.lock().clone();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        match self.lie {
            Lie::SecondWinner if asked.contains("/claim") && head.starts_with("HTTP/1.1 400") && self.may_lie() => {
                written(&head.replacen("400 Bad Request", "201 Created", 1), body)
            }
            Lie::Limit if asked.contains("/claim") && head.starts_with("HTTP/1.1 400") => {
                written(&head.replacen("400 Bad Request", "429 Too Many Requests\r\nretry-after: 0", 1), "{}")
            }
            Lie::Forget if asked.contains("/api/v1/support/conversations/") && self.may_lie() => {
                let mut json: Value = serde_json::from_str(body).unwrap();
                json["data"]["conversation"]["messages"].as_array_mut().unwrap().pop();
                written(head, &json.to_string())
            }
            _ => answer,
        }
    }
}

fn written(head: &str, body: &str) -> Vec<u8> {
    let head: Vec<&str> = head.split("\r\n").filter(|line| !is_length(line)).collect();
    format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()).into_bytes()
}

fn is_length(line: &str) -> bool {
    line.to_lowercase().starts_with("content-length:")
}

/// Of a whole HTTP answer at the beginning, head and body.
fn answer_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let length =
        text.lines().find(|line| is_length(line)).map_or(0, |line| line[15..].trim().parse::<usize>().unwrap());
    (bytes.len() >= head + length).then_some(head + length)
}

/// Of a whole frame at the beginning; a server's frames are not masked.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let (head, length) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()) as usize),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= head + length).then_some(head + length)
}
