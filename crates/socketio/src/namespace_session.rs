//! One connection in one namespace, from its CONNECT packet to the end of its last handler.
//!
//! It lives on the connection's worker and runs, one after another: the middleware, `on_connect`, a handler for each
//! event, `on_disconnect`.
//!
//! Invariants: at most one handler runs at a time; events are handled in the order received; `on_disconnect` runs exactly
//! once for each client that the middleware accepted, unless the session is dropped; nothing is allocated for handlers
//! while no event is handled.

mod any;
mod queue;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use engineio::{Delivery, SessionHandle};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

pub(crate) use self::any::{AnyNamespaceSession, Progress};
use self::queue::EventQueue;
pub(crate) use self::queue::{IncomingEvent, QueueDepth};
use crate::arguments::Arguments;
use crate::connect::{Admission, NamespaceInner};
use crate::disconnect_reason::DisconnectReason;
use crate::encode;
use crate::event::Event;
use crate::handshake::ConnectRefusal;
use crate::packet::ParsedEvent;
use crate::recovery::Pid;
use crate::socket::Socket;

/// One connection in one namespace.
pub(super) struct NamespaceSession<D> {
    namespace: Arc<NamespaceInner<D>>,
    session: SessionHandle,
    phase: Phase<D>,
    queue: EventQueue,
    /// Set when the client leaves; `on_disconnect` runs once the queue is empty.
    disconnect_reason: Option<DisconnectReason>,
}

enum Phase<D> {
    /// The middleware runs.
    Authorising(LocalBoxFuture<'static, Result<Admission<D>, ConnectRefusal>>),
    /// `on_connect` runs.
    Connecting {
        admission: Admission<D>,
        handler: LocalBoxFuture<'static, ()>,
    },
    /// Events are handled, one at a time.
    Joined {
        socket: Socket<D>,
        pid: Option<Pid>,
        handler: Option<RunningHandler>,
    },
    /// `on_disconnect` runs.
    Disconnecting {
        socket: Socket<D>,
        pid: Option<Pid>,
        handler: LocalBoxFuture<'static, ()>,
    },
    Done,
}

/// The handler of an event.
struct RunningHandler {
    future: LocalBoxFuture<'static, ()>,
    held: Held,
}

/// What the event of a running handler takes, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// As received: attachments are kept.
    received: usize,
    /// The parsed arguments.
    parsed: usize,
}

/// Why a step failed.
enum StepError {
    /// A handler panicked.
    Panicked,
    /// An event is not valid.
    Invalid,
}

/// Polls a future of the application, so that a panic ends its client's connection and not the worker.
fn poll_guarded<T>(future: &mut LocalBoxFuture<'static, T>, context: &mut Context<'_>) -> Result<Poll<T>, StepError> {
    catch_unwind(AssertUnwindSafe(|| future.poll_unpin(context))).map_err(|_| StepError::Panicked)
}

