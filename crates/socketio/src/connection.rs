//! Socket.IO's side of one Engine.IO session: decodes what comes and brings it to the namespaces that the client has
//! joined.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use serde_json::Value;
use tokio::time::{Sleep, sleep};

use super::disconnect_reason::DisconnectReason;
use super::encode;
use super::event::Event;
use super::handshake::ConnectRefusal;
use super::namespace_session::{IncomingEvent, Membership, Progress, Queued};
use super::packet::{Body, Decoder, Packet};
use super::rate_limit::{Pace, Violation};
use super::server::Shared;
use engineio::{CloseReason, Connection, Delivery, Message, SessionHandle};

/// See the module.
pub(super) struct ClientConnection {
    shared: Arc<Shared>,
    session: SessionHandle,
    decoder: Decoder,
    places: Vec<Place>,
    /// How much the client may say, where that is counted.
    pace: Option<Box<dyn Pace>>,
    /// Until when something must be joined. Only there while nothing is.
    connect_timeout_task: Option<Pin<Box<Sleep>>>,
    /// Why we close it, where it is us.
    verdict: Option<DisconnectReason>,
}

/// A namespace that the client has joined, is joining, or has left.
struct Place {
    name: Arc<str>,
    state: State,
}

enum State {
    In(Box<dyn Membership>),
    /// Its handlers are still at work; the client may join anew.
    Left(Box<dyn Membership>),
    /// The server put it out, and the client may not know yet.
    Grace {
        until: Instant,
    },
}

impl ClientConnection {
    pub(super) fn new(shared: Arc<Shared>, session: SessionHandle) -> Self {
        Self {
            decoder: Decoder::new(&shared.config),
            connect_timeout_task: Some(Box::pin(sleep(shared.config.connect_timeout))),
            pace: (shared.pace)(),
            shared,
            session,
            places: Vec::new(),
            verdict: None,
        }
    }

    /// Closes the session. What was already received is still handled.
    fn close(&mut self, reason: DisconnectReason) {
        self.verdict.get_or_insert(reason);
        self.session.close(CloseReason::ForcedClose);
    }

    fn take(&mut self, packet: Packet) {
        let Packet { namespace, body, length } = packet;
        if let Body::Connect(auth) = body {
            return self.connect(&namespace, auth.map(Value::Object));
        }
        let excess = if matches!(body, Body::Event { .. }) { self.count(&namespace) } else { None };
        if excess == Some(Violation::Flood) {
            return self.stop_flood(&namespace);
        }
        let named = |place: &&mut Place| *place.name == *namespace;
        let mut places = self.places.iter_mut().filter(named);
        let Some(place) = places.find(|place| place.is_in()) else {
            // The client cannot know yet that the server has put it out.
            if !self.places.iter().any(|place| *place.name == *namespace && place.is_put_out()) {
                self.close(DisconnectReason::ForcedServerClose);
            }
            return;
        };
        let State::In(membership) = &mut place.state else {
            return;
        };
        match body {
            Body::Disconnect => {
                membership.leave(DisconnectReason::ClientNamespaceDisconnect);
                place.set_left();
            }
            _ if membership.is_put_out() => {}
            Body::Ack { id, arguments } if membership.is_joined() => membership.ack(id, arguments),
            Body::Event { name, arguments, id } if membership.is_joined() => {
                let event = Event {
                    name,
                    arguments: arguments.values,
                    attachments: arguments.attachments,
                    wants_ack: id.is_some(),
                };
                membership.event(IncomingEvent { event, id, length, is_too_much: excess.is_some() });
            }
            _ => self.close(DisconnectReason::ForcedServerClose),
        }
    }

    /// Counts an event, in whatever state its namespace is.
    fn count(&mut self, namespace: &str) -> Option<Violation> {
        let place = self.places.iter().find(|place| *place.name == *namespace)?;
        self.pace.as_mut()?.event(&place.name).err()
    }

    /// What a client that floods has said is not answered, and it has to come again. Its stock client does not by
    /// itself.
    fn stop_flood(&mut self, namespace: &str) {
        for place in &mut self.places {
            if let State::In(membership) = &mut place.state
                && *place.name == *namespace
            {
                membership.kick();
            }
        }
        self.close(DisconnectReason::ForcedServerClose);
    }

