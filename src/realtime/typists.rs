//! Who types where, as a state machine: no I/O, and the time is passed in.
//!
//! Invariants: a socket types in a place once, and in a bounded number of places; what has been announced is returned
//! exactly once when it ends, whatever ends it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use crate::domain::Owner;
use crate::realtime::payload::ConversationOrTicket;

/// A socket that types in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typist {
    pub(super) socket: Arc<str>,
    pub(super) user: Owner,
    pub(super) is_agent: bool,
    pub(super) place: ConversationOrTicket,
    pub(super) audience: Audience,
}

/// Who is notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// The others in the room, and the customer in the help center.
    Room,
    /// The other agents in the room: a note is typed.
    Agents,
    /// The agents who have joined: the customer types in the help center.
    OfHelpCenter,
}

/// When a typist counts as silent; unique, so that it identifies the typist.
type Deadline = (Instant, u64);

#[derive(Debug)]
struct Entry {
    typist: Typist,
    deadline: Deadline,
    /// Whether others know of it; until then it is only reserved.
    is_announced: bool,
}

/// Everyone who types on this server.
#[derive(Debug, Default)]
pub(super) struct Typists {
    by_place: HashMap<ConversationOrTicket, Vec<Entry>>,
    /// In the order in which the socket began.
    by_socket: HashMap<Arc<str>, Vec<ConversationOrTicket>>,
    deadlines: BTreeMap<Deadline, (Arc<str>, ConversationOrTicket)>,
    next: u64,
}

impl Typists {
    /// The number of reserved and announced typists.
    pub(super) fn count(&self) -> usize {
        self.deadlines.len()
    }

