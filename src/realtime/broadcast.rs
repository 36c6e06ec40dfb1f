//! Which room receives which event (`support-admin.md`, "Real-time").
//!
//! Only the conversation's actor publishes: once per event, in order, when the event is stored. REST, sockets and
//! repeated requests therefore cannot differ in what they publish.

mod lists;
mod ticket;
mod typing;

use std::sync::{Arc, OnceLock};

use chrono::TimeDelta;

use self::typing::TypingIndicators;
use super::emit::{EmitEvent, emit_variants};
use super::handover_announcer::HandoverAnnouncer;
use super::list_update::{InboxChange, InboxUpdatedEvent};
use super::list_updates::ListUpdates;
use super::payload::{
    ConversationClaimedEvent, ConversationClosedEvent, ConversationCreatedEvent, ConversationOrTicket,
    ConversationUpdate, HandoverRequestedEvent, HandoverResolvedEvent, MessagePreview, NewMessageEvent,
    TicketCreatedFromConversationEvent, TicketSummary,
};
use super::read::ReadEvent;
use super::rooms;
use crate::config::RealtimeSettings;
use crate::conversation::EventPublisher;
use crate::domain::{
    Agent, Author, Change, Channel, Conversation, Event, Handover, Party, Posted, ReadingSide, Reason, Resolution,
    Status, TicketCreation, TicketStatus, UserId, preview,
};
use crate::dto::HelpCenterMessage;
use crate::read_marks::ReadMarkListener;
use crate::timestamp::IsoTimestamp;
use socketio::{Broadcast, NamespaceHandle};

/// Publishes on `/support`, and on `/help-center` the events that its customers receive.
///
/// The namespaces are created after the registry, which publishes on them, so they are set later. Events before that
/// have no subscribers.
#[derive(Debug)]
pub struct Broadcaster {
    namespaces: OnceLock<Namespaces>,
    typing: TypingIndicators,
}

#[derive(Debug)]
struct Namespaces {
    support: NamespaceHandle,
    help_center: NamespaceHandle,
    list_updates: Arc<ListUpdates>,
    announcer: HandoverAnnouncer,
}

impl Broadcaster {
    /// A broadcaster without namespaces.
    #[must_use]
    pub fn new(settings: &RealtimeSettings) -> Self {
        Self { namespaces: OnceLock::new(), typing: TypingIndicators::new(settings) }
    }

    /// Sets the namespaces to publish on. Only the first call has an effect. Of at most `rows` rows of lists it is
    /// remembered when they were announced last.
    pub(super) fn publish_on(
        &self,
        support: NamespaceHandle,
        help_center: NamespaceHandle,
        rows: usize,
        announcer: HandoverAnnouncer,
        handover_expiry: Option<TimeDelta>,
    ) {
        let list_updates = ListUpdates::start(support.clone(), rows, handover_expiry);
        let _ = self.namespaces.set(Namespaces { support, help_center, list_updates, announcer });
    }
}

impl EventPublisher for Broadcaster {
    fn publish(&self, conversation: &Conversation, events: &[Event]) {
        let Some(Namespaces { support, help_center, list_updates, announcer }) = self.namespaces.get() else { return };
        let fanout = ConversationFanout { support, help_center, conversation, announcer };
        for event in events {
            self.end_typing_before(conversation, event);
            fanout.publish(event);
            lists::publish(list_updates, conversation, event);
        }
    }
}

impl ReadMarkListener for Broadcaster {
    fn read_up_to(&self, conversation: &Conversation, side: ReadingSide, seq: i64) {
        let Some(Namespaces { support, list_updates, .. }) = self.namespaces.get() else { return };
        let (conversation_id, account) = (conversation.id, conversation.owner.account());
        let payload = ReadEvent { conversation_id, reader: side.as_str(), up_to_seq: seq };
        support.to(&rooms::of_conversation(conversation_id)).emit_event(&payload);
        if let (ReadingSide::Customer, Channel::Support, Some(account)) = (side, conversation.channel, account) {
            list_updates.inbox(account, InboxUpdatedEvent { conversation_id, change: InboxChange::Read });
        }
    }
}

