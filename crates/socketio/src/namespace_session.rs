//! One connection in one namespace, from its CONNECT to the end of its last handler.
//!
//! Lives on the session's worker and runs there, one after another: the middleware, `on_connect`, a handler for each
//! event, `on_disconnect`. Nothing is allocated for a handler while there is no event.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::connect::{Admitted, NamespaceInner};
use super::disconnect_reason::DisconnectReason;
use super::encode;
use super::event::Event;
use super::handshake::ConnectRefusal;
use super::packet::Arguments;
use super::recovery::Pid;
use super::socket::Socket;
use engineio::{Delivery, SessionHandle};

/// One connection in one namespace, whatever the socket's data are.
pub(crate) trait Membership {
    /// Goes on with what is running.
    fn poll(&mut self, context: &mut Context<'_>) -> Progress;

    /// Whether the client has its CONNECT answer.
    fn is_joined(&self) -> bool;

    /// Whether the server has put the client out.
    fn is_put_out(&self) -> bool;

    /// Events that wait.
    fn queued(&self) -> Queued;

    /// The client said something.
    fn event(&mut self, said: IncomingEvent);

    /// The client floods: it is told to stay away, and no further event of it is handled.
    fn kick(&mut self);

    /// The client answered.
    fn ack(&mut self, id: u64, arguments: Arguments);

    /// The client leaves, or its session ended.
    fn leave(&mut self, reason: DisconnectReason);

    fn ping_sent(&self);

    fn ping_answered(&self);
}

/// How much waits for its handlers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) events: usize,
    /// As they came in.
    pub(crate) bytes: usize,
}

impl std::iter::Sum for Queued {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self { events: sum.events + one.events, bytes: sum.bytes + one.bytes })
    }
}

/// An event that waits for its handler.
pub(crate) struct IncomingEvent {
    pub(crate) event: Event,
    pub(crate) id: Option<u64>,
    /// In bytes, as it came in.
    pub(crate) length: usize,
    /// More than the client may say: its own handler does not run.
    pub(crate) is_too_much: bool,
}

/// How far a membership has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on.
    Running,
    /// It is over.
    Done,
    /// One of its handlers panicked.
    Panicked,
}

/// One connection in one namespace.
pub(super) struct Member<D> {
    core: Arc<NamespaceInner<D>>,
    session: SessionHandle,
    stage: Phase<D>,
    queue: VecDeque<IncomingEvent>,
    queued_bytes: usize,
    leaving: Option<DisconnectReason>,
}

enum Phase<D> {
    /// The middleware decides.
    Admitting(LocalBoxFuture<'static, Result<Admitted<D>, ConnectRefusal>>),
    /// `on_connect` runs.
    Greeting {
        admitted: Admitted<D>,
        running: LocalBoxFuture<'static, ()>,
    },
    /// Events are handled, one at a time.
    Joined {
        socket: Socket<D>,
        pid: Option<Pid>,
        running: Option<LocalBoxFuture<'static, ()>>,
    },
    /// `on_disconnect` runs.
    Leaving {
        socket: Socket<D>,
        pid: Option<Pid>,
        running: LocalBoxFuture<'static, ()>,
    },
    Done,
}

/// A handler panicked.
struct Panicked;

/// Polls what an application wrote, so that a panic costs its client alone.
fn poll_guarded<T>(future: &mut LocalBoxFuture<'static, T>, context: &mut Context<'_>) -> Result<Poll<T>, Panicked> {
    catch_unwind(AssertUnwindSafe(|| future.poll_unpin(context))).map_err(|_| Panicked)
}

impl<D: Send + Sync + 'static> Member<D> {
    /// A client that waits to be let in.
    pub(super) fn new(
        core: Arc<NamespaceInner<D>>,
        session: SessionHandle,
        admission: LocalBoxFuture<'static, Result<Admitted<D>, ConnectRefusal>>,
    ) -> Self {
        Self {
            core,
            session,
            stage: Phase::Admitting(admission),
            queue: VecDeque::new(),
            queued_bytes: 0,
            leaving: None,
        }
    }