    fn connect(&mut self, name: &str, auth: Option<Value>) {
        if self.places.iter().any(|place| *place.name == *name && place.is_in()) {
            return self.close(DisconnectReason::ForcedServerClose);
        }
        let excess = self.pace.as_mut().and_then(|pace| Some((pace.connect().err()?, pace.refusal())));
        let refusal = match (excess, self.shared.namespaces.get(name)) {
            (Some((Violation::Flood, _)), _) => {
                tracing::warn!("a client that asked to join far too often was put out");
                return self.close(DisconnectReason::ForcedServerClose);
            }
            (Some((Violation::Refused, refusal)), _) => refusal,
            (None, None) => ConnectRefusal::new("Invalid namespace"),
            (None, Some(_)) if self.places.len() >= self.shared.config.max_namespaces => {
                ConnectRefusal::new("Too many namespaces")
            }
            (None, Some(namespace)) => {
                self.places.retain(|place| *place.name != *name || !matches!(place.state, State::Grace { .. }));
                // Most join one or two, and a vector that grows by itself has room for four.
                self.places.reserve_exact(1);
                self.places.push(Place {
                    name: Arc::clone(&namespace.hub().name),
                    state: State::In(Arc::clone(namespace).join(&self.session, auth)),
                });
                return;
            }
        };
        let packet = encode::refused(&encode::prefix(name), &refusal.message, refusal.data.as_ref());
        self.session.push(packet.packets(), Delivery::Reliable);
    }

    /// Goes on with every namespace. Whether all is well.
    fn poll_places(&mut self, context: &mut Context<'_>) -> bool {
        let grace = self.shared.config.left_grace;
        let mut well = true;
        self.places.retain_mut(|place| {
            let membership = match &mut place.state {
                State::In(membership) | State::Left(membership) => membership,
                State::Grace { until } => return Instant::now() < *until,
            };
            match membership.poll(context) {
                Progress::Running => {
                    if place.is_in() && place.is_put_out() {
                        place.set_left();
                    }
                    true
                }
                Progress::Done if place.is_put_out() => {
                    place.state = State::Grace { until: Instant::now() + grace };
                    true
                }
                Progress::Done => false,
                Progress::Panicked => {
                    well = false;
                    true
                }
            }
        });
        well
    }

    /// Sees to it that a client which has joined nothing is not kept for long.
    fn poll_lonely(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let joined =
            self.places.iter().any(|place| matches!(&place.state, State::In(membership) if membership.is_joined()));
        if joined {
            self.connect_timeout_task = None;
            return Poll::Pending;
        }
        let timeout = self.shared.config.connect_timeout;
        self.connect_timeout_task.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(context)
    }

    fn memberships(&self) -> impl Iterator<Item = &dyn Membership> {
        self.places.iter().filter_map(|place| match &place.state {
            State::In(membership) | State::Left(membership) => Some(membership.as_ref()),
            State::Grace { .. } => None,
        })
    }
}

impl Place {
    fn is_put_out(&self) -> bool {
        match &self.state {
            State::In(membership) | State::Left(membership) => membership.is_put_out(),
            State::Grace { until } => Instant::now() < *until,
        }
    }

    fn is_in(&self) -> bool {
        matches!(self.state, State::In(_))
    }

    fn set_left(&mut self) {
        // There is nothing cheaper to put in its place for a moment.
        let state = std::mem::replace(&mut self.state, State::Grace { until: Instant::now() });
        self.state = match state {
            State::In(membership) => State::Left(membership),
            other => other,
        };
    }
}

impl Connection for ClientConnection {
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.poll_places(context) || self.poll_lonely(context).is_ready() {
            self.close(DisconnectReason::ForcedServerClose);
        }
        let Queued { events, bytes } = self.memberships().map(Membership::queued).sum();
        let config = &self.shared.config;
        let is_full = events >= config.max_queued_events || bytes >= config.max_queued_bytes;
        if is_full { Poll::Pending } else { Poll::Ready(()) }
    }

    fn on_message(&mut self, message: Message) {
        match self.decoder.decode(message) {
            Ok(Some(packet)) => self.take(packet),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "bad packet");
                self.close(DisconnectReason::Closed(CloseReason::ForcedClose));
            }
        }
    }

    fn before_ping(&mut self) {
        self.memberships().for_each(Membership::ping_sent);
    }

    fn on_pong(&mut self) {
        self.memberships().for_each(Membership::ping_answered);
    }

    fn on_close(&mut self, reason: CloseReason) {
        let reason = self.verdict.unwrap_or(DisconnectReason::Closed(reason));
        for place in &mut self.places {
            if let State::In(membership) | State::Left(membership) = &mut place.state {
                membership.leave(reason);
            }
        }
    }

    fn poll_finished(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.connect_timeout_task = None;
        while !self.poll_places(context) {}
        if self.memberships().next().is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}
