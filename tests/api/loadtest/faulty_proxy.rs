//! A proxy that breaks one of the server's promises on the way to the load test, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use switchboard_testkit::{Flow, Interceptor, Proxy};

/// Events that a connection receives before the proxy interferes, so that the run is under way.
const UNDISTURBED_EVENTS: u32 = 5;

/// What the proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// One message does not arrive at a socket.
    DropMessage,
    /// One message arrives twice.
    DuplicateMessage,
    /// Two messages arrive in reverse order.
    ReorderMessages,
    /// One loser of a claim storm is answered that they have won.
    SecondWinner,
    /// The last message is missing when a conversation is read back.
    OmitLastMessage,
    /// The first agent who rejects a handover is taken to have accepted it.
    AcceptRejectedHandover,
    /// No broken promise: the server disappears in the middle of the run.
    Disappear,
    /// No broken promise: losers of a claim storm are rate-limited, as by a server with limits.
    RateLimit,
}

/// A proxy with a defect. It runs as long as the test's runtime.
pub(super) struct FaultyProxy {
    pub(super) url: String,
    has_struck: Arc<AtomicBool>,
}

impl FaultyProxy {
    /// Starts a proxy for the server at this URL.
    pub(super) async fn start(server_url: &str, defect: Defect) -> Self {
        let target = server_url.trim_start_matches("http://").parse().unwrap();
        let has_struck = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&has_struck);
        let proxy = Proxy::intercept(target, move || Connection::new(defect, Arc::clone(&shared))).await;
        Self { url: proxy.url(), has_struck }
    }

    /// Whether the defect has shown.
    pub(super) fn has_struck(&self) -> bool {
        self.has_struck.load(Ordering::SeqCst)
    }
}

/// One connection: HTTP requests and answers, and after an upgrade the server's WebSocket frames.
struct Connection {
    defect: Defect,
    has_struck: Arc<AtomicBool>,
    /// The request line of the last request.
    request_line: String,
    is_websocket: bool,
    /// What the server has sent of an incomplete answer or frame.
    incomplete: Vec<u8>,
    /// A frame that is sent after its successor.
    delayed: Option<Vec<u8>>,
    events: u32,
}

impl Interceptor for Connection {
    fn request(&mut self, bytes: &mut Vec<u8>) -> Flow {
        if self.defect == Defect::Disappear && self.has_struck.load(Ordering::SeqCst) {
            return Flow::Close;
        }
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
        if let Some(line) = text.lines().next().filter(|line| line.contains(" HTTP/1.1")) {
            line.clone_into(&mut self.request_line);
        }
        let rejection = bytes.windows(10).position(|part| part == b"\"rejected\"");
        if let (Some(at), Defect::AcceptRejectedHandover) = (rejection, self.defect)
            && self.strikes()
        {
            bytes[at..at + 10].copy_from_slice(b"\"accepted\"");
        }
        Flow::Continue
    }

    fn response(&mut self, bytes: &mut Vec<u8>) -> Flow {
        if self.defect == Defect::Disappear && self.has_struck.load(Ordering::SeqCst) {
            return Flow::Close;
        }
        self.incomplete.append(bytes);
        while let Some(length) = self.complete_length() {
            let unit: Vec<u8> = self.incomplete.drain(..length).collect();
            if self.is_websocket {
                bytes.extend(self.frame(unit));
            } else {
                self.is_websocket = unit.starts_with(b"HTTP/1.1 101");
                bytes.extend(self.answer(unit));
            }
        }
        Flow::Continue
    }
}

impl Connection {
    fn new(defect: Defect, has_struck: Arc<AtomicBool>) -> Self {
        Self {
            defect,
            has_struck,
            request_line: String::new(),
            is_websocket: false,
            incomplete: Vec::new(),
            delayed: None,
            events: 0,
        }
    }

    /// The length of the first answer or frame, once it is complete.
    fn complete_length(&self) -> Option<usize> {
        if self.is_websocket { frame_length(&self.incomplete) } else { answer_length(&self.incomplete) }
    }

    /// True once, for the first connection that asks.
    fn strikes(&self) -> bool {
        !self.has_struck.swap(true, Ordering::SeqCst)
    }

    fn frame(&mut self, frame: Vec<u8>) -> Vec<u8> {
        if !frame.windows(13).any(|part| part == b"\"new_message\"") {
            return frame;
        }
        if let Some(delayed) = self.delayed.take() {
            return [frame, delayed].concat();
        }
        self.events += 1;
        if self.events <= UNDISTURBED_EVENTS {
            return frame;
        }
        match self.defect {
            Defect::DropMessage | Defect::Disappear if self.strikes() => Vec::new(),
            Defect::DuplicateMessage if self.strikes() => frame.repeat(2),
            Defect::ReorderMessages if self.strikes() => {
                self.delayed = Some(frame);
                Vec::new()
            }
            _ => frame,
        }
    }

    fn answer(&mut self, answer: Vec<u8>) -> Vec<u8> {
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let is_lost_claim = self.request_line.contains("/claim") && head.starts_with("HTTP/1.1 400");
        let is_detail = self.request_line.contains("/api/v1/support/conversations/");
        match self.defect {
            Defect::SecondWinner if is_lost_claim && self.strikes() => {
                with_content_length(&head.replacen("400 Bad Request", "201 Created", 1), body)
            }
            Defect::RateLimit if is_lost_claim => {
                let head = head.replacen("400 Bad Request", "429 Too Many Requests\r\nretry-after: 0", 1);
                with_content_length(&head, "{}")
            }
            Defect::OmitLastMessage if is_detail && self.strikes() => {
                let mut json: Value = serde_json::from_str(body).unwrap();
                json["data"]["conversation"]["messages"].as_array_mut().unwrap().pop();
                with_content_length(head, &json.to_string())
            }
            _ => answer,
        }
    }
}

fn with_content_length(head: &str, body: &str) -> Vec<u8> {
    let head: Vec<&str> = head.split("\r\n").filter(|line| !is_content_length(line)).collect();
    format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()).into_bytes()
}

fn is_content_length(line: &str) -> bool {
    line.to_lowercase().starts_with("content-length:")
}

/// The length of the complete HTTP answer at the beginning, head and body.
fn answer_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let length = text.lines().find(|line| is_content_length(line));
    let length = length.map_or(0, |line| line[15..].trim().parse::<usize>().unwrap());
    (bytes.len() >= head + length).then_some(head + length)
}

/// The length of the complete WebSocket frame at the beginning. A server's frames are not masked.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let (head, length) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap())).unwrap()),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= head + length).then_some(head + length)
}
