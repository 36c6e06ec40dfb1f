//! Why a command is refused, in the words that the contract gives to the client.

use super::TicketNumber;

/// A command that may not happen. Its text is one readable sentence: apps show it as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such conversation.
    #[error("Conversation not found")]
    NotFound,
    /// It belongs to another account, or to an e-mail address.
    #[error("Access denied")]
    AccessDenied,
    /// It belongs to another e-mail address.
    #[error("Email does not match the conversation owner")]
    EmailMismatch,
    /// The customer writes into a closed one.
    #[error("This conversation has been closed")]
    SendToClosed,
    /// Another agent holds it, and this one claims.
    #[error(
        "This conversation is already assigned to another support agent. Use the handover flow to request a transfer."
    )]
    ClaimedByAnother,
    /// An agent claims a closed one.
    #[error("Cannot claim a closed conversation")]
    ClaimClosed,
    /// Another agent holds it, and this one answers.
    #[error("This conversation is assigned to another support agent. Request a handover to take it over.")]
    AssignedToAnother,
    /// An agent writes into a closed one.
    #[error("Cannot reply to a closed conversation")]
    ReplyToClosed,
    /// It is closed already.
    #[error("Conversation is already closed")]
    AlreadyClosed,
    /// Somebody else's is rated.
    #[error("You can only rate your own conversations")]
    RateNotOwn,
    /// It is rated already.
    #[error("Conversation already rated")]
    AlreadyRated,
    /// It is still going on.
    #[error("Can only rate closed conversations")]
    RateOpen,
    /// A closed one is to be handed over.
    #[error("Cannot transfer a closed conversation")]
    TransferClosed,
    /// Who hands over does not hold it.
    #[error("Only the currently assigned agent can initiate a handover")]
    TransferNotAssignee,
    /// To themselves.
    #[error("Cannot transfer to yourself")]
    TransferToSelf,
    /// To nobody, or to somebody who is no agent.
    #[error("Target admin not found")]
    TransferTargetUnknown,
    /// Another handover of it waits for its answer.
    #[error("There is already a pending handover for this conversation")]
    TransferPending,
    /// There is no such handover.
    #[error("Handover not found")]
    HandoverNotFound,
    /// It was accepted or rejected before.
    #[error("This handover has already been resolved")]
    HandoverResolved,
    /// Somebody else was asked.
    #[error("Only the target admin can respond to this handover")]
    HandoverNotTarget,
    /// A ticket was made of it before.
    #[error("This conversation already has ticket {0}")]
    TicketExists(TicketNumber),
    /// There is no such ticket.
    #[error("Ticket not found")]
    TicketNotFound,
    /// The ticket is to be given to nobody, or to somebody who is no agent.
    #[error("Assignee not found")]
    AssigneeUnknown,
    /// The ticket belongs to another e-mail address.
    #[error("Email does not match the ticket owner")]
    TicketEmailMismatch,
    /// The customer writes into a ticket that is resolved or closed.
    #[error("Cannot add messages to a closed or resolved ticket")]
    TicketDone,
    /// Somebody else's ticket is rated.
    #[error("You can only rate your own tickets")]
    TicketRateNotOwn,
    /// The ticket is rated already.
    #[error("Ticket already rated")]
    TicketAlreadyRated,
    /// The ticket is neither resolved nor closed.
    #[error("Can only rate resolved or closed tickets")]
    TicketRateOpen,
    /// The sender gave this `client_message_id` to another text, or in another conversation.
    #[error("client_message_id was already used for another message")]
    ClientMessageIdReused,
}

impl Refusal {
    /// Whether it says what the caller may not do at all, and so stands before the question of a repeat; otherwise the
    /// conversation's state refuses, and a repeat of what once succeeded still gets its first answer (`decisions.md`,
    /// "Envelope and errors").
    #[must_use]
    pub fn precedes_repeat(&self) -> bool {
        match self {
            Self::NotFound
            | Self::AccessDenied
            | Self::EmailMismatch
            | Self::AssignedToAnother
            | Self::RateNotOwn
            | Self::TransferNotAssignee
            | Self::TransferToSelf
            | Self::TransferTargetUnknown
            | Self::HandoverNotFound
            | Self::HandoverNotTarget
            | Self::TicketNotFound
            | Self::AssigneeUnknown
            | Self::TicketEmailMismatch
            | Self::TicketRateNotOwn => true,
            Self::SendToClosed
            | Self::ClaimedByAnother
            | Self::ClaimClosed
            | Self::ReplyToClosed
            | Self::AlreadyClosed
            | Self::AlreadyRated
            | Self::RateOpen
            | Self::TransferClosed
            | Self::TransferPending
            | Self::HandoverResolved
            | Self::TicketExists(_)
            | Self::TicketDone
            | Self::TicketAlreadyRated
            | Self::TicketRateOpen
            | Self::ClientMessageIdReused => false,
        }
    }
}
