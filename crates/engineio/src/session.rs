//! The session actor: one for each client, on the HTTP worker that accepted it, whatever its transport.
//!
//! It handles everything the client sends, packet by packet, keeps the heartbeat and closes the session. Outgoing packets
//! bypass it: any thread pushes them into the [`crate::outbox`].
//!
//! Invariants:
//! - a packet is taken from the transport only while the application accepts messages, so a busy application stops the
//!   reading and loses nothing;
//! - at most one timer runs, and one more for [`SessionHandle::close_after`](crate::SessionHandle::close_after);
//! - the application is notified of the close exactly once, and what it still runs gets
//!   [`EngineConfig::finish_timeout`];
//! - when the actor has stopped, nothing of the session is left: its registration and its guard are dropped with it.
//!
//! This module and [`crate::registry`] import each other, see there.

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

/// Packets handled before the actor yields to other tasks of its worker.
const MAX_PACKETS_PER_POLL: usize = 128;
/// How long a closed session waits for a poll that is still on its way: after the client's close packet, and at shutdown.
const LAST_POLL_TIMEOUT: Duration = Duration::from_secs(1);
/// How much delay of a timer the next one makes up for.
const TIMER_SLACK: Duration = Duration::from_millis(5);

/// What a WebSocket yields.
#[derive(Debug)]
pub(crate) enum Inbound {
    /// A packet, or the error of an invalid one.
    Packet(Result<Packet, PacketError>),
    /// The end of the transport. The code, if any, is for the close frame that answers it.
    Ended(CloseReason, Option<u16>),
}

/// The packets of a WebSocket, in order.
pub(crate) type InboundStream = Pin<Box<dyn Stream<Item = Inbound>>>;

/// The packets of a data request.
#[derive(Debug)]
pub(crate) struct DataRequest {
    pub(crate) packets: VecDeque<Packet>,
    /// An invalid packet follows these.
    pub(crate) is_malformed: bool,
    /// Completed when the application has accepted all packets; dropped if the session closes first.
    pub(crate) handled: oneshot::Sender<()>,
}

impl ActorMessage for DataRequest {
    type Result = ();
}

/// The session has moved to a WebSocket.
pub(crate) struct Upgraded {
    pub(crate) inbound: mpsc::Receiver<Inbound>,
}

impl ActorMessage for Upgraded {
    type Result = ();
}

/// The actor of a session.
pub(crate) struct Session {
    config: Arc<EngineConfig>,
    outbox: Arc<Outbox>,
    connection: Box<dyn Connection>,
    /// `None` once requests can no longer find the session.
    registration: Option<Registration>,
    #[expect(dead_code, reason = "held for its drop")]
    guard: ActiveGuard,
    data_requests: VecDeque<DataRequest>,
    websocket: Option<InboundStream>,
    phase: SessionPhase,
    timer: Option<SpawnHandle>,
    /// The client has not answered the last ping.
    is_ping_unanswered: bool,
    /// When the most recent timer is due.
    due: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionPhase {
    Open,
    /// The application is notified. It finishes, and queued packets are sent.
    Closed,
}

impl Session {
    pub(crate) fn new(
        config: Arc<EngineConfig>,
        outbox: Arc<Outbox>,
        connection: Box<dyn Connection>,
        registration: Registration,
        guard: ActiveGuard,
        websocket: Option<InboundStream>,
    ) -> Self {
        Self {
            config,
            outbox,
            connection,
            registration: Some(registration),
            guard,
            data_requests: VecDeque::new(),
            websocket,
            phase: SessionPhase::Open,
            timer: None,
            is_ping_unanswered: false,
            due: Instant::now(),
        }
    }

    /// Replaces the timer by one that calls `then` after `delay`.
    fn start_timer(&mut self, context: &mut ActorCx<Self>, delay: Duration, then: fn(&mut Self, &mut ActorCx<Self>)) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        let now = Instant::now();
        self.due = now + delay;
        self.schedule(context, now, then);
    }

