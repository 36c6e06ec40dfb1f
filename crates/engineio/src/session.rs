//! The session actor: one for each client, on the worker that accepted it, whatever transports it uses over time.
//!
//! Everything that a client sends passes through here, one packet after another; the heartbeat is kept here, and here a
//! session ends. What a client is sent does not: that is the [`crate::outbox`]'s, which any thread may fill.
//!
//! Always true:
//! - a packet is taken only when the application is ready for it, so a full application stops the reading and loses
//!   nothing;
//! - one timer is armed at a time;
//! - the application hears of the close once, and what it still runs is given [`EngineConfig::finish_timeout`];
//! - when the actor stops, nothing of the session is left.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorContext, ActorFuture, AsyncContext, Context as ActorCx, Handler, Message as ActorMessage, SpawnHandle,
};
use futures_util::Stream;
use tokio::sync::{mpsc, oneshot};

use crate::close_reason::CloseReason;
use crate::config::EngineConfig;
use crate::frame::SharedPacket;
use crate::handler::Connection;
use crate::outbox::{Delivery, Outbox};
use crate::packet::{Packet, PacketError};
use crate::registry::{ActiveGuard, Registration};

/// Packets handled before other tasks of the worker get their turn.
const PACKETS_A_TURN: usize = 128;

/// How long a poll may be on its way after the client's close packet, or when the server stops.
const LATE_POLL: Duration = Duration::from_secs(1);
/// How late a timer may fire without the next one starting later for it.
const TIMER_SLACK: Duration = Duration::from_millis(5);

/// What a WebSocket's reader brings.
#[derive(Debug)]
pub(crate) enum Inbound {
    /// A packet, or what should have been one.
    Packet(Result<Packet, PacketError>),
    /// The transport has ended; the code goes into our close frame.
    Ended(CloseReason, Option<u16>),
}

/// Packets from a WebSocket, in order. It ends with the transport.
pub(crate) type Reader = Pin<Box<dyn Stream<Item = Inbound>>>;

/// A data request's packets, and how it went.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) packets: VecDeque<Packet>,
    /// The payload has a bad packet behind these.
    pub(crate) broken: bool,
    /// Told once every packet was handed on. Dropped where the session ended before.
    pub(crate) done: oneshot::Sender<()>,
}

impl ActorMessage for Post {
    type Result = ();
}

/// The session has moved to a WebSocket.
pub(crate) struct Upgraded {
    pub(crate) reader: mpsc::Receiver<Inbound>,
}

impl ActorMessage for Upgraded {
    type Result = ();
}

/// See the module.
pub(crate) struct Session {
    config: Arc<EngineConfig>,
    outbox: Arc<Outbox>,
    connection: Box<dyn Connection>,
    registration: Option<Registration>,
    #[expect(dead_code, reason = "held for its drop alone")]
    running: ActiveGuard,
    posts: VecDeque<Post>,
    reader: Option<Reader>,
    phase: Phase,
    timer: Option<SpawnHandle>,
    /// When the timer that was armed last is due.
    due: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// The application knows; it finishes, and what is queued leaves.
    Closed,
}

impl Session {
    pub(crate) fn new(
        config: Arc<EngineConfig>,
        outbox: Arc<Outbox>,
        connection: Box<dyn Connection>,
        registration: Registration,
        running: ActiveGuard,
        reader: Option<Reader>,
    ) -> Self {
        Self {
            config,
            outbox,
            connection,
            registration: Some(registration),
            running,
            posts: VecDeque::new(),
            reader,
            phase: Phase::Open,
            timer: None,
            due: Instant::now(),
        }
    }

