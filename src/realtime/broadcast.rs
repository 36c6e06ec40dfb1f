//! Which room hears what when something has happened to a conversation (`support-admin.md`, "Real-time").
//!
//! The one place where that is decided: REST, sockets and repeats cannot differ in what they announce, because none of
//! them announces anything. The conversation's actor calls here, once for each event, in order, when it is stored.

mod ticket;

use std::sync::OnceLock;

use super::payload::{
    ConversationClaimed, ConversationClosed, ConversationCreated, HandoverRequested, HandoverResolved,
    HelpCenterTyping, NewMessage, Place, Preview, TicketCreatedFromConversation, TicketSummary, Typing, Update,
};
use super::rooms;
use crate::conversation::EventPublisher;
use crate::domain::{
    Agent, Author, Change, Channel, Conversation, ConversationId, Event, Handover, Posted, Resolution, Status,
    TicketCreation, TicketStatus, UserId, preview,
};
use crate::help_center::MessagePayload;
use crate::timestamp::IsoTimestamp;
use socketio::NamespaceHandle;

/// Announces on `/support`, and on `/help-center` what its customers see.
///
/// The sockets are made after the conversations that they announce, so they are named later; what happens before that
/// has no socket to hear it.
#[derive(Debug, Default)]
pub struct Broadcaster {
    namespaces: OnceLock<Namespaces>,
}

#[derive(Debug)]
struct Namespaces {
    support: NamespaceHandle,
    help_center: NamespaceHandle,
}

impl Broadcaster {
    /// Names the sockets to announce to. Only the first call counts.
    pub fn announce_on(&self, support: NamespaceHandle, help_center: NamespaceHandle) {
        let _ = self.namespaces.set(Namespaces { support, help_center });
    }

    /// An agent types in a conversation, or has stopped: its customer is told, where they are in the help center.
    /// Nobody of any other conversation is in a room there.
    pub(super) fn agent_types(&self, id: ConversationId, is_typing: bool) {
        let Some(Namespaces { help_center, .. }) = self.namespaces.get() else { return };
        let payload = HelpCenterTyping { is_typing, sender: "support" };
        help_center.to(&rooms::of_conversation(id)).emit("help_center:typing", &payload);
    }

    /// A customer types in the help center, or has stopped: the agents who have the conversation open are told.
    pub(super) fn customer_types(&self, id: ConversationId, customer: &UserId, is_typing: bool) {
        let Some(Namespaces { support, .. }) = self.namespaces.get() else { return };
        let payload = Typing { place: Place::Conversation(id), user_id: customer.as_str(), is_admin: false };
        support.to(&rooms::of_conversation(id)).emit(Typing::event(is_typing), &payload);
    }
}

impl EventPublisher for Broadcaster {
    fn publish(&self, conversation: &Conversation, events: &[Event]) {
        let Some(Namespaces { support, help_center }) = self.namespaces.get() else { return };
        let telling = Fanout { support, help_center, conversation };
        for event in events {
            telling.publish(event);
        }
    }
}

struct Fanout<'a> {
    support: &'a NamespaceHandle,
    help_center: &'a NamespaceHandle,
    conversation: &'a Conversation,
}