    /// One step; `Ready` where another one may be possible.
    fn step(&mut self, context: &mut Context<'_>) -> Result<Poll<()>, Panicked> {
        match &mut self.stage {
            Phase::Admitting(_) if self.leaving.is_some() => self.stage = Phase::Done,
            Phase::Admitting(admission) => match poll_guarded(admission, context)? {
                Poll::Ready(Ok(admitted)) => {
                    let socket = admitted.socket.clone();
                    let running = (self.core.definition.on_connect)(socket);
                    self.stage = Phase::Greeting { admitted, running };
                }
                Poll::Ready(Err(refusal)) => {
                    self.refuse(&refusal);
                    self.stage = Phase::Done;
                }
                Poll::Pending => return Ok(Poll::Pending),
            },
            Phase::Greeting { running, .. } => {
                if poll_guarded(running, context)?.is_pending() {
                    return Ok(Poll::Pending);
                }
                self.send_connect();
            }
            Phase::Joined { running: Some(running), .. } => {
                if poll_guarded(running, context)?.is_pending() {
                    return Ok(Poll::Pending);
                }
                if let Phase::Joined { running, .. } = &mut self.stage {
                    *running = None;
                }
            }
            Phase::Joined { socket, running, .. } => {
                if socket.peer().is_removed() && self.leaving.is_none() {
                    // Put out: what it said before is not heard any more.
                    self.queue.clear();
                    self.queued_bytes = 0;
                }
                let Some(IncomingEvent { event, id, length, is_too_much }) = self.queue.pop_front() else {
                    return Ok(self.start_leaving());
                };
                self.queued_bytes -= length;
                let definition = &self.core.definition;
                let handler = match is_too_much {
                    false => definition.events.get(event.name.as_str()),
                    true => definition.on_too_many.as_ref(),
                };
                let Some(handler) = handler else {
                    return Ok(Poll::Ready(()));
                };
                *running = Some(handler(socket.clone(), event, id));
            }
            Phase::Leaving { running, .. } => {
                if poll_guarded(running, context)?.is_pending() {
                    return Ok(Poll::Pending);
                }
                self.finish();
            }
            Phase::Done => return Ok(Poll::Pending),
        }
        Ok(Poll::Ready(()))
    }

    fn refuse(&self, refusal: &ConnectRefusal) {
        let hub = &self.core.hub;
        let packet = encode::refused(&hub.prefix, &refusal.message, refusal.data.as_ref());
        self.session.push(packet.packets(), Delivery::Reliable);
    }

    fn send_connect(&mut self) {
        let Phase::Greeting { admitted, .. } = std::mem::replace(&mut self.stage, Phase::Done) else {
            return;
        };
        let (socket, pid) = (admitted.socket, admitted.pid);
        // Where its session has ended another connection may have got the peer meanwhile, and is welcomed by its own
        // membership.
        if self.leaving.is_none() {
            let text = pid.map(Pid::to_text);
            let connected = encode::connected(&self.core.hub.prefix, socket.id(), text.as_deref());
            socket.peer().send_connect(&admitted.missed, &connected);
        }
        self.stage = Phase::Joined { socket, pid, running: None };
    }

    /// Runs `on_disconnect`, once every event is handled and if there is a reason.
    fn start_leaving(&mut self) -> Poll<()> {
        if self.leaving.is_none() && self.is_put_out() {
            self.leaving = Some(DisconnectReason::ServerNamespaceDisconnect);
        }
        let Some(reason) = self.leaving else {
            return Poll::Pending;
        };
        let Phase::Joined { socket, pid, .. } = std::mem::replace(&mut self.stage, Phase::Done) else {
            return Poll::Pending;
        };
        let running = (self.core.definition.on_disconnect)(socket.clone(), reason);
        self.stage = Phase::Leaving { socket, pid, running };
        Poll::Ready(())
    }

    /// A handler panicked: no further event is handled, but `on_disconnect` still runs, unless it was that one.
    fn recover_from_panic(&mut self) {
        tracing::error!(namespace = %self.core.hub.name, "a handler panicked");
        self.queue.clear();
        self.queued_bytes = 0;
        self.stage = match std::mem::replace(&mut self.stage, Phase::Done) {
            Phase::Greeting { admitted: Admitted { socket, pid, .. }, .. } | Phase::Joined { socket, pid, .. } => {
                Phase::Joined { socket, pid, running: None }
            }
            leaving @ Phase::Leaving { .. } => {
                self.stage = leaving;
                return self.finish();
            }
            Phase::Admitting(_) | Phase::Done => Phase::Done,
        };
    }

