//! Publishes the events of a ticket: details to the sockets that have joined it, and a summary to the lists of all agents
//! or of its customer. A ticket always has a conversation, at least as the thread of its messages.

use super::emit_message;
use crate::domain::{
    Author, Change, Channel, Conversation, Event, Party, Posted, Resolution, StatusChange, Ticket, TicketStatus,
};
use crate::realtime::emit::EmitEvent;
use crate::realtime::payload::{
    MessagePreview, NewMessageEvent, StatusChangedEvent, TicketAssignedEvent, TicketCreatedEvent, TicketUpdate,
    TicketUpdatedEvent,
};
use crate::realtime::rooms;
use crate::timestamp::IsoTimestamp;
use socketio::NamespaceHandle;

/// Publishes an event of the ticket's conversation, if it concerns the ticket.
pub(super) fn publish(support: &NamespaceHandle, conversation: &Conversation, ticket: &Ticket, event: &Event) {
    let fanout = TicketFanout { support, conversation, ticket };
    match &event.change {
        Change::TicketCreated(_) => fanout.created(),
        Change::Message(_) => event.posted().iter().for_each(|posted| fanout.message(posted)),
        Change::TicketStatusChanged(change) => fanout.status_changed(change),
        Change::TicketAssigned { to: assignee, .. } => {
            fanout.assigned(assignee);
            fanout.assigned_to_admins(assignee);
        }
        // The ticket of a conversation has its assignee. Lists are kept current by `lists`.
        Change::Claimed(agent) | Change::TakenOver { by: agent, .. } => fanout.assigned(&Party::from(agent)),
        Change::Assigned { to, .. } => fanout.assigned(to),
        Change::HandoverResolved { by: Some(by), resolution: Resolution::Accepted, .. } => {
            fanout.assigned(&Party::from(by));
        }
        Change::ReopenedByAgent(agent) => fanout.assigned(&Party::from(agent)),
        Change::Closed { by, open_ticket: Some(from) } => fanout.status_changed(&StatusChange {
            by: Some(by.clone()),
            from: *from,
            to: TicketStatus::Resolved,
            notes: ticket.resolution_notes.clone(),
        }),
        // Priority and rating appear only in lists; the others are published to the conversation.
        Change::TicketPrioritised { .. }
        | Change::TicketRated(_)
        | Change::Created(_)
        | Change::Released(_)
        | Change::Closed { open_ticket: None, .. }
        | Change::Reopened(_)
        | Change::MovedToAccount(_)
        | Change::Rated(_)
        | Change::HandoverRequested { .. }
        | Change::HandoverResolved { .. } => {}
    }
}

/// Publishes the events of one ticket.
struct TicketFanout<'a> {
    support: &'a NamespaceHandle,
    conversation: &'a Conversation,
    ticket: &'a Ticket,
}

impl TicketFanout<'_> {
    fn created(&self) {
        let draft = &self.ticket.draft;
        let payload = TicketCreatedEvent {
            id: draft.id,
            ticket_number: self.ticket.number.as_str(),
            subject: &draft.subject,
            support_type: draft.support_type.as_str(),
            priority: draft.priority.as_str(),
            email: self.conversation.email.as_deref(),
            created_at: IsoTimestamp(self.ticket.created_at),
            conversation_id: (self.conversation.channel != Channel::Ticket).then_some(self.conversation.id),
        };
        self.support.to(rooms::ADMINS).emit_event(&payload);
    }

    fn message(&self, posted: &Posted) {
        let id = self.ticket.draft.id;
        let payload = NewMessageEvent::of_ticket(id, posted);
        if posted.message.is_note() {
            emit_message(self.support.to(&rooms::of_ticket_agents(id)), &payload, posted);
            return;
        }
        emit_message(self.support.to(&rooms::of_ticket(id)), &payload, posted);
        let message = MessagePreview::new(posted);
        match &posted.message.author {
            // The description is published with `ticket_created`.
            Author::Customer(_) if posted.message.is_opening() => {}
            Author::Customer(_) => self.to_admins(TicketUpdate::NewUserMessage { message }),
            Author::Agent(_) => self.to_customer(TicketUpdate::NewReply { message }),
            // An auto-reply changes nothing in lists.
            Author::AutoReply { .. } => {}
        }
    }

    fn status_changed(&self, change: &StatusChange) {
        let ticket_id = self.ticket.draft.id;
        let (old_status, new_status) = (change.from.as_str(), change.to.as_str());
        let resolution_notes = change.notes.as_ref();
        let payload = StatusChangedEvent {
            ticket_id,
            ticket_number: self.ticket.number.as_str(),
            old_status,
            new_status,
            resolution_notes,
        };
        self.support.to(&rooms::of_ticket(ticket_id)).emit_event(&payload);
        self.to_customer(TicketUpdate::StatusChanged { old_status, new_status, resolution_notes });
    }

    fn assigned(&self, assignee: &Party) {
        let ticket_id = self.ticket.draft.id;
        let (assigned_to, assigned_admin_name) = (assignee.id.as_str(), assignee.name.as_str());
        let ticket_number = self.ticket.number.as_str();
        let payload = TicketAssignedEvent { ticket_id, ticket_number, assigned_to, assigned_admin_name };
        self.support.to(&rooms::of_ticket(ticket_id)).emit_event(&payload);
    }

    fn assigned_to_admins(&self, assignee: &Party) {
        let (assigned_to, assigned_admin_name) = (assignee.id.as_str(), assignee.name.as_str());
        self.to_admins(TicketUpdate::Assigned { assigned_to, assigned_admin_name });
    }

    fn to_admins(&self, update: TicketUpdate<'_>) {
        self.support.to(rooms::ADMINS).emit_event(&self.update_event(update));
    }

    fn to_customer(&self, update: TicketUpdate<'_>) {
        if let Some(account) = self.conversation.owner.account() {
            self.support.to(&rooms::of_user(account)).emit_event(&self.update_event(update));
        }
    }

    fn update_event<'a>(&'a self, update: TicketUpdate<'a>) -> TicketUpdatedEvent<'a> {
        TicketUpdatedEvent { ticket_id: self.ticket.draft.id, ticket_number: self.ticket.number.as_str(), update }
    }
}
