//! What of a client hears events: they are written into the history, and told to whoever started the client.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::mpsc;

use super::history::{Action, Call, Conversation, Listener, Message, Person};
use super::packet::{Arguments, Handover, NewMessage, Told};
use super::recording::Heard;
use super::run_state::World;
use super::statistics::Operation;

/// What a client tells whoever started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClientEvent {
    /// Agents: somebody has opened a conversation of this run.
    Opened(Conversation),
    /// A visible message of an agent or of the customer.
    Written { conversation: Conversation, by_customer: bool },
    /// It has an agent.
    Claimed(Conversation),
    /// It is closed.
    Closed(Conversation),
    /// To an agent: a colleague offers it.
    Offered {
        conversation: Conversation,
        /// What made the offer.
        offer: Call,
        /// As the server calls it.
        handover: String,
    },
    /// To an agent: the colleague whom they offered it to has answered.
    Answered { conversation: Conversation, accepted: bool },
}

/// What of a client hears events.
pub(super) struct Ears {
    pub(super) world: Rc<World>,
    pub(super) person: Person,
    pub(super) is_agent: bool,
    pub(super) joined: HashMap<Conversation, (Listener, String)>,
    pub(super) teller: Option<mpsc::Sender<ClientEvent>>,
}

impl Ears {
    pub(super) fn hear(&self, name: &str, array: &str) {
        self.world.events.set(self.world.events.get() + 1);
        match name {
            "new_message" => self.new_message(array),
            "conversation_claimed" => self.told(array, |told| Some(Heard::Claimed(self.world.person(told?)))),
            "conversation_closed" => self.told(array, |_| Some(Heard::Closed)),
            // To a customer, a preview may give a note away. Agents see a great many, and may see notes.
            "conversation_updated" if !self.is_agent => self.preview(array),
            "conversation_created" if self.teller.is_some() => self.opened(array),
            "handover_requested" | "handover_resolved" => self.handover(array),
            _ => {}
        }
    }

    fn new_message(&self, array: &str) {
        let Some(payload) = Arguments::<NewMessage<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            self.world.error("a new_message that cannot be read");
            return;
        };
        let Some(conversation) = self.world.conversation(&payload.conversation_id) else { return };
        let seen = &payload.message;
        let message = self.world.message(&seen.id, &seen.message);
        let now = self.world.now();
        let Some((listener, _)) = self.joined.get(&conversation) else {
            // It was on its way when we left.
            self.world.count("messages after leaving");
            return;
        };
        let mut history = self.world.history.borrow_mut();
        match seen.seq {
            Some(seq) if !seen.is_internal => history.saw(*listener, seq, message, now),
            _ => history.heard(*listener, Heard::Note(message), now),
        }
        drop(history);
        if let Message::Of(call) = message
            && let Some(due) = self.world.due(call)
            && !seen.is_internal
        {
            self.world.statistics.borrow_mut().record(Operation::Delivery, due, now);
        }
        self.tell(ClientEvent::Written { conversation, by_customer: seen.is_from_user });
    }

    fn told(&self, array: &str, heard: impl FnOnce(Option<&str>) -> Option<Heard>) {
        let Some(payload) = Arguments::<Told<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            return;
        };
        let Some(conversation) = self.world.conversation(&payload.conversation_id) else { return };
        let Some(heard) = heard(payload.assigned_to.as_deref()) else { return };
        if let Some((listener, _)) = self.joined.get(&conversation) {
            self.world.history.borrow_mut().heard(*listener, heard, self.world.now());
        }
        self.tell(match heard {
            Heard::Claimed(_) => ClientEvent::Claimed(conversation),
            Heard::Closed => ClientEvent::Closed(conversation),
            Heard::Note(_) => return,
        });
    }

    fn preview(&self, array: &str) {
        let Some(payload) = Arguments::<Told<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            return;
        };
        let Some(call) = payload.message.and_then(|message| self.world.ours(&message.preview)) else { return };
        let mut history = self.world.history.borrow_mut();
        let record = history[call];
        if record.action == Action::Note
            && let Some((listener, _)) = self.joined.get(&record.conversation)
        {
            history.heard(*listener, Heard::Note(Message::Of(call)), self.world.now());
        }
    }

    /// The event may come before the answer that tells us which conversation it is: then there is nothing to look up
    /// yet, and the message in it says whose it is.
    fn opened(&self, array: &str) {
        #[derive(serde::Deserialize)]
        struct Created<'a> {
            #[serde(borrow)]
            id: Cow<'a, str>,
            #[serde(borrow)]
            first_message: Cow<'a, str>,
        }
        let Some(payload) = Arguments::<Created<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            return;
        };
        if let Some(call) = self.world.ours(&payload.first_message) {
            let conversation = self.world.history.borrow()[call].conversation;
            self.world.opened(conversation, &payload.id);
            self.tell(ClientEvent::Opened(conversation));
        }
    }

    fn handover(&self, array: &str) {
        let Some(payload) = Arguments::<Handover<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            self.world.error("a handover that cannot be read");
            return;
        };
        let Some(conversation) = self.world.conversation(&payload.conversation_id) else { return };
        if let Some(status) = payload.status {
            self.tell(ClientEvent::Answered { conversation, accepted: status == "accepted" });
        } else if let Some(offer) = payload.reason.and_then(|reason| self.world.ours(&reason)) {
            self.tell(ClientEvent::Offered { conversation, offer, handover: payload.handover_id.into_owned() });
        }
    }

    /// Whoever does not read its news misses some.
    fn tell(&self, news: ClientEvent) {
        if let Some(teller) = &self.teller {
            let _ = teller.try_send(news);
        }
    }
}
