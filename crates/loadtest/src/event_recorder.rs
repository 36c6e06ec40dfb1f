//! Records a client's events in the history, and passes them on to the client's owner.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::mpsc;

use super::history::{Action, Call, Conversation, Listener, Message, Person};
use super::packet::{Arguments, Handover, NewMessage, Told};
use super::recording::Notice;
use super::run_state::RunState;
use super::statistics::Operation;

/// An event that a client passes on to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClientEvent {
    /// For agents: a conversation of this run was opened.
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

/// See the module.
pub(super) struct EventRecorder {
    pub(super) run_state: Rc<RunState>,
    pub(super) person: Person,
    pub(super) is_agent: bool,
    pub(super) joined: HashMap<Conversation, (Listener, String)>,
    pub(super) event_sender: Option<mpsc::Sender<ClientEvent>>,
}

impl EventRecorder {
    pub(super) fn hear(&self, name: &str, array: &str) {
        self.run_state.events.set(self.run_state.events.get() + 1);
        match name {
            "new_message" => self.new_message(array),
            "conversation_claimed" => self.told(array, |told| Some(Notice::Claimed(self.run_state.person(told?)))),
            "conversation_closed" => self.told(array, |_| Some(Notice::Closed)),
            // To a customer, a preview may give a note away. Agents see a great many, and may see notes.
            "conversation_updated" if !self.is_agent => self.preview(array),
            "conversation_created" if self.event_sender.is_some() => self.opened(array),
            "handover_requested" | "handover_resolved" => self.handover(array),
            _ => {}
        }
    }

    fn new_message(&self, array: &str) {
        let Some(payload) = Arguments::<NewMessage<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            self.run_state.error("a new_message that cannot be read");
            return;
        };
        let Some(conversation) = self.run_state.conversation(&payload.conversation_id) else { return };
        let seen = &payload.message;
        let message = self.run_state.message(&seen.id, &seen.message);
        let now = self.run_state.now();
        let Some((listener, _)) = self.joined.get(&conversation) else {
            // It was on its way when we left.
            self.run_state.count("messages after leaving");
            return;
        };
        let mut history = self.run_state.history.borrow_mut();
        match seen.seq {
            Some(seq) if !seen.is_internal => history.record_shown(*listener, seq, message, now),
            _ => history.record_notice(*listener, Notice::Note(message), now),
        }
        drop(history);
        if let Message::Of(call) = message
            && let Some(due) = self.run_state.due(call)
            && !seen.is_internal
        {
            self.run_state.statistics.borrow_mut().record(Operation::Delivery, due, now);
        }
        self.tell(ClientEvent::Written { conversation, by_customer: seen.is_from_user });
    }

    fn told(&self, array: &str, heard: impl FnOnce(Option<&str>) -> Option<Notice>) {
        let Some(payload) = Arguments::<Told<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            return;
        };
        let Some(conversation) = self.run_state.conversation(&payload.conversation_id) else { return };
        let Some(heard) = heard(payload.assigned_to.as_deref()) else { return };
        if let Some((listener, _)) = self.joined.get(&conversation) {
            self.run_state.history.borrow_mut().record_notice(*listener, heard, self.run_state.now());
        }
        self.tell(match heard {
            Notice::Claimed(_) => ClientEvent::Claimed(conversation),
            Notice::Closed => ClientEvent::Closed(conversation),
            Notice::Note(_) => return,
        });
    }

    fn preview(&self, array: &str) {
        let Some(payload) = Arguments::<Told<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            return;
        };
        let Some(call) = payload.message.and_then(|message| self.run_state.ours(&message.preview)) else { return };
        let mut history = self.run_state.history.borrow_mut();
        let record = history[call];
        if record.action == Action::Note
            && let Some((listener, _)) = self.joined.get(&record.conversation)
        {
            history.record_notice(*listener, Notice::Note(Message::Of(call)), self.run_state.now());
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
        if let Some(call) = self.run_state.ours(&payload.first_message) {
            let conversation = self.run_state.history.borrow()[call].conversation;
            self.run_state.opened(conversation, &payload.id);
            self.tell(ClientEvent::Opened(conversation));
        }
    }

    fn handover(&self, array: &str) {
        let Some(payload) = Arguments::<Handover<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            self.run_state.error("a handover that cannot be read");
            return;
        };
        let Some(conversation) = self.run_state.conversation(&payload.conversation_id) else { return };
        if let Some(status) = payload.status {
            self.tell(ClientEvent::Answered { conversation, accepted: status == "accepted" });
        } else if let Some(offer) = payload.reason.and_then(|reason| self.run_state.ours(&reason)) {
            self.tell(ClientEvent::Offered { conversation, offer, handover: payload.handover_id.into_owned() });
        }
    }

    /// Whoever does not read its events misses some.
    fn tell(&self, events: ClientEvent) {
        if let Some(event_sender) = &self.event_sender {
            let _ = event_sender.try_send(events);
        }
    }
}