impl Broadcaster {
    /// A message ends what its author types, and closing what anyone types (`additions.md`, 3).
    fn end_typing_before(&self, conversation: &Conversation, event: &Event) {
        let typist = if let Change::Message(message) = &event.change { message.author.as_owner() } else { None };
        // An auto-reply is not typed.
        if typist.is_none() && !matches!(event.change, Change::Closed { .. }) {
            return;
        }
        self.end_typing(ConversationOrTicket::Conversation(conversation.id), typist.as_ref());
        if let Some(ticket) = conversation.ticket.as_deref() {
            self.end_typing(ConversationOrTicket::Ticket(ticket.draft.id), typist.as_ref());
        }
    }
}

/// Emits a message. The sender's sockets among the receivers also get the id that the sender gave it, by which their app
/// recognises it (`additions.md`, 2).
fn emit_message(to: Broadcast<'_>, payload: &NewMessageEvent<'_>, posted: &Posted) {
    match (payload.for_sender(posted), rooms::of_author(posted)) {
        (Some(variant), Some(sender)) => emit_variants(to, payload, &sender, &variant),
        _ => to.emit_event(payload),
    }
}

/// Publishes the events of one conversation.
struct ConversationFanout<'a> {
    support: &'a NamespaceHandle,
    help_center: &'a NamespaceHandle,
    conversation: &'a Conversation,
    announcer: &'a HandoverAnnouncer,
}