    /// All handlers have ended: the socket waits for its client to come back, or vanishes.
    fn finish(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Phase::Done);
        let (Phase::Joined { socket, pid, .. } | Phase::Leaving { socket, pid, .. }) = stage else {
            return;
        };
        if socket.peer().is_removed() {
            socket.peer().remove();
            if let (Some(recovery), Some(pid)) = (&self.core.recovery, pid) {
                recovery.forget(pid);
            }
        } else {
            socket.peer().settle();
        }
    }

    /// The socket, once the middleware let the client in.
    fn socket(&self) -> Option<(&Socket<D>, Option<Pid>)> {
        match &self.stage {
            Phase::Greeting { admitted, .. } => Some((&admitted.socket, admitted.pid)),
            Phase::Joined { socket, pid, .. } | Phase::Leaving { socket, pid, .. } => Some((socket, *pid)),
            Phase::Admitting(_) | Phase::Done => None,
        }
    }
}

impl<D: Send + Sync + 'static> Membership for Member<D> {
    fn poll(&mut self, context: &mut Context<'_>) -> Progress {
        loop {
            match self.step(context) {
                Ok(Poll::Ready(())) => {}
                Ok(Poll::Pending) if matches!(self.stage, Phase::Done) => return Progress::Done,
                Ok(Poll::Pending) => return Progress::Running,
                Err(Panicked) => {
                    self.recover_from_panic();
                    return Progress::Panicked;
                }
            }
        }
    }

    fn is_joined(&self) -> bool {
        matches!(self.stage, Phase::Joined { .. }) && self.leaving.is_none() && !self.is_put_out()
    }

    fn is_put_out(&self) -> bool {
        match self.leaving {
            Some(reason) => reason == DisconnectReason::ServerNamespaceDisconnect,
            None => self.socket().is_some_and(|(socket, _)| socket.peer().is_removed()),
        }
    }

    fn queued(&self) -> Queued {
        Queued { events: self.queue.len(), bytes: self.queued_bytes }
    }

    fn event(&mut self, said: IncomingEvent) {
        self.queued_bytes += said.length;
        self.queue.push_back(said);
    }

    fn kick(&mut self) {
        if let Some((socket, _)) = self.socket() {
            tracing::warn!(socket = %socket.id(), namespace = %self.core.hub.name, "a client that flooded was put out");
            socket.disconnect();
        }
    }

    fn ack(&mut self, id: u64, arguments: Arguments) {
        if let Some((socket, _)) = self.socket() {
            socket.peer().acks.resolve(id, arguments);
        }
    }

    fn leave(&mut self, reason: DisconnectReason) {
        if self.leaving.is_some() {
            return;
        }
        let kick = self.is_put_out();
        self.leaving = Some(if kick { DisconnectReason::ServerNamespaceDisconnect } else { reason });
        let Some((socket, pid)) = self.socket() else {
            return;
        };
        match (&self.core.recovery, pid) {
            (Some(recovery), Some(pid)) if reason.is_recoverable() => {
                if let Some(since) = socket.peer().go_away() {
                    recovery.expire_later(pid, since);
                }
            }
            _ => socket.peer().leave(),
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

/// Where its handlers ran out of time, nothing of the socket stays behind.
impl<D> Drop for Member<D> {
    fn drop(&mut self) {
        let (socket, pid) = match &self.stage {
            Phase::Greeting { admitted, .. } => (&admitted.socket, admitted.pid),
            Phase::Joined { socket, pid, .. } | Phase::Leaving { socket, pid, .. } => (socket, *pid),
            Phase::Admitting(_) | Phase::Done => return,
        };
        if let (Some(recovery), Some(pid)) = (&self.core.recovery, pid) {
            if recovery.is_taken(pid, socket) {
                return;
            }
            recovery.forget(pid);
        }
        socket.peer().remove();
    }
}