    /// Starts a timer whose delay counts from the time the previous one was due: otherwise the small delays of all
    /// timers would add up over a session's life.
    fn start_timer_from_due(
        &mut self,
        context: &mut ActorCx<Self>,
        delay: Duration,
        then: fn(&mut Self, &mut ActorCx<Self>),
    ) {
        let now = Instant::now();
        let late = now.saturating_duration_since(self.due).min(TIMER_SLACK);
        self.due = now - late + delay;
        self.schedule(context, now, then);
    }

    fn schedule(&mut self, context: &mut ActorCx<Self>, now: Instant, then: fn(&mut Self, &mut ActorCx<Self>)) {
        let delay = self.due.saturating_duration_since(now);
        self.timer = Some(context.run_later(delay, move |session, context| {
            session.timer = None;
            then(session, context);
        }));
    }

    fn ping(&mut self, context: &mut ActorCx<Self>) {
        self.push_ping();
        self.start_timer_from_due(context, self.config.ping_timeout, Self::abort_unanswered);
    }

    /// Sends a ping that the application asked for, unless the client owes a pong.
    fn ping_on_request(&mut self, context: &mut ActorCx<Self>) {
        if !self.is_ping_unanswered && self.outbox.take_ping_request() {
            self.push_ping();
            self.start_timer(context, self.config.ping_timeout, Self::abort_unanswered);
        }
    }

    fn push_ping(&mut self) {
        self.is_ping_unanswered = true;
        self.connection.before_ping();
        self.outbox.push(std::iter::once(&SharedPacket::text("2")), Delivery::Reliable);
    }

    fn abort_unanswered(&mut self, _: &mut ActorCx<Self>) {
        self.outbox.abort(CloseReason::PingTimeout);
    }

    fn handle_packet(&mut self, packet: Packet, context: &mut ActorCx<Self>) {
        match packet {
            Packet::Message(message) => self.connection.on_message(message),
            Packet::Pong(_) => {
                self.is_ping_unanswered = false;
                self.connection.on_pong();
                self.start_timer(context, self.config.ping_interval, Self::ping);
            }
            // In protocol 4 the server sends the pings.
            Packet::Ping(_) => self.outbox.abort(CloseReason::TransportError),
            Packet::Close => self.outbox.close_by_client(),
            Packet::Open | Packet::Upgrade | Packet::Noop => {}
        }
    }

    /// The next packet of the data requests, then of the WebSocket. On the way it completes data requests whose packets
    /// are all handled, and aborts the session if a transport has failed.
    fn poll_packet(&mut self, task: &mut Context<'_>) -> Poll<Packet> {
        while let Some(request) = self.data_requests.front_mut() {
            if let Some(packet) = request.packets.pop_front() {
                return Poll::Ready(packet);
            }
            if request.is_malformed {
                self.outbox.abort(CloseReason::ParseError);
                self.data_requests.clear();
            } else if let Some(request) = self.data_requests.pop_front() {
                if self.data_requests.is_empty() {
                    // Frees the queue's memory: many clients send nothing after they have joined.
                    self.data_requests = VecDeque::new();
                }
                // The receiver is gone if the client has abandoned the request.
                let _ = request.handled.send(());
            }
        }
        let Some(websocket) = &mut self.websocket else {
            return Poll::Pending;
        };
        match std::task::ready!(websocket.as_mut().poll_next(task)) {
            Some(Inbound::Packet(Ok(packet))) => return Poll::Ready(packet),
            Some(Inbound::Packet(Err(_))) => self.outbox.abort(CloseReason::ParseError),
            Some(Inbound::Ended(reason, code)) => self.outbox.abort_with_code(reason, code),
            None => self.outbox.abort(CloseReason::TransportClose),
        }
        self.websocket = None;
        Poll::Pending
    }

