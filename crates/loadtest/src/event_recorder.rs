//! Records a client's events in the history, and passes them on to the client's owner.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::mpsc;

use super::history::{Action, Call, Conversation, Listener, Message, Notice, Person};
use super::packet::{Arguments, ConversationEvent, Handover, NewMessage};
use super::run_state::RunState;
use super::statistics::Operation;

/// An event that a client passes on to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClientEvent {
    /// For agents: a conversation of this run was opened.
    Opened(Conversation),
    /// A visible message of an agent or of the customer.
    Written { conversation: Conversation, by_customer: bool },
    /// An agent has claimed it.
    Claimed(Conversation),
    /// It was closed.
    Closed(Conversation),
    /// To an agent: a colleague asks them to take it over.
    Offered {
        conversation: Conversation,
        /// The call that asked.
        offer: Call,
        /// The server's id of the handover.
        handover: String,
    },
    /// To an agent: the colleague has answered their request.
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
    pub(super) fn record(&self, name: &str, array: &str) {
        self.run_state.events.set(self.run_state.events.get() + 1);
        match name {
            "new_message" => self.new_message(array),
            "conversation_claimed" => self.notice(array, |agent| Some(Notice::Claimed(self.run_state.person(agent?)))),
            "conversation_closed" => self.notice(array, |_| Some(Notice::Closed)),
            // A preview must not show a note to a customer. Agents may see notes, so theirs are not parsed.
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
        let received = &payload.message;
        let message = self.run_state.message(&received.id, &received.message);
        let now = self.run_state.now();
        let Some((listener, _)) = self.joined.get(&conversation) else {
            // It was on its way when the client left.
            self.run_state.count("messages after leaving");
            return;
        };
        let mut history = self.run_state.history.borrow_mut();
        match received.seq {
            Some(seq) if !received.is_internal => history.record_shown(*listener, seq, message, now),
            _ => history.record_notice(*listener, Notice::Note(message), now),
        }
        drop(history);
        if let Message::Of(call) = message
            && let Some(due) = self.run_state.due(call)
            && !received.is_internal
        {
            self.run_state.statistics.borrow_mut().record(Operation::Delivery, due, now);
        }
        self.forward(ClientEvent::Written { conversation, by_customer: received.is_from_user });
    }

    fn notice(&self, array: &str, notice_of: impl FnOnce(Option<&str>) -> Option<Notice>) {
        let Some(payload) = Arguments::<ConversationEvent<'_>>::of_event(array).and_then(|arguments| arguments.payload)
        else {
            return;
        };
        let Some(conversation) = self.run_state.conversation(&payload.conversation_id) else { return };
        let Some(notice) = notice_of(payload.assigned_to.as_deref()) else { return };
        if let Some((listener, _)) = self.joined.get(&conversation) {
            self.run_state.history.borrow_mut().record_notice(*listener, notice, self.run_state.now());
        }
        self.forward(match notice {
            Notice::Claimed(_) => ClientEvent::Claimed(conversation),
            Notice::Closed => ClientEvent::Closed(conversation),
            Notice::Note(_) => return,
        });
    }

    fn preview(&self, array: &str) {
        let Some(payload) = Arguments::<ConversationEvent<'_>>::of_event(array).and_then(|arguments| arguments.payload)
        else {
            return;
        };
        let Some(call) = payload.message.and_then(|message| self.run_state.call_of_text(&message.preview)) else {
            return;
        };
        let mut history = self.run_state.history.borrow_mut();
        let record = history[call];
        if record.action == Action::Note
            && let Some((listener, _)) = self.joined.get(&record.conversation)
        {
            history.record_notice(*listener, Notice::Note(Message::Of(call)), self.run_state.now());
        }
    }

    /// The event may arrive before the answer that contains the conversation's id. The conversation is therefore
    /// identified by its first message.
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
        if let Some(call) = self.run_state.call_of_text(&payload.first_message) {
            let conversation = self.run_state.history.borrow()[call].conversation;
            self.run_state.set_id(conversation, &payload.id);
            self.forward(ClientEvent::Opened(conversation));
        }
    }

    fn handover(&self, array: &str) {
        let Some(payload) = Arguments::<Handover<'_>>::of_event(array).and_then(|arguments| arguments.payload) else {
            self.run_state.error("a handover that cannot be read");
            return;
        };
        let Some(conversation) = self.run_state.conversation(&payload.conversation_id) else { return };
        if let Some(status) = payload.status {
            self.forward(ClientEvent::Answered { conversation, accepted: status == "accepted" });
        } else if let Some(offer) = payload.reason.and_then(|reason| self.run_state.call_of_text(&reason)) {
            self.forward(ClientEvent::Offered { conversation, offer, handover: payload.handover_id.into_owned() });
        }
    }

    /// Passes an event on to the owner. If the owner's queue is full, the event is dropped.
    fn forward(&self, event: ClientEvent) {
        if let Some(event_sender) = &self.event_sender {
            let _ = event_sender.try_send(event);
        }
    }
}
