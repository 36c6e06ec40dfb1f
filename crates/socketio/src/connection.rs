//! The Socket.IO side of one Engine.IO session: decodes packets and dispatches them to the namespaces that the client has
//! joined.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use engineio::{CloseReason, Connection, Delivery, Message, SessionHandle};
use serde_json::Value;
use tokio::time::{Sleep, sleep};

use crate::disconnect_reason::DisconnectReason;
use crate::encode;
use crate::handshake::ConnectRefusal;
use crate::namespace_session::{AnyNamespaceSession, IncomingEvent, Progress, QueueDepth};
use crate::packet::{Body, DecodeError, Decoder, Packet, needs_no_namespace};
use crate::rate_limit::{RateLimiter, Violation};
use crate::received::ReceivedShare;
use crate::server_state::ServerState;

/// Why a connection is closed that sent an invalid packet.
const INVALID_PACKET: DisconnectReason = DisconnectReason::Closed(CloseReason::ForcedClose);

/// One client connection with its namespaces.
pub(super) struct ClientConnection {
    state: Arc<ServerState>,
    session: SessionHandle,
    decoder: Decoder,
    received: ReceivedShare,
    memberships: Vec<Membership>,
    rate_limiter: Option<Box<dyn RateLimiter>>,
    /// Runs while no namespace is joined.
    connect_timeout: Option<Pin<Box<Sleep>>>,
    /// Runs while attachments are missing.
    attachment_timeout: Option<Pin<Box<Sleep>>>,
    /// Set when this layer closes the session; overrides the engine's reason.
    close_reason: Option<DisconnectReason>,
}

/// A namespace that the client has joined, is joining, or has left.
struct Membership {
    namespace: Arc<str>,
    /// Any client may join the namespace.
    is_anonymous: bool,
    state: MembershipState,
}

enum MembershipState {
    /// The client has joined or is joining.
    Active(Box<dyn AnyNamespaceSession>),
    /// The client has left and handlers still run; it may join again.
    Leaving(Box<dyn AnyNamespaceSession>),
    /// The server disconnected the client, which may not know yet.
    Grace { until: Instant },
}

impl ClientConnection {
    pub(super) fn new(state: Arc<ServerState>, session: SessionHandle) -> Self {
        session.set_max_payload(state.config.max_unjoined_payload);
        Self {
            decoder: Decoder::new(&state.config),
            received: ReceivedShare::new(&state.received),
            connect_timeout: Some(Box::pin(sleep(state.config.connect_timeout))),
            rate_limiter: (state.rate_limiter)(),
            state,
            session,
            memberships: Vec::new(),
            attachment_timeout: None,
            close_reason: None,
        }
    }

    /// Closes the session. Events that were received already are still handled.
    fn close(&mut self, reason: DisconnectReason) {
        self.close_reason.get_or_insert(reason);
        self.session.close(CloseReason::ForcedClose);
    }

    fn dispatch(&mut self, packet: Packet) {
        let Packet { namespace, body, length } = packet;
        if let Body::Connect(auth) = body {
            return self.connect(&namespace, auth.map(Value::Object));
        }
        let violation = if matches!(body, Body::Event { .. }) { self.check_event(&namespace) } else { None };
        if violation == Some(Violation::Flood) {
            return self.stop_flood(&namespace);
        }
        let matches_namespace = |membership: &&mut Membership| *membership.namespace == *namespace;
        let mut memberships = self.memberships.iter_mut().filter(matches_namespace);
        let Some(membership) = memberships.find(|membership| membership.is_active()) else {
            // A client that the server disconnected may not know yet.
            if !self.memberships.iter().any(|membership| *membership.namespace == *namespace && membership.is_kicked())
            {
                self.close(DisconnectReason::ForcedServerClose);
            }
            return;
        };
        let MembershipState::Active(session) = &mut membership.state else {
            return;
        };
        match body {
            Body::Disconnect => {
                session.disconnect(DisconnectReason::ClientNamespaceDisconnect);
                membership.set_leaving();
            }
            _ if session.is_kicked() => {}
            Body::Ack { id, payload } if session.is_joined() => match payload.into_arguments(&self.state.config) {
                Ok(Some(arguments)) => session.handle_ack(id, arguments),
                // Refused: as if the client had not answered.
                Ok(None) => {}
                Err(error) => self.close_invalid(error),
            },
            Body::Event { payload, id } if session.is_joined() => {
                let is_rate_limited = violation.is_some();
                let parsed_bytes = payload.parsed_bytes(&self.state.config);
                session.handle_event(IncomingEvent { payload, ack_id: id, length, parsed_bytes, is_rate_limited });
            }
            Body::Ack { .. } | Body::Event { .. } | Body::ConnectError | Body::Connect(_) => {
                self.close(DisconnectReason::ForcedServerClose);
            }
        }
    }