    /// Arms the one timer anew.
    fn arm(&mut self, context: &mut ActorCx<Self>, after: Duration, then: fn(&mut Self, &mut ActorCx<Self>)) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        let now = Instant::now();
        self.due = now + after;
        self.run_at_due(context, now, then);
    }

    /// Arms the timer anew, counting from when the last one was due: that it fired a moment late must not add up.
    fn arm_from_due(&mut self, context: &mut ActorCx<Self>, after: Duration, then: fn(&mut Self, &mut ActorCx<Self>)) {
        let now = Instant::now();
        let late = now.saturating_duration_since(self.due).min(TIMER_SLACK);
        self.due = now - late + after;
        self.run_at_due(context, now, then);
    }

    fn run_at_due(&mut self, context: &mut ActorCx<Self>, now: Instant, then: fn(&mut Self, &mut ActorCx<Self>)) {
        let after = self.due.saturating_duration_since(now);
        self.timer = Some(context.run_later(after, move |session, context| {
            session.timer = None;
            then(session, context);
        }));
    }

    fn ping(&mut self, context: &mut ActorCx<Self>) {
        self.connection.ping_sent();
        self.outbox.push(std::iter::once(&SharedPacket::text("2")), Delivery::Reliable);
        self.arm_from_due(context, self.config.ping_timeout, |session, _| {
            session.outbox.abort(CloseReason::PingTimeout);
        });
    }

    fn take(&mut self, packet: Packet, context: &mut ActorCx<Self>) {
        match packet {
            Packet::Message(message) => self.connection.message(message),
            Packet::Pong(_) => {
                self.connection.ping_answered();
                self.arm(context, self.config.ping_interval, Self::ping);
            }
            // In protocol 4 pings come from the server.
            Packet::Ping(_) => self.outbox.abort(CloseReason::TransportError),
            Packet::Close => self.outbox.closed_by_client(),
            Packet::Open | Packet::Upgrade | Packet::Noop => {}
        }
    }

    /// The next packet of a data request or the WebSocket; whatever ends a request or the session on the way is seen
    /// to.
    fn poll_packet(&mut self, task: &mut Context<'_>) -> Poll<Packet> {
        while let Some(post) = self.posts.front_mut() {
            if let Some(packet) = post.packets.pop_front() {
                return Poll::Ready(packet);
            }
            if post.broken {
                self.outbox.abort(CloseReason::ParseError);
                self.posts.clear();
            } else if let Some(post) = self.posts.pop_front() {
                if self.posts.is_empty() {
                    // Many only listen from now on.
                    self.posts = VecDeque::new();
                }
                // Where the request was given up nobody wants to know.
                let _ = post.done.send(());
            }
        }
        let Some(reader) = &mut self.reader else {
            return Poll::Pending;
        };
        match std::task::ready!(reader.as_mut().poll_next(task)) {
            Some(Inbound::Packet(Ok(packet))) => return Poll::Ready(packet),
            Some(Inbound::Packet(Err(_))) => self.outbox.abort(CloseReason::ParseError),
            Some(Inbound::Ended(reason, Some(code))) => {
                self.outbox.break_off_with_code(reason, code);
            }
            Some(Inbound::Ended(reason, None)) => self.outbox.abort(reason),
            None => self.outbox.abort(CloseReason::TransportClose),
        }
        self.reader = None;
        Poll::Pending
    }

    /// Takes packets while the application is ready for them.
    fn poll_open(&mut self, context: &mut ActorCx<Self>, task: &mut Context<'_>) {
        for _ in 0..PACKETS_A_TURN {
            if self.connection.poll_ready(task).is_pending() || !self.outbox.is_open() {
                return;
            }
            match self.poll_packet(task) {
                Poll::Ready(packet) => self.take(packet, context),
                Poll::Pending => return,
            }
        }
        task.waker().wake_by_ref();
    }

    fn close(&mut self, reason: CloseReason, context: &mut ActorCx<Self>) {
        self.phase = Phase::Closed;
        // A data request with all its packets handed on is answered; another one learns that the session is gone.
        while let Some(post) = self.posts.pop_front() {
            if post.packets.is_empty() && !post.broken {
                let _ = post.done.send(());
            }
        }
        self.connection.closed(reason);
        let patience = match reason {
            _ if self.outbox.is_websocket() => self.config.close_timeout,
            CloseReason::TransportClose | CloseReason::ServerShuttingDown => LATE_POLL,
            _ => self.config.polling_close_timeout,
        };
        self.arm(context, patience, |session, context| {
            session.outbox.abort(CloseReason::ForcedClose);
            session.registration = None;
            let patience = session.config.finish_timeout;
            session.arm(context, patience, |_, context| context.stop());
        });
    }

    /// Lets the application finish and the last packets leave.
    fn poll_closed(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let finished = self.connection.poll_finished(task);
        if !self.outbox.is_over() {
            return Poll::Pending;
        }
        // The id is of no use any more, whatever the application still does.
        self.registration = None;
        finished
    }
}

impl Actor for Session {
    type Context = ActorCx<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.spawn(Pump);
        self.arm(context, self.config.ping_interval, Self::ping);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.outbox.abort(CloseReason::ForcedClose);
    }
}

impl Handler<Post> for Session {
    type Result = ();

    fn handle(&mut self, post: Post, _: &mut Self::Context) {
        if self.phase == Phase::Open {
            self.posts.push_back(post);
            // The pump may have been polled in this turn already.
            self.outbox.wake_owner();
        }
    }
}

impl Handler<Upgraded> for Session {
    type Result = ();

    fn handle(&mut self, upgraded: Upgraded, _: &mut Self::Context) {
        if self.phase == Phase::Open {
            let mut receiver = upgraded.reader;
            self.reader = Some(Box::pin(futures_util::stream::poll_fn(move |task| receiver.poll_recv(task))));
            self.outbox.wake_owner();
        }
    }
}

/// Moves packets and closes the session; polled whenever the actor's task is woken.
struct Pump;

impl ActorFuture<Session> for Pump {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session,
        context: &mut ActorCx<Session>,
        task: &mut Context<'_>,
    ) -> Poll<()> {
        if session.phase == Phase::Open {
            session.poll_open(context, task);
            match session.outbox.poll_ended(task) {
                Poll::Ready(reason) => session.close(reason, context),
                Poll::Pending => return Poll::Pending,
            }
        }
        // Registered before the question, so that no answer is missed.
        let _ = session.outbox.poll_ended(task);
        let finished = session.poll_closed(task);
        if finished.is_ready() {
            context.stop();
        }
        finished
    }
}