    /// When the next typist counts as silent.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first_key_value().map(|((at, _), _)| *at)
    }

    /// The typist types on, until `deadline`. Returns whether they were announced to the same audience.
    pub(super) fn repeat(&mut self, typist: &Typist, deadline: Instant) -> bool {
        let next = self.next_number();
        let Some(entry) = self.entry_mut(&typist.socket, typist.place) else { return false };
        if !entry.is_announced || entry.typist.audience != typist.audience {
            return false;
        }
        let old = std::mem::replace(&mut entry.deadline, (deadline, next));
        self.deadlines.remove(&old);
        self.deadlines.insert((deadline, next), (Arc::clone(&typist.socket), typist.place));
        true
    }

    /// Reserves a place for a typist who is not announced yet. Returns who has to end for that: the same socket with
    /// another audience, or in the place where it began first, if it types in `max_places` already.
    pub(super) fn reserve(&mut self, typist: Typist, deadline: Instant, max_places: usize) -> Vec<Typist> {
        let mut ended: Vec<Typist> = self.stop(&typist.socket, typist.place).into_iter().collect();
        while self.by_socket.get(&typist.socket).is_some_and(|places| places.len() >= max_places.max(1)) {
            let first = self.by_socket.get(&typist.socket).and_then(|places| places.first()).copied();
            ended.extend(first.and_then(|place| self.stop(&typist.socket, place)));
        }
        let deadline = (deadline, self.next_number());
        self.deadlines.insert(deadline, (Arc::clone(&typist.socket), typist.place));
        self.by_socket.entry(Arc::clone(&typist.socket)).or_default().push(typist.place);
        self.by_place.entry(typist.place).or_default().push(Entry { typist, deadline, is_announced: false });
        ended
    }

    /// Announces a reserved typist. `None` if something has ended the reservation.
    pub(super) fn announce(&mut self, socket: &str, place: ConversationOrTicket) -> Option<&Typist> {
        let entry = self.entry_mut(socket, place)?;
        entry.is_announced = true;
        Some(&entry.typist)
    }

    /// The socket does not type in this place any more.
    pub(super) fn stop(&mut self, socket: &str, place: ConversationOrTicket) -> Option<Typist> {
        let entries = self.by_place.get_mut(&place)?;
        let index = entries.iter().position(|entry| *entry.typist.socket == *socket)?;
        let entry = entries.remove(index);
        if entries.is_empty() {
            self.by_place.remove(&place);
        }
        self.deadlines.remove(&entry.deadline);
        if let Some(places) = self.by_socket.get_mut(socket) {
            places.retain(|typed_in| *typed_in != place);
            if places.is_empty() {
                self.by_socket.remove(socket);
            }
        }
        entry.is_announced.then_some(entry.typist)
    }

    /// The socket has left the places for which `has_left` holds, or has disconnected.
    pub(super) fn leave(&mut self, socket: &str, has_left: impl Fn(ConversationOrTicket) -> bool) -> Vec<Typist> {
        let places = self.by_socket.get(socket).cloned().unwrap_or_default();
        places.into_iter().filter(|place| has_left(*place)).filter_map(|place| self.stop(socket, place)).collect()
    }

    /// What is typed in this place is over, by this user or by everyone.
    pub(super) fn end(&mut self, place: ConversationOrTicket, user: Option<&Owner>) -> Vec<Typist> {
        let entries = self.by_place.get(&place).map(Vec::as_slice).unwrap_or_default();
        let ends = |entry: &&Entry| user.is_none_or(|user| entry.typist.user == *user);
        let sockets: Vec<_> = entries.iter().filter(ends).map(|entry| Arc::clone(&entry.typist.socket)).collect();
        sockets.into_iter().filter_map(|socket| self.stop(&socket, place)).collect()
    }

    /// Those who have been silent for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Typist> {
        let mut silent = Vec::new();
        while let Some(first) = self.deadlines.first_entry().filter(|first| first.key().0 <= now) {
            let (socket, place) = first.get().clone();
            silent.extend(self.stop(&socket, place));
        }
        silent
    }

    fn entry_mut(&mut self, socket: &str, place: ConversationOrTicket) -> Option<&mut Entry> {
        self.by_place.get_mut(&place)?.iter_mut().find(|entry| *entry.typist.socket == *socket)
    }

    fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{ConversationId, TicketId, UserId};

    const MAX_PLACES: usize = 2;

    fn conversation(number: u128) -> ConversationOrTicket {
        ConversationOrTicket::Conversation(ConversationId(uuid::Uuid::from_u128(number)))
    }

    fn typist(socket: &str, place: ConversationOrTicket) -> Typist {
        let user = Owner::Account(UserId::parse(socket.trim_end_matches(char::is_numeric)).expect("an id"));
        Typist { socket: socket.into(), user, is_agent: false, place, audience: Audience::Room }
    }

    /// As a socket does: repeats, or reserves and announces. Returns who ends.
    fn types(typists: &mut Typists, typist: &Typist, deadline: Instant) -> Vec<Typist> {
        if typists.repeat(typist, deadline) {
            return Vec::new();
        }
        let ended = typists.reserve(typist.clone(), deadline, MAX_PLACES);
        assert_eq!(typists.announce(&typist.socket, typist.place), Some(typist));
        ended
    }

    fn is_empty(typists: &Typists) -> bool {
        typists.by_place.is_empty() && typists.by_socket.is_empty() && typists.deadlines.is_empty()
    }

    #[test]
    fn silence_ends_typing_and_repeating_restarts_the_time() {
        let (mut typists, start) = (Typists::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        let (ada, ben) = (typist("ada1", conversation(1)), typist("ben1", conversation(1)));
        types(&mut typists, &ada, at(60));
        types(&mut typists, &ben, at(61));
        types(&mut typists, &ada, at(90));
        assert_eq!(typists.expire(at(60)), []);
        assert_eq!(typists.next_deadline(), Some(at(61)));
        assert_eq!(typists.expire(at(61)), [ben]);
        assert_eq!(typists.expire(at(200)), [ada]);
        assert!(is_empty(&typists));
    }

    #[test]
    fn a_socket_that_leaves_stops_where_it_has_left_and_only_there() {
        let (mut typists, now) = (Typists::default(), Instant::now());
        let here = [typist("ada1", conversation(1)), typist("ada1", conversation(2))];
        let other = typist("ada2", conversation(1));
        for typist in here.iter().chain([&other]) {
            types(&mut typists, typist, now);
        }
        assert_eq!(typists.leave("ada1", |place| place == conversation(2)), [here[1].clone()]);
        assert_eq!(typists.leave("ada1", |_| true), [here[0].clone()]);
        assert_eq!(typists.leave("ada1", |_| true), []);
        assert_eq!(typists.leave("ada2", |_| true), [other]);
        assert!(is_empty(&typists));
    }

    #[test]
    fn a_message_ends_what_its_author_types_on_every_socket_and_closing_ends_everything() {
        let (mut typists, now) = (Typists::default(), Instant::now());
        let ada = [typist("ada1", conversation(1)), typist("ada2", conversation(1))];
        let (elsewhere, ben) = (typist("ada1", conversation(2)), typist("ben1", conversation(1)));
        for typist in ada.iter().chain([&elsewhere, &ben]) {
            types(&mut typists, typist, now);
        }
        assert_eq!(typists.end(conversation(1), Some(&ada[0].user)), ada);
        assert_eq!(typists.end(conversation(1), Some(&ada[0].user)), []);
        assert_eq!(typists.end(conversation(1), None), [ben]);
        assert_eq!(typists.end(conversation(2), None), [elsewhere]);
        assert!(is_empty(&typists));
    }

    #[test]
    fn a_socket_types_in_a_bounded_number_of_places_and_the_oldest_gives_way() {
        let (mut typists, now) = (Typists::default(), Instant::now());
        let places = [1, 2, 3].map(conversation).map(|place| typist("ada1", place));
        assert_eq!(types(&mut typists, &places[0], now), []);
        assert_eq!(types(&mut typists, &places[1], now), []);
        assert_eq!(types(&mut typists, &places[0], now), [], "it types on there");
        assert_eq!(types(&mut typists, &places[2], now), [places[0].clone()]);
        assert_eq!(typists.count(), MAX_PLACES);
    }

    #[test]
    fn another_audience_ends_what_the_first_one_was_shown() {
        let (mut typists, now) = (Typists::default(), Instant::now());
        let place = ConversationOrTicket::Ticket(TicketId(uuid::Uuid::nil()));
        let openly = typist("ada1", place);
        let note = Typist { audience: Audience::Agents, ..openly.clone() };
        assert_eq!(types(&mut typists, &openly, now), []);
        assert_eq!(types(&mut typists, &note, now), [openly]);
        assert_eq!(typists.stop("ada1", place), Some(note));
        assert!(is_empty(&typists));
    }

    #[test]
    fn a_reservation_that_ends_was_never_announced_and_cannot_be() {
        let (mut typists, now) = (Typists::default(), Instant::now());
        let ada = typist("ada1", conversation(1));
        assert_eq!(typists.reserve(ada.clone(), now, MAX_PLACES), []);
        assert!(!typists.repeat(&ada, now), "it is not announced yet");
        assert_eq!(typists.end(ada.place, None), []);
        assert_eq!(typists.announce("ada1", ada.place), None);
        assert!(is_empty(&typists));
    }
}