    /// Counts an event in any namespace that the client knows, whatever its state.
    fn check_event(&mut self, namespace: &str) -> Option<Violation> {
        let membership = self.memberships.iter().find(|membership| *membership.namespace == *namespace)?;
        self.rate_limiter.as_mut()?.check_event(&membership.namespace).err()
    }

    /// Disconnects the client from the namespace, so that stock clients do not reconnect, and closes the connection.
    fn stop_flood(&mut self, namespace: &str) {
        for membership in &mut self.memberships {
            if let MembershipState::Active(session) = &mut membership.state
                && *membership.namespace == *namespace
            {
                session.kick();
            }
        }
        self.close(DisconnectReason::ForcedServerClose);
    }

    fn connect(&mut self, name: &str, auth: Option<Value>) {
        if self.memberships.iter().any(|membership| *membership.namespace == *name && membership.is_active()) {
            return self.close(DisconnectReason::ForcedServerClose);
        }
        let rate_limiter = self.rate_limiter.as_mut();
        let violation = rate_limiter.and_then(|limiter| Some((limiter.check_connect().err()?, limiter.refusal())));
        let refusal = match (violation, self.state.namespaces.get(name)) {
            (Some((Violation::Flood, _)), _) => {
                tracing::warn!("disconnected a client that flooded the server with CONNECT packets");
                return self.close(DisconnectReason::ForcedServerClose);
            }
            (Some((Violation::Excess, refusal)), _) => refusal,
            (None, None) => ConnectRefusal::new("Invalid namespace"),
            (None, Some(_)) if self.memberships.len() >= self.state.config.max_namespaces => {
                ConnectRefusal::new("Too many namespaces")
            }
            (None, Some(namespace)) => {
                self.memberships.retain(|membership| *membership.namespace != *name || !membership.is_grace());
                // Most clients join one or two namespaces; a vector that grows by itself would allocate four.
                self.memberships.reserve_exact(1);
                self.memberships.push(Membership {
                    namespace: Arc::clone(&namespace.hub().name),
                    is_anonymous: namespace.hub().is_anonymous,
                    state: MembershipState::Active(Arc::clone(namespace).connect(&self.session, auth)),
                });
                return;
            }
        };
        let packet = encode::refused(&encode::prefix(name), &refusal.message, refusal.data.as_ref());
        self.session.push(packet.packets(), Delivery::Reliable);
    }

    /// Polls every namespace session. An error is the reason for which the connection must be closed: a handler panicked,
    /// or an event is not valid.
    fn poll_memberships(&mut self, context: &mut Context<'_>) -> Result<(), DisconnectReason> {
        let grace = self.state.config.disconnect_grace;
        let mut outcome = Ok(());
        self.memberships.retain_mut(|membership| {
            let session = match &mut membership.state {
                MembershipState::Active(session) | MembershipState::Leaving(session) => session,
                MembershipState::Grace { until } => return Instant::now() < *until,
            };
            match session.poll(context) {
                Progress::Running => {
                    if membership.is_active() && membership.is_kicked() {
                        membership.set_leaving();
                    }
                    true
                }
                Progress::Done if membership.is_kicked() => {
                    membership.state = MembershipState::Grace { until: Instant::now() + grace };
                    true
                }
                Progress::Done => false,
                Progress::Panicked => {
                    outcome = Err(DisconnectReason::ForcedServerClose);
                    true
                }
                Progress::Invalid => {
                    outcome = Err(INVALID_PACKET);
                    true
                }
            }
        });
        outcome
    }

    /// Ready when no namespace has been joined for the connect timeout.
    fn poll_connect_timeout(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.memberships.iter().any(Membership::is_known) {
            self.connect_timeout = None;
            return Poll::Pending;
        }
        let timeout = self.state.config.connect_timeout;
        self.connect_timeout.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(context)
    }

    /// Ready when the attachments of a packet have not arrived in time, however the heartbeat goes.
    fn poll_attachment_timeout(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.decoder.is_incomplete() {
            self.attachment_timeout = None;
            return Poll::Pending;
        }
        let timeout = self.state.config.attachment_timeout;
        self.attachment_timeout.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(context)
    }

    /// Admits long messages from clients that have joined a namespace only.
    fn limit_payload(&self) {
        let is_known = self.memberships.iter().any(Membership::is_known);
        self.session.set_max_payload(if is_known { usize::MAX } else { self.state.config.max_unjoined_payload });
    }