impl Fanout<'_> {
    fn publish(&self, event: &Event) {
        if self.conversation.channel != Channel::Ticket {
            self.tell_of_conversation(event);
        }
        if let Some(ticket) = self.conversation.ticket.as_deref() {
            ticket::publish(self.support, self.conversation, ticket, event);
        }
    }

    fn tell_of_conversation(&self, event: &Event) {
        match &event.change {
            // A conversation is told of by its first message, and that it is open again by the one right behind this; a
            // rating is read in the lists.
            Change::Created(_) | Change::Reopened(_) | Change::Rated(_) => {}
            Change::Message(_) => event.posted().iter().for_each(|posted| self.message(posted)),
            Change::Claimed(agent) => self.claimed(agent),
            Change::Closed(_) => self.closed(),
            Change::HandoverRequested(handover) => self.handover_requested(handover),
            Change::HandoverResolved { handover, by, resolution } => self.handover_resolved(handover, by, *resolution),
            Change::TicketCreated(creation) => self.ticket_created(creation),
            // These are told of as the ticket's.
            Change::TicketStatusChanged(_)
            | Change::TicketAssigned { .. }
            | Change::TicketPrioritised { .. }
            | Change::TicketRated(_) => {}
        }
    }

    fn message(&self, posted: &Posted) {
        let id = self.conversation.id;
        let payload = NewMessage::of_conversation(posted);
        if posted.message.is_note() {
            self.support.to(&rooms::of_conversation_agents(id)).emit("new_message", &payload);
            return;
        }
        self.support.to(&rooms::of_conversation(id)).emit("new_message", &payload);
        if self.conversation.channel == Channel::HelpCenter {
            let payload = MessagePayload::new(posted);
            self.help_center.to(&rooms::of_conversation(id)).emit("help_center:message", &payload);
        }
        match &posted.message.author {
            Author::Customer(_) if posted.message.is_opening() => self.created(posted),
            Author::Customer(_) => self.to_admins(Update::NewUserMessage { message: Preview::new(posted) }),
            Author::Agent(_) => self.to_customer(Update::NewReply { message: Preview::new(posted) }),
            // Who has the conversation open sees it; in the lists nothing has changed.
            Author::AutoReply { .. } => {}
        }
    }

    fn created(&self, opening: &Posted) {
        let payload = ConversationCreated {
            id: self.conversation.id,
            user_id: self.conversation.owner.account().map(crate::domain::UserId::as_str),
            email: self.conversation.email.as_deref(),
            status: Status::Active.as_str(),
            created_at: IsoTimestamp(self.conversation.created_at),
            first_message: preview(opening.message.text.as_str()),
        };
        self.support.to(rooms::ADMINS).emit("conversation_created", &payload);
    }

    fn claimed(&self, agent: &Agent) {
        let (assigned_to, assigned_admin_name) = (agent.id.as_str(), agent.name.as_str());
        self.held_by(agent);
        self.to_admins(Update::Claimed { assigned_to: Some(assigned_to), assigned_admin_name });
        self.to_customer(Update::Claimed { assigned_to: None, assigned_admin_name });
    }

    /// To everyone who has the conversation open.
    fn held_by(&self, agent: &Agent) {
        let conversation_id = self.conversation.id;
        let (assigned_to, assigned_admin_name) = (agent.id.as_str(), agent.name.as_str());
        let payload = ConversationClaimed { conversation_id, assigned_to, assigned_admin_name };
        self.support.to(&rooms::of_conversation(conversation_id)).emit("conversation_claimed", &payload);
    }

    fn handover_requested(&self, handover: &Handover) {
        let payload = HandoverRequested {
            handover_id: handover.id,
            conversation_id: self.conversation.id,
            from_admin_id: handover.from.id.as_str(),
            from_admin_name: &handover.from.name,
            reason: handover.reason.as_ref(),
        };
        self.support.to(&rooms::of_user(&handover.to.id)).emit("handover_requested", &payload);
    }

    fn handover_resolved(&self, handover: &Handover, by: &Agent, resolution: Resolution) {
        match resolution {
            Resolution::Accepted => {
                self.held_by(by);
                self.to_admins(Update::HandoverAccepted);
                self.to_customer(Update::HandoverCompleted { assigned_admin_name: &by.name });
            }
            Resolution::Rejected | Resolution::Closed => self.to_admins(Update::HandoverRejected),
        }
        let payload = HandoverResolved {
            handover_id: handover.id,
            conversation_id: self.conversation.id,
            status: resolution.as_str(),
            to_admin_name: &handover.to.name,
        };
        let asked = rooms::of_user(&handover.from.id);
        if resolution == Resolution::Closed {
            // In one emit, so that whoever is both hears it once.
            let target = rooms::of_user(&handover.to.id);
            self.support.to(&asked).to(&target).emit("handover_resolved", &payload);
        } else {
            self.support.to(&asked).emit("handover_resolved", &payload);
        }
    }

    fn ticket_created(&self, creation: &TicketCreation) {
        let conversation_id = self.conversation.id;
        let Some(ticket) = self.conversation.ticket.as_deref() else { return };
        let payload = TicketCreatedFromConversation {
            conversation_id,
            ticket: TicketSummary {
                id: creation.draft.id,
                ticket_number: ticket.number.as_str(),
                subject: &creation.draft.subject,
                support_type: creation.draft.support_type.as_str(),
                priority: creation.draft.priority.as_str(),
                status: TicketStatus::InProgress.as_str(),
            },
        };
        let room = rooms::of_conversation(conversation_id);
        self.support.to(&room).emit("ticket_created_from_conversation", &payload);
        self.to_customer(Update::TicketCreated { ticket_number: ticket.number.as_str() });
    }

    fn closed(&self) {
        let conversation_id = self.conversation.id;
        let payload = ConversationClosed { conversation_id };
        self.support.to(&rooms::of_conversation(conversation_id)).emit("conversation_closed", &payload);
        self.to_admins(Update::Closed);
        self.to_customer(Update::Closed);
    }

    fn to_admins(&self, update: Update<'_>) {
        self.support.to(rooms::ADMINS).emit("conversation_updated", &update.of(self.conversation.id));
    }

    /// A conversation of the help center is not among those that its customer has on `/support`.
    fn to_customer(&self, update: Update<'_>) {
        if self.conversation.channel != Channel::Support {
            return;
        }
        if let Some(account) = self.conversation.owner.account() {
            self.support.to(&rooms::of_user(account)).emit("conversation_updated", &update.of(self.conversation.id));
        }
    }
}
