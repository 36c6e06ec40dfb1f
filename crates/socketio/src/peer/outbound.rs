//! The outbound side of a peer: where the events that it is sent go.

use std::sync::Arc;
use std::time::Instant;

use engineio::{CloseReason, Delivery, SessionHandle};

use crate::config::RecoveryConfig;
use crate::encode::EncodedMessage;
use crate::outbound_event::OutboundEvent;
use crate::replay::{Replay, Step};
use crate::replay_buffer::ReplayBuffer;

/// The phase of a peer and its replay buffer, under one lock so that sending order is replay order.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) phase: Phase,
    /// `None` if the namespace does not recover. Boxed, because most phases of most peers do not use it.
    pub(super) replay_buffer: Option<Box<ReplayBuffer>>,
}

/// How far a peer's connection is.
#[derive(Debug)]
pub(super) enum Phase {
    /// The client has no answer to its CONNECT yet; events are held back until it has.
    Joining {
        session: SessionHandle,
        held: Vec<Arc<OutboundEvent>>,
        /// The cost of the held events.
        held_cost: usize,
        /// Starts after the CONNECT answer, if the client has returned. Nothing is held then, as the replay buffer has it.
        replay: Option<Box<Replay>>,
        /// The server disconnected the peer; takes effect after the CONNECT answer.
        is_kicked: bool,
    },
    /// The client is connected.
    Joined {
        session: SessionHandle,
        /// Under way until the client was sent everything that it missed.
        replay: Option<Box<Replay>>,
    },
    /// The connection broke and the client may return; events go to the replay buffer only.
    Suspended {
        since: Instant,
        /// The handlers of the old connection have ended.
        handlers_ended: bool,
    },
    /// The peer is removed, or is about to be.
    Removed,
}

impl Phase {
    /// The first phase of a connection.
    pub(super) fn joining(session: SessionHandle, replay: Option<Box<Replay>>) -> Self {
        Self::Joining { session, held: Vec::new(), held_cost: 0, replay, is_kicked: false }
    }
}

impl Outbound {
    /// Sends a packet that is not an event to a connected client, after the events that it was sent or still has to get.
    pub(super) fn send_packet(&mut self, message: &EncodedMessage) {
        match (&mut self.phase, &self.replay_buffer) {
            (Phase::Joined { session, replay: Some(replay) }, Some(replay_buffer)) => {
                if !replay.push(message, replay_buffer) {
                    session.close(CloseReason::ForcedClose);
                }
            }
            (Phase::Joined { session, .. }, _) => {
                session.push(message.packets(), Delivery::Reliable);
            }
            (Phase::Joining { .. } | Phase::Suspended { .. } | Phase::Removed, _) => {}
        }
    }

    /// Appends an event to the replay buffer, if there is one, or clears the buffer. A replay continues with it.
    pub(super) fn record(&mut self, event: &Arc<OutboundEvent>, limits: &RecoveryConfig, clear: bool) {
        let Some(replay_buffer) = &mut self.replay_buffer else { return };
        let replay = match &self.phase {
            Phase::Joining { replay, .. } | Phase::Joined { replay, .. } => replay.as_deref(),
            Phase::Suspended { .. } | Phase::Removed => None,
        };
        match replay {
            Some(replay) => replay.append_to(replay_buffer, Arc::clone(event), limits),
            None => replay_buffer.push(Arc::clone(event), limits),
        }
        if clear {
            replay_buffer.clear();
        }
        self.continue_replay();
    }

    /// Sends the next portion of a replay, if the client has confirmed enough of what it was sent.
    pub(super) fn continue_replay(&mut self) {
        let Some(replay_buffer) = &self.replay_buffer else { return };
        let (session, replay_slot) = match &mut self.phase {
            Phase::Joined { session, replay } => (session, replay),
            Phase::Joining { session, replay: Some(replay), .. } if replay.is_lost(replay_buffer) => {
                return session.close(CloseReason::ForcedClose);
            }
            Phase::Joining { .. } | Phase::Suspended { .. } | Phase::Removed => return,
        };
        let Some(replay) = replay_slot else { return };
        let mut has_sent = false;
        loop {
            match replay.step(replay_buffer) {
                Step::Event(event) => {
                    session.push(event.message.packets(), Delivery::Reliable);
                    has_sent = true;
                }
                Step::Packets(packets) => {
                    session.push(packets.iter(), Delivery::Reliable);
                }
                Step::Wait => break,
                Step::Done => {
                    *replay_slot = None;
                    break;
                }
                // It gets a new socket when it returns.
                Step::Lost => return session.close(CloseReason::ForcedClose),
            }
        }
        if has_sent {
            session.request_ping();
        }
    }

    /// A ping is about to be sent.
    pub(super) fn ping_sent(&mut self) {
        if let (Phase::Joined { replay, .. }, Some(replay_buffer)) = (&mut self.phase, &mut self.replay_buffer) {
            let unsent = replay.as_ref().map_or(u64::MAX, |replay| replay.next_index());
            replay_buffer.ping_sent(unsent);
            if let Some(replay) = replay {
                replay.ping_sent(Instant::now());
            }
        }
    }

    /// The client has received everything that it was sent before the ping.
    pub(super) fn ping_answered(&mut self) {
        if let Some(replay_buffer) = &mut self.replay_buffer {
            replay_buffer.ping_answered();
        }
        if let Phase::Joined { replay: Some(replay), .. } = &mut self.phase {
            replay.ping_answered(Instant::now());
        }
        self.continue_replay();
    }
}