impl<D: Send + Sync + 'static> NamespaceSession<D> {
    pub(super) fn new(
        namespace: Arc<NamespaceInner<D>>,
        session: SessionHandle,
        admission: LocalBoxFuture<'static, Result<Admission<D>, ConnectRefusal>>,
    ) -> Self {
        Self {
            namespace,
            session,
            phase: Phase::Authorising(admission),
            queue: EventQueue::default(),
            disconnect_reason: None,
        }
    }

    /// Makes one step. `Ready` if another one may be possible.
    fn step(&mut self, context: &mut Context<'_>) -> Result<Poll<()>, StepError> {
        match &mut self.phase {
            Phase::Authorising(_) if self.disconnect_reason.is_some() => self.phase = Phase::Done,
            Phase::Authorising(admission) => match poll_guarded(admission, context)? {
                Poll::Ready(Ok(admission)) => {
                    let handler = (self.namespace.definition.on_connect)(admission.socket.clone());
                    self.phase = Phase::Connecting { admission, handler };
                }
                Poll::Ready(Err(refusal)) => {
                    self.refuse(&refusal);
                    self.phase = Phase::Done;
                }
                Poll::Pending => return Ok(Poll::Pending),
            },
            Phase::Connecting { handler, .. } => {
                if poll_guarded(handler, context)?.is_pending() {
                    return Ok(Poll::Pending);
                }
                self.complete_connect();
            }
            Phase::Joined { handler: Some(handler), .. } => {
                if poll_guarded(&mut handler.future, context)?.is_pending() {
                    return Ok(Poll::Pending);
                }
                if let Phase::Joined { handler, .. } = &mut self.phase {
                    *handler = None;
                }
            }
            Phase::Joined { handler: None, .. } => return self.start_next_handler(),
            Phase::Disconnecting { handler, .. } => {
                if poll_guarded(handler, context)?.is_pending() {
                    return Ok(Poll::Pending);
                }
                self.finish();
            }
            Phase::Done => return Ok(Poll::Pending),
        }
        Ok(Poll::Ready(()))
    }

    fn refuse(&self, refusal: &ConnectRefusal) {
        let hub = &self.namespace.hub;
        let packet = encode::refused(&hub.prefix, &refusal.message, refusal.data.as_ref());
        self.session.push(packet.packets(), Delivery::Reliable);
    }

    /// Sends the CONNECT answer after `on_connect` has run.
    fn complete_connect(&mut self) {
        let Phase::Connecting { admission, .. } = std::mem::replace(&mut self.phase, Phase::Done) else {
            return;
        };
        let (socket, pid) = (admission.socket, admission.pid);
        // If this session has closed, another connection may own the peer by now and sends its own answer.
        if self.disconnect_reason.is_none() {
            let pid_text = pid.map(Pid::to_text);
            let connected = encode::connected(&self.namespace.hub.prefix, socket.id(), pid_text.as_deref());
            socket.peer().send_connect(&connected);
        }
        self.phase = Phase::Joined { socket, pid, handler: None };
    }

    /// Starts the handler of the next queued event, or `on_disconnect` if the client has left.
    fn start_next_handler(&mut self) -> Result<Poll<()>, StepError> {
        let Phase::Joined { socket, handler, .. } = &mut self.phase else {
            return Ok(Poll::Pending);
        };
        if socket.peer().is_removed() && self.disconnect_reason.is_none() {
            // The server disconnected the client: what it sent before is not handled any more.
            self.queue.clear();
        }
        let Some(IncomingEvent { payload, ack_id, is_rate_limited, length, parsed_bytes }) = self.queue.pop() else {
            return Ok(self.start_disconnect());
        };
        let parsed = payload.into_event(&self.namespace.hub.config).map_err(|error| {
            tracing::debug!(%error, "received an invalid event");
            StepError::Invalid
        })?;
        let definition = &self.namespace.definition;
        let on_event = match (is_rate_limited, parsed.is_refused) {
            (true, _) => definition.on_rate_limited.as_ref(),
            (false, true) => definition.on_refused.as_ref(),
            (false, false) => definition.events.get(parsed.name.as_str()),
        };
        if let Some(on_event) = on_event {
            let ParsedEvent { name, arguments: Arguments { values, attachments }, .. } = parsed;
            let event = Event { name, arguments: values, attachments, wants_ack: ack_id.is_some() };
            let held = Held { received: length, parsed: parsed_bytes };
            *handler = Some(RunningHandler { future: on_event(socket.clone(), event, ack_id), held });
        }
        Ok(Poll::Ready(()))
    }

    /// Starts `on_disconnect`, if there is a reason.
    fn start_disconnect(&mut self) -> Poll<()> {
        if self.disconnect_reason.is_none() && self.is_kicked() {
            self.disconnect_reason = Some(DisconnectReason::ServerNamespaceDisconnect);
        }
        let Some(reason) = self.disconnect_reason else {
            return Poll::Pending;
        };
        let Phase::Joined { socket, pid, .. } = std::mem::replace(&mut self.phase, Phase::Done) else {
            return Poll::Pending;
        };
        let handler = (self.namespace.definition.on_disconnect)(socket.clone(), reason);
        self.phase = Phase::Disconnecting { socket, pid, handler };
        Poll::Ready(())
    }

    /// Drops the handler that panicked and the queued events. `on_disconnect` still runs, unless it panicked itself.
    fn recover_from_panic(&mut self) {
        tracing::error!(namespace = %self.namespace.hub.name, "a handler panicked");
        self.queue.clear();
        self.phase = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Connecting { admission: Admission { socket, pid, .. }, .. } | Phase::Joined { socket, pid, .. } => {
                Phase::Joined { socket, pid, handler: None }
            }
            disconnecting @ Phase::Disconnecting { .. } => {
                self.phase = disconnecting;
                return self.finish();
            }
            Phase::Authorising(_) | Phase::Done => Phase::Done,
        };
    }

    /// All handlers have ended: the socket is removed, or stays suspended.
    fn finish(&mut self) {
        let phase = std::mem::replace(&mut self.phase, Phase::Done);
        let (Phase::Joined { socket, pid, .. } | Phase::Disconnecting { socket, pid, .. }) = phase else {
            return;
        };
        if socket.peer().is_removed() {
            socket.peer().remove();
            if let (Some(recovery), Some(pid)) = (&self.namespace.recovery, pid) {
                recovery.remove(pid);
            }
        } else {
            socket.peer().set_handlers_ended();
        }
    }
}