    /// What the connection holds of received data, in bytes.
    fn held_bytes(&self) -> usize {
        self.decoder.incomplete_bytes() + self.sessions().map(AnyNamespaceSession::held_bytes).sum::<usize>()
    }

    /// Whether the connection may hold so many bytes more. It is known before anything is done with them: what a handler
    /// has begun cannot be taken back.
    fn admit(&mut self, bytes: usize) -> bool {
        self.received.set(self.held_bytes() + bytes)
    }

    fn close_invalid(&mut self, error: DecodeError) {
        tracing::debug!(%error, "received an invalid packet");
        self.close(INVALID_PACKET);
    }

    fn sessions(&self) -> impl Iterator<Item = &dyn AnyNamespaceSession> {
        self.memberships.iter().filter_map(|membership| match &membership.state {
            MembershipState::Active(session) | MembershipState::Leaving(session) => Some(session.as_ref()),
            MembershipState::Grace { .. } => None,
        })
    }
}

impl Membership {
    fn is_active(&self) -> bool {
        matches!(self.state, MembershipState::Active(_))
    }

    fn is_joined(&self) -> bool {
        matches!(&self.state, MembershipState::Active(session) if session.is_joined())
    }

    /// Whether the client is joined, which identifies it.
    fn is_known(&self) -> bool {
        !self.is_anonymous && self.is_joined()
    }

    /// Whether the client has been joined, though it may have left since.
    fn was_joined(&self) -> bool {
        self.is_joined() || self.is_kicked() || !self.is_active()
    }

    fn is_grace(&self) -> bool {
        matches!(self.state, MembershipState::Grace { .. })
    }

    fn is_kicked(&self) -> bool {
        match &self.state {
            MembershipState::Active(session) | MembershipState::Leaving(session) => session.is_kicked(),
            MembershipState::Grace { until } => Instant::now() < *until,
        }
    }

    fn set_leaving(&mut self) {
        // A cheap placeholder while the session is moved out.
        let placeholder = MembershipState::Grace { until: Instant::now() };
        self.state = match std::mem::replace(&mut self.state, placeholder) {
            MembershipState::Active(session) => MembershipState::Leaving(session),
            other @ (MembershipState::Leaving(_) | MembershipState::Grace { .. }) => other,
        };
    }
}

impl Connection for ClientConnection {
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Err(reason) = self.poll_memberships(context) {
            self.close(reason);
        }
        if self.poll_connect_timeout(context).is_ready() || self.poll_attachment_timeout(context).is_ready() {
            self.close(DisconnectReason::ForcedServerClose);
        }
        self.limit_payload();
        let QueueDepth { events, bytes } = self.sessions().map(AnyNamespaceSession::queue_depth).sum();
        self.received.set(self.held_bytes());
        let config = &self.state.config;
        let is_full = events >= config.max_queued_events || bytes >= config.max_queued_bytes;
        if is_full { Poll::Pending } else { Poll::Ready(()) }
    }

    fn on_message(&mut self, message: Message) {
        // A client without a namespace is not known yet, so nothing else of it is decoded or kept.
        if !self.memberships.iter().any(Membership::was_joined) && !needs_no_namespace(&message) {
            return self.close(DisconnectReason::ForcedServerClose);
        }
        match self.decoder.decode(message) {
            Ok(Some(packet)) if self.admit(packet.memory(&self.state.config)) => self.dispatch(packet),
            Ok(None) if self.admit(0) => {}
            Ok(_) => {
                tracing::debug!("closed a connection, because received data takes too much memory");
                self.decoder.clear();
                self.received.set(self.held_bytes());
                self.close(DisconnectReason::ForcedServerClose);
            }
            Err(error) => self.close_invalid(error),
        }
    }

    fn before_ping(&mut self) {
        self.sessions().for_each(AnyNamespaceSession::ping_sent);
    }

    fn on_pong(&mut self) {
        self.sessions().for_each(AnyNamespaceSession::ping_answered);
    }

    fn on_close(&mut self, reason: CloseReason) {
        let reason = self.close_reason.unwrap_or(DisconnectReason::Closed(reason));
        for membership in &mut self.memberships {
            if let MembershipState::Active(session) | MembershipState::Leaving(session) = &mut membership.state {
                session.disconnect(reason);
            }
        }
    }

    fn poll_finished(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.connect_timeout = None;
        // A panic ends one handler; the remaining ones still run.
        while self.poll_memberships(context).is_err() {}
        if self.sessions().next().is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}
