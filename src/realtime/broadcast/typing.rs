//! The typing indicators of this server: the typists, and the task that ends those of silent ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::{Broadcaster, Namespaces};
use crate::config::RealtimeSettings;
use crate::domain::{Owner, UserId};
use crate::realtime::emit::EmitEvent;
use crate::realtime::payload::{ConversationOrTicket, HelpCenterTypingEvent, TypingEvent};
use crate::realtime::rooms;
use crate::realtime::typists::{Audience, Typist, Typists};

/// Who types on this server. Announcements are made under one lock, so that they leave in the order of what they
/// announce.
#[derive(Debug)]
pub(super) struct TypingIndicators {
    timeout: Duration,
    max_places: usize,
    state: Mutex<State>,
    /// The typists in `state`: most messages are published while it is zero, and take no lock.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    typists: Typists,
    /// Whether a task waits for the next deadline.
    has_timer: bool,
}

impl TypingIndicators {
    pub(super) fn new(settings: &RealtimeSettings) -> Self {
        Self {
            timeout: settings.typing_timeout(),
            max_places: settings.max_typing_places,
            state: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Typists) -> T) -> (MutexGuard<'_, State>, T) {
        let mut state = self.state.lock();
        let changed = change(&mut state.typists);
        self.count.store(state.typists.count(), Ordering::Release);
        (state, changed)
    }
}

impl Broadcaster {
    /// Announces again a typist who is announced, and restarts their time. `false` if they are not.
    pub(in crate::realtime) fn repeat_typing(&self, typist: &Typist) -> bool {
        let deadline = Instant::now() + self.typing.timeout;
        let (_state, is_announced) = self.typing.change(|typists| typists.repeat(typist, deadline));
        if is_announced {
            self.announce_typing(typist, true);
        }
        is_announced
    }

    /// Reserves a typist's place. What ends it until [`Broadcaster::start_typing`] prevents the announcement.
    pub(in crate::realtime) fn reserve_typing(self: &Arc<Self>, typist: &Typist) {
        let (deadline, max_places) = (Instant::now() + self.typing.timeout, self.typing.max_places);
        let (mut state, ended) = self.typing.change(|typists| typists.reserve(typist.clone(), deadline, max_places));
        self.announce_ends(&ended);
        if !std::mem::replace(&mut state.has_timer, true) {
            actix_rt::spawn(Arc::clone(self).end_silent_typing());
        }
    }

    /// Announces a reserved typist.
    pub(in crate::realtime) fn start_typing(&self, typist: &Typist) {
        let mut state = self.typing.state.lock();
        if let Some(typist) = state.typists.announce(&typist.socket, typist.place) {
            self.announce_typing(typist, true);
        }
    }

    /// The user of the socket has stopped. Returns whether it had been announced.
    pub(in crate::realtime) fn stop_typing(&self, socket: &str, place: ConversationOrTicket) -> bool {
        let (_state, ended) = self.typing.change(|typists| typists.stop(socket, place));
        self.announce_ends(ended.as_slice());
        ended.is_some()
    }

    /// The socket has left the places for which `has_left` holds, or has disconnected.
    pub(in crate::realtime) fn leave_typing(&self, socket: &str, has_left: impl Fn(ConversationOrTicket) -> bool) {
        let (_state, ended) = self.typing.change(|typists| typists.leave(socket, has_left));
        self.announce_ends(&ended);
    }

    /// A message of this user was posted there, or the conversation was closed.
    pub(super) fn end_typing(&self, place: ConversationOrTicket, user: Option<&Owner>) {
        if self.typing.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let (_state, ended) = self.typing.change(|typists| typists.end(place, user));
        self.announce_ends(&ended);
    }

    /// Ends silent typists until there are none. Must not outlive the server: it ends within the timeout after the last
    /// socket has disconnected.
    async fn end_silent_typing(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = self.typing.state.lock();
                let next = state.typists.next_deadline();
                state.has_timer = next.is_some();
                next
            };
            let Some(next) = next else { return };
            tokio::time::sleep_until(next.into()).await;
            let (_state, ended) = self.typing.change(|typists| typists.expire(Instant::now()));
            self.announce_ends(&ended);
        }
    }

    /// Notifies those who see that the typist types, or has stopped. All typing is announced here.
    pub(in crate::realtime) fn announce_typing(&self, typist: &Typist, is_typing: bool) {
        let Some(Namespaces { support, help_center, .. }) = self.namespaces.get() else { return };
        let Typist { socket, user, is_agent, place, audience } = typist;
        let room = match (place, audience) {
            (ConversationOrTicket::Conversation(id), Audience::Agents) => rooms::of_conversation_agents(*id),
            (ConversationOrTicket::Conversation(id), _) => rooms::of_conversation(*id),
            (ConversationOrTicket::Ticket(id), Audience::Agents) => rooms::of_ticket_agents(*id),
            (ConversationOrTicket::Ticket(id), _) => rooms::of_ticket(*id),
        };
        let payload = TypingEvent { place: *place, user_id: user.account().map(UserId::as_str), is_admin: *is_agent };
        payload.emit(support.to(&room).except(socket), is_typing);
        // Conversations of other channels have no room in the help center.
        if let (ConversationOrTicket::Conversation(id), Audience::Room, true) = (place, audience, is_agent) {
            let payload = HelpCenterTypingEvent { is_typing, sender: "support" };
            help_center.to(&rooms::of_conversation(*id)).emit_event(&payload);
        }
    }

    /// Called under the lock of the typists.
    fn announce_ends(&self, ended: &[Typist]) {
        for typist in ended {
            self.announce_typing(typist, false);
        }
    }
}