impl ConversationFanout<'_> {
    fn publish(&self, event: &Event) {
        if self.conversation.channel != Channel::Ticket {
            self.publish_to_conversation(event);
        }
        if let Some(ticket) = self.conversation.ticket.as_deref() {
            ticket::publish(self.support, self.conversation, ticket, event);
        }
    }

    fn publish_to_conversation(&self, event: &Event) {
        match &event.change {
            // Created and Reopened are published with the message that follows them; the others only to lists, by `lists`.
            Change::Created(_)
            | Change::Reopened(_)
            | Change::ReopenedByAgent(_)
            | Change::Released(_)
            | Change::Rated(_) => {}
            // On every server, before anything that the account writes is announced there.
            Change::MovedToAccount(_) => self.support.to(&rooms::of_guest(self.conversation.id)).disconnect(),
            Change::Message(_) => event.posted().iter().for_each(|posted| self.message(posted)),
            Change::Claimed(agent) => self.claimed(&Party::from(agent), None),
            Change::TakenOver { by, previous, .. } => self.claimed(&Party::from(by), Some(previous)),
            Change::Assigned { to, previous, .. } => self.claimed(to, previous.as_ref()),
            Change::Closed { .. } => self.closed(),
            Change::HandoverRequested { handover, is_target_online: true } => self.handover_requested(handover),
            Change::HandoverRequested { handover, is_target_online: false } => {
                self.announcer.requested(self.support, &handover.to.id);
            }
            Change::HandoverResolved { handover, by, resolution } => {
                self.handover_resolved(handover, by.as_ref(), *resolution);
            }
            Change::TicketCreated(creation) => self.ticket_created(creation),
            // It assigns the conversation, too.
            Change::TicketAssigned { to, previous, .. } => self.claimed(to, previous.as_ref()),
            // Published to the ticket.
            Change::TicketStatusChanged(_) | Change::TicketPrioritised { .. } | Change::TicketRated(_) => {}
        }
    }

    fn message(&self, posted: &Posted) {
        let id = self.conversation.id;
        let payload = NewMessageEvent::of_conversation(posted);
        if posted.message.is_note() {
            emit_message(self.support.to(&rooms::of_conversation_agents(id)), &payload, posted);
            return;
        }
        emit_message(self.support.to(&rooms::of_conversation(id)), &payload, posted);
        if self.conversation.channel == Channel::HelpCenter {
            let payload = HelpCenterMessage::new(posted);
            self.help_center.to(&rooms::of_conversation(id)).emit_event(&payload);
        }
        match &posted.message.author {
            Author::Customer(_) if posted.message.is_opening() => self.created(posted),
            Author::Customer(_) => {
                self.to_admins(ConversationUpdate::NewUserMessage { message: MessagePreview::new(posted) })
            }
            Author::Agent(_) => self.to_customer(ConversationUpdate::NewReply { message: MessagePreview::new(posted) }),
            // An auto-reply changes nothing in lists.
            Author::AutoReply { .. } => {}
        }
    }

    fn created(&self, opening: &Posted) {
        let payload = ConversationCreatedEvent {
            id: self.conversation.id,
            user_id: self.conversation.owner.account().map(UserId::as_str),
            email: self.conversation.email.as_deref(),
            status: Status::Active.as_str(),
            created_at: IsoTimestamp(self.conversation.created_at),
            first_message: preview(opening.message.text.as_str()),
        };
        self.support.to(rooms::ADMINS).emit_event(&payload);
    }

    /// A claim, or what is announced as one: the conversation has another assignee.
    fn claimed(&self, assignee: &Party, previous: Option<&Party>) {
        let (assigned_to, assigned_admin_name) = (Some(assignee.id.as_str()), assignee.name.as_str());
        let previous_admin_id = previous.map(|previous| previous.id.as_str());
        self.publish_claimed(assignee, previous_admin_id);
        self.to_admins(ConversationUpdate::Claimed { assigned_to, assigned_admin_name, previous_admin_id });
        let (assigned_to, previous_admin_id) = (None, None);
        self.to_customer(ConversationUpdate::Claimed { assigned_to, assigned_admin_name, previous_admin_id });
    }

    /// `conversation_claimed`, also for an accepted handover.
    fn publish_claimed(&self, assignee: &Party, previous_admin_id: Option<&str>) {
        let conversation_id = self.conversation.id;
        let (assigned_to, assigned_admin_name) = (assignee.id.as_str(), assignee.name.as_str());
        let payload = ConversationClaimedEvent { conversation_id, assigned_to, assigned_admin_name, previous_admin_id };
        self.support.to(&rooms::of_conversation(conversation_id)).emit_event(&payload);
    }

    fn handover_requested(&self, handover: &Handover) {
        let payload = HandoverRequestedEvent {
            handover_id: handover.id,
            conversation_id: self.conversation.id,
            from_admin_id: handover.from.id.as_str(),
            from_admin_name: &handover.from.name,
            reason: handover.reason.as_ref().map(Reason::as_str),
        };
        self.support.to(&rooms::of_user(&handover.to.id)).emit_event(&payload);
    }

    fn handover_resolved(&self, handover: &Handover, by: Option<&Agent>, resolution: Resolution) {
        match (resolution, by) {
            (Resolution::Accepted, Some(by)) => {
                self.publish_claimed(&Party::from(by), None);
                self.to_admins(ConversationUpdate::HandoverAccepted);
                self.to_customer(ConversationUpdate::HandoverCompleted { assigned_admin_name: &by.name });
            }
            // Clients that know no other end see a rejection.
            _ => self.to_admins(ConversationUpdate::HandoverRejected),
        }
        let payload = HandoverResolvedEvent {
            handover_id: handover.id,
            conversation_id: self.conversation.id,
            status: resolution.as_str(),
            resolution: resolution.rejection(),
            to_admin_name: &handover.to.name,
        };
        let asked = rooms::of_user(&handover.from.id);
        if resolution.is_answer() {
            self.support.to(&asked).emit_event(&payload);
        } else {
            // In one emit, so that a socket in both rooms receives it once.
            let target = rooms::of_user(&handover.to.id);
            self.support.to(&asked).to(&target).emit_event(&payload);
        }
    }

    fn ticket_created(&self, creation: &TicketCreation) {
        let conversation_id = self.conversation.id;
        let Some(ticket) = self.conversation.ticket.as_deref() else { return };
        let payload = TicketCreatedFromConversationEvent {
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
        self.support.to(&room).emit_event(&payload);
        self.to_customer(ConversationUpdate::TicketCreated { ticket_number: ticket.number.as_str() });
    }

    fn closed(&self) {
        let conversation_id = self.conversation.id;
        let payload = ConversationClosedEvent { conversation_id };
        self.support.to(&rooms::of_conversation(conversation_id)).emit_event(&payload);
        self.to_admins(ConversationUpdate::Closed);
        self.to_customer(ConversationUpdate::Closed);
    }

    fn to_admins(&self, update: ConversationUpdate<'_>) {
        self.support.to(rooms::ADMINS).emit_event(&update.of(self.conversation.id));
    }

    /// Not for conversations of the help center, which its customer does not see on `/support`.
    fn to_customer(&self, update: ConversationUpdate<'_>) {
        if self.conversation.channel != Channel::Support {
            return;
        }
        if let Some(account) = self.conversation.owner.account() {
            self.support.to(&rooms::of_user(account)).emit_event(&update.of(self.conversation.id));
        }
    }
}