impl<D> NamespaceSession<D> {
    /// The socket, once the middleware has accepted the client.
    fn socket(&self) -> Option<(&Socket<D>, Option<Pid>)> {
        match &self.phase {
            Phase::Connecting { admission, .. } => Some((&admission.socket, admission.pid)),
            Phase::Joined { socket, pid, .. } | Phase::Disconnecting { socket, pid, .. } => Some((socket, *pid)),
            Phase::Authorising(_) | Phase::Done => None,
        }
    }
}

impl<D: Send + Sync + 'static> AnyNamespaceSession for NamespaceSession<D> {
    fn poll(&mut self, context: &mut Context<'_>) -> Progress {
        loop {
            match self.step(context) {
                Ok(Poll::Ready(())) => {}
                Ok(Poll::Pending) if matches!(self.phase, Phase::Done) => return Progress::Done,
                Ok(Poll::Pending) => return Progress::Running,
                Err(StepError::Panicked) => {
                    self.recover_from_panic();
                    return Progress::Panicked;
                }
                Err(StepError::Invalid) => {
                    // The packet that is not valid is the last one.
                    self.queue.clear();
                    return Progress::Invalid;
                }
            }
        }
    }

    fn is_joined(&self) -> bool {
        matches!(self.phase, Phase::Joined { .. }) && self.disconnect_reason.is_none() && !self.is_kicked()
    }

    fn is_kicked(&self) -> bool {
        match self.disconnect_reason {
            Some(reason) => reason == DisconnectReason::ServerNamespaceDisconnect,
            None => self.socket().is_some_and(|(socket, _)| socket.peer().is_removed()),
        }
    }

    fn queue_depth(&self) -> QueueDepth {
        self.queue.depth()
    }

    fn held_bytes(&self) -> usize {
        let running = match &self.phase {
            Phase::Joined { handler: Some(handler), .. } => handler.held,
            _ => Held::default(),
        };
        // One event is parsed at a time.
        self.queue.depth().bytes + running.received + running.parsed.max(self.queue.largest_parsed())
    }

    fn handle_event(&mut self, event: IncomingEvent) {
        self.queue.push(event);
    }

    fn handle_ack(&mut self, id: u64, arguments: Arguments) {
        if let Some((socket, _)) = self.socket() {
            socket.peer().acks.resolve(id, arguments);
        }
    }

    fn kick(&mut self) {
        if let Some((socket, _)) = self.socket() {
            let namespace = &self.namespace.hub.name;
            tracing::warn!(socket = %socket.id(), %namespace, "disconnected a client that flooded the server");
            socket.disconnect();
        }
    }

    fn disconnect(&mut self, reason: DisconnectReason) {
        if self.disconnect_reason.is_some() {
            return;
        }
        let is_kicked = self.is_kicked();
        self.disconnect_reason = Some(if is_kicked { DisconnectReason::ServerNamespaceDisconnect } else { reason });
        let Some((socket, pid)) = self.socket() else {
            return;
        };
        match (&self.namespace.recovery, pid) {
            (Some(recovery), Some(pid)) if reason.is_recoverable() => {
                if let Some(since) = socket.peer().suspend() {
                    recovery.schedule_expiry(pid, since);
                }
            }
            _ => socket.peer().disconnect(),
        }
    }

    fn ping_sent(&self) {
        if let Some((socket, _)) = self.socket() {
            socket.peer().ping_sent();
        }
    }

    fn ping_answered(&self) {
        if let Some((socket, _)) = self.socket() {
            socket.peer().ping_answered();
        }
    }
}

/// Removes the socket when the engine drops the session because its handlers exceeded `finish_timeout`.
impl<D> Drop for NamespaceSession<D> {
    fn drop(&mut self) {
        let Some((socket, pid)) = self.socket() else {
            return;
        };
        if let (Some(recovery), Some(pid)) = (&self.namespace.recovery, pid) {
            if recovery.is_taken_over(pid, socket) {
                return;
            }
            recovery.remove(pid);
        }
        socket.peer().remove();
    }
}
