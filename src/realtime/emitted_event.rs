//! The events that the server emits, each described once: what sends an event takes its name from here, and the AsyncAPI
//! document lists the same table. To whom an event goes is decided in [`super::broadcast`].

use super::emit::EmittedEvent;
use super::help_center::HelpCenterError;
use super::list_update::{InboxUpdatedEvent, QueueUpdatedEvent};
use super::payload::{
    ConversationClaimedEvent, ConversationClosedEvent, ConversationCreatedEvent, ConversationUpdatedEvent,
    HandoverRequestedEvent, HandoverResolvedEvent, HelpCenterTypingEvent, NewMessageEvent, StatusChangedEvent,
    StopTypingEvent, TicketAssignedEvent, TicketCreatedEvent, TicketCreatedFromConversationEvent, TicketUpdatedEvent,
    TypingEvent,
};
use super::presence::AgentPresenceEvent;
use super::read::ReadEvent;
use crate::dto::{HelpCenterMessage, HelpCenterThread};
use crate::json_schema::{SchemaFn, Schemas};

/// An entry of the AsyncAPI document.
pub(super) struct EmittedEventDescription {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) payload: SchemaFn,
}

macro_rules! emitted_events {
    ($(#[$about:meta])* $table:ident { $($payload:ty, $name:literal, $summary:literal;)+ }) => {
        $(impl EmittedEvent for $payload {
            const NAME: &'static str = $name;
        })+

        $(#[$about])*
        pub(super) fn $table() -> Vec<EmittedEventDescription> {
            vec![$(EmittedEventDescription {
                name: $name,
                summary: $summary,
                payload: Schemas::serialized::<$payload>,
            }),+]
        }
    };
}

emitted_events! {
    /// What is emitted on `/support` (`support-user.md`, `support-admin.md`).
    support_events {
        NewMessageEvent<'_>, "new_message",
            "To the conversation and to its ticket, each with its own id; a note to their agents only";
        ConversationCreatedEvent<'_>, "conversation_created", "To all agents: a customer has started a conversation";
        ConversationUpdatedEvent<'_>, "conversation_updated",
            "For lists and badges. To all agents: new_user_message, claimed, closed, handover_accepted, handover_rejected. To the \
             customer: new_reply, claimed, closed, ticket_created, handover_completed";
        ConversationClaimedEvent<'_>, "conversation_claimed",
            "To the conversation: an agent has claimed it, taken it over, or been assigned";
        ConversationClosedEvent, "conversation_closed", "To the conversation";
        HandoverRequestedEvent<'_>, "handover_requested", "To the agent who is asked to take over";
        HandoverResolvedEvent<'_>, "handover_resolved",
            "To the agent who asked; to both, unless the target answered";
        TypingEvent<'_>, "typing", "To the others in the conversation or ticket";
        StopTypingEvent<'_>, "stop_typing", "To the others in the conversation or ticket";
        ReadEvent, "read", "To the conversation: the customer or an agent has read it up to a message";
        AgentPresenceEvent<'_>, "agent_presence",
            "To all agents: an agent's first socket has connected, or the last one disconnected";
        TicketCreatedFromConversationEvent<'_>, "ticket_created_from_conversation",
            "To the conversation: a ticket was created from it";
        TicketCreatedEvent<'_>, "ticket_created", "To all agents";
        TicketUpdatedEvent<'_>, "ticket_updated",
            "For lists and badges. To all agents: new_user_message, assigned. To the customer: new_reply, status_changed";
        TicketAssignedEvent<'_>, "ticket_assigned", "To the ticket";
        StatusChangedEvent<'_>, "status_changed", "To the ticket";
        InboxUpdatedEvent, "inbox_updated",
            "To the customer: a list of another device has changed; at most one for each conversation, change and second";
        QueueUpdatedEvent, "queue_updated",
            "To all agents: a row of a list has changed, and its fields that did; at most one for each row and second";
    }
}

emitted_events! {
    /// What is emitted on `/help-center` (`help-center.md`, 3).
    help_center_events {
        HelpCenterThread<'_>, "help_center:connected", "On every connection: the conversation and its newest messages";
        HelpCenterMessage<'_>, "help_center:message",
            "To all sockets of the customer: the customer or an agent has written";
        HelpCenterTypingEvent, "help_center:typing",
            "To all sockets of the customer: an agent types, or has stopped";
        HelpCenterError, "help_center:error",
            "The token is invalid, and the connection ends; or an event without acknowledgement has failed";
    }
}
