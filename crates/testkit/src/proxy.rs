//! A TCP proxy that disturbs what passes: between clients and a server, or between a server and PostgreSQL.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The largest piece that is forwarded at once, in bytes.
const PIECE_BYTES: usize = 64 << 10;

/// What a proxied link does to its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCondition {
    /// It forwards everything at once.
    Healthy,
    /// Each piece takes up to this many milliseconds.
    Delayed(u64),
    /// It forwards nothing and closes nothing. What it holds back is forwarded when the condition ends.
    HalfOpen,
    /// Requests arrive; instead of an answer the connection is reset.
    ResponsesLost,
    /// A request arrives in part or completely, and the connection is reset.
    Torn,
}

impl LinkCondition {
    /// Whether it affects this direction.
    fn affects(self, direction: Direction) -> bool {
        match self {
            Self::Healthy => false,
            Self::Delayed(_) | Self::HalfOpen => true,
            Self::ResponsesLost => direction == Direction::Response,
            Self::Torn => direction == Direction::Request,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Request,
    Response,
}

/// Whether a connection stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Forward what is left in the buffer.
    Continue,
    /// Close the connection.
    Close,
}

/// Reads and rewrites what passes on one connection. An interceptor may keep bytes back until it has a complete message.
pub trait Interceptor: Send {
    /// Bytes that the client has sent; what is left in `bytes` is forwarded.
    fn request(&mut self, bytes: &mut Vec<u8>) -> Flow;
    /// Bytes that the server has sent; what is left in `bytes` is forwarded.
    fn response(&mut self, bytes: &mut Vec<u8>) -> Flow;
}

/// Called when a condition or a reset affects a connection.
type OnEffect = Arc<dyn Fn() + Send + Sync>;

#[derive(Clone)]
struct Condition {
    kind: LinkCondition,
    on_effect: OnEffect,
}

impl Condition {
    fn healthy() -> Self {
        Self { kind: LinkCondition::Healthy, on_effect: Arc::new(|| {}) }
    }
}

/// A proxy in front of one server at a time. A connection to a server that does not listen is closed at once.
pub struct Proxy {
    address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    condition: watch::Sender<Condition>,
    reset: watch::Sender<Option<OnEffect>>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Starts a proxy whose connections end by a reset, as a broken line ends them. The seed decides how long a delay
    /// takes and where a request is torn.
    pub async fn start(target: SocketAddr, seed: u64) -> Self {
        Self::listen(target, seed, None::<fn() -> Forward>).await
    }

    /// Starts a proxy that rewrites what passes; each connection has its own interceptor. Connections end by a close.
    pub async fn intercept<I: Interceptor + 'static>(
        target: SocketAddr,
        interceptor: impl Fn() -> I + Send + 'static,
    ) -> Self {
        Self::listen(target, 0, Some(interceptor)).await
    }

    async fn listen<I: Interceptor + 'static>(
        target: SocketAddr,
        seed: u64,
        interceptor: Option<impl Fn() -> I + Send + 'static>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(Mutex::new(target));
        let (condition, reset) = (watch::Sender::new(Condition::healthy()), watch::Sender::new(None));
        let (conditions, resets, current) = (condition.subscribe(), reset.subscribe(), Arc::clone(&target));
        tokio::spawn(async move {
            let random = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let target = *current.lock();
                let interceptor: Option<Box<dyn Interceptor>> =
                    interceptor.as_ref().map(|interceptor| Box::new(interceptor()) as Box<dyn Interceptor>);
                let link = Link {
                    random: Arc::clone(&random),
                    condition: conditions.clone(),
                    interceptor: interceptor.map(Mutex::new),
                };
                let resets = resets.clone();
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(target).await {
                        link.run(client, server, resets).await;
                    }
                });
            }
        });
        Self { address, target, condition, reset }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connects clients to another server from now on.
    pub fn retarget(&self, target: SocketAddr) {
        *self.target.lock() = target;
    }

    /// Puts the link into a condition; `on_effect` is called whenever that affects a connection.
    pub fn set(&self, kind: LinkCondition, on_effect: impl Fn() + Send + Sync + 'static) {
        self.condition.send_replace(Condition { kind, on_effect: Arc::new(on_effect) });
    }

    /// Makes the link healthy again.
    pub fn heal(&self) {
        self.condition.send_replace(Condition::healthy());
    }

    /// Resets every connection; `on_effect` is called for each.
    pub fn reset_all(&self, on_effect: impl Fn() + Send + Sync + 'static) {
        self.reset.send_replace(Some(Arc::new(on_effect)));
    }
}

/// The interceptor of a proxy that has none.
struct Forward;

impl Interceptor for Forward {
    fn request(&mut self, _: &mut Vec<u8>) -> Flow {
        Flow::Continue
    }

    fn response(&mut self, _: &mut Vec<u8>) -> Flow {
        Flow::Continue
    }
}

/// One connection.
struct Link {
    random: Arc<Mutex<StdRng>>,
    condition: watch::Receiver<Condition>,
    interceptor: Option<Mutex<Box<dyn Interceptor>>>,
}

impl Link {
    async fn run(self, mut client: TcpStream, mut server: TcpStream, mut reset: watch::Receiver<Option<OnEffect>>) {
        reset.mark_unchanged();
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
            if self.interceptor.is_none() {
                // With a linger time of zero a dropped connection is reset, not closed.
                SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
            }
        }
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            () = self.forward(from_client, to_server, Direction::Request) => {}
            () = self.forward(from_server, to_client, Direction::Response) => {}
            // Once the proxy's handle is dropped, nothing resets its connections any more.
            Ok(()) = reset.changed() => {
                if let Some(on_effect) = &*reset.borrow() {
                    on_effect();
                }
            }
        }
    }

    /// Forwards one direction until a side or the link's condition ends the connection.
    async fn forward(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, direction: Direction) {
        let mut condition = self.condition.clone();
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
            let mut piece = buffer[..length].to_vec();
            let Condition { kind, on_effect } = condition.borrow_and_update().clone();
            let is_affected = kind.affects(direction);
            if is_affected {
                on_effect();
            }
            let mut is_last = false;
            match kind {
                LinkCondition::Delayed(most) => self.pause(most).await,
                LinkCondition::HalfOpen => {
                    // Also the end of the proxy ends the wait.
                    let _ = condition.wait_for(|now| now.kind != LinkCondition::HalfOpen).await;
                }
                LinkCondition::ResponsesLost if is_affected => return,
                LinkCondition::Torn if is_affected => {
                    is_last = true;
                    if self.below(2) == 0 {
                        piece.truncate(length.div_ceil(2));
                    }
                }
                LinkCondition::Healthy | LinkCondition::ResponsesLost | LinkCondition::Torn => {}
            }
            if self.intercept(&mut piece, direction) == Flow::Close || to.write_all(&piece).await.is_err() {
                return;
            }
            if is_last {
                // Usually long enough for the receiver to begin with it.
                self.pause(4).await;
                return;
            }
        }
    }

    fn intercept(&self, piece: &mut Vec<u8>, direction: Direction) -> Flow {
        let Some(interceptor) = &self.interceptor else { return Flow::Continue };
        match direction {
            Direction::Request => interceptor.lock().request(piece),
            Direction::Response => interceptor.lock().response(piece),
        }
    }

    fn below(&self, limit: u64) -> u64 {
        self.random.lock().random_range(0..limit)
    }

    async fn pause(&self, most: u64) {
        let pause = Duration::from_millis(self.below(most));
        tokio::time::sleep(pause).await;
    }
}