    /// Handles packets while the application accepts them.
    fn poll_open(&mut self, context: &mut ActorCx<Self>, task: &mut Context<'_>) {
        for _ in 0..MAX_PACKETS_PER_POLL {
            if self.connection.poll_ready(task).is_pending() || !self.outbox.is_open() {
                return;
            }
            match self.poll_packet(task) {
                Poll::Ready(packet) => self.handle_packet(packet, context),
                Poll::Pending => return,
            }
        }
        task.waker().wake_by_ref();
    }

    fn close(&mut self, reason: CloseReason, context: &mut ActorCx<Self>) {
        self.phase = SessionPhase::Closed;
        // A data request whose packets are all handled succeeds; any other one fails.
        while let Some(request) = self.data_requests.pop_front() {
            if request.packets.is_empty() && !request.is_malformed {
                let _ = request.handled.send(());
            }
        }
        self.connection.on_close(reason);
        let close_timeout = match reason {
            _ if self.outbox.is_websocket() => self.config.close_timeout,
            CloseReason::TransportClose | CloseReason::ServerShuttingDown => LAST_POLL_TIMEOUT,
            CloseReason::TransportError
            | CloseReason::ForcedClose
            | CloseReason::PingTimeout
            | CloseReason::ParseError => self.config.polling_close_timeout,
        };
        self.start_timer(context, close_timeout, |session, context| {
            session.outbox.abort(CloseReason::ForcedClose);
            session.registration = None;
            let finish_timeout = session.config.finish_timeout;
            session.start_timer(context, finish_timeout, |_, context| context.stop());
        });
    }

    fn schedule_delayed_close(&self, context: &mut ActorCx<Self>) {
        if let Some((reason, delay)) = self.outbox.take_delayed_close() {
            context.run_later(delay, move |session, _| session.outbox.close(reason));
        }
    }

    /// Ready when the application has finished and the last packets are sent.
    fn poll_closed(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let finished = self.connection.poll_finished(task);
        if !self.outbox.is_closed() {
            return Poll::Pending;
        }
        // Requests need not find the session any more, even if the application is still finishing.
        self.registration = None;
        finished
    }
}

impl Actor for Session {
    type Context = ActorCx<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.spawn(Pump);
        self.start_timer(context, self.config.ping_interval, Self::ping);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.outbox.abort(CloseReason::ForcedClose);
    }
}

impl Handler<DataRequest> for Session {
    type Result = ();

    fn handle(&mut self, request: DataRequest, _: &mut Self::Context) {
        if self.phase == SessionPhase::Open {
            self.data_requests.push_back(request);
            // The pump may have been polled before this message in the same turn of the actor.
            self.outbox.wake_session();
        }
    }
}

impl Handler<Upgraded> for Session {
    type Result = ();

    fn handle(&mut self, upgraded: Upgraded, _: &mut Self::Context) {
        if self.phase == SessionPhase::Open {
            let mut inbound = upgraded.inbound;
            self.websocket = Some(Box::pin(futures_util::stream::poll_fn(move |task| inbound.poll_recv(task))));
            self.outbox.wake_session();
        }
    }
}

/// Handles packets and closes the session. The actor polls it whenever its task is woken.
struct Pump;

impl ActorFuture<Session> for Pump {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session,
        context: &mut ActorCx<Session>,
        task: &mut Context<'_>,
    ) -> Poll<()> {
        if session.phase == SessionPhase::Open {
            session.poll_open(context, task);
            session.ping_on_request(context);
            match session.outbox.poll_close_reason(task) {
                Poll::Ready(reason) => session.close(reason, context),
                Poll::Pending => {
                    // After `poll_close_reason` has stored the waker, so that no request is missed.
                    session.schedule_delayed_close(context);
                    return Poll::Pending;
                }
            }
        }
        // Stores the waker before `poll_closed` reads the outbox's phase, so that no change is missed.
        let _ = session.outbox.poll_close_reason(task);
        let finished = session.poll_closed(task);
        if finished.is_ready() {
            context.stop();
        }
        finished
    }
}
