//! Why a command is refused. The texts are those of the contract.

use super::TicketNumber;

/// Why a command is refused. Its text is a sentence that apps show as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such conversation.
    #[error("Conversation not found")]
    NotFound,
    /// It belongs to another account, or to an e-mail address.
    #[error("Access denied")]
    AccessDenied,
    /// The guest's token does not show that it is theirs, any more.
    #[error("The guest token is not valid")]
    GuestTokenInvalid,
    /// It belongs to another e-mail address.
    #[error("Email does not match the conversation owner")]
    EmailMismatch,
    /// The customer writes to a closed one.
    #[error("This conversation has been closed")]
    SendToClosed,
    /// An agent claims it, and another is the assignee.
    #[error(
        "This conversation is already assigned to another support agent. Use the handover flow to request a transfer."
    )]
    ClaimedByAnother,
    /// An agent claims a closed one.
    #[error("Cannot claim a closed conversation")]
    ClaimClosed,
    /// An agent answers, and another is the assignee.
    #[error("This conversation is assigned to another support agent. Request a handover to take it over.")]
    AssignedToAnother,
    /// An agent writes to a closed one.
    #[error("Cannot reply to a closed conversation")]
    ReplyToClosed,
    /// It is closed already.
    #[error("Conversation is already closed")]
    AlreadyClosed,
    /// A customer rates another's conversation.
    #[error("You can only rate your own conversations")]
    RateNotOwn,
    /// It is rated already.
    #[error("Conversation already rated")]
    AlreadyRated,
    /// It is rated before it is closed.
    #[error("Can only rate closed conversations")]
    RateOpen,
    /// A handover of a closed conversation is requested.
    #[error("Cannot transfer a closed conversation")]
    TransferClosed,
    /// An agent who is not the assignee requests a handover.
    #[error("Only the currently assigned agent can initiate a handover")]
    TransferNotAssignee,
    /// The assignee requests a handover to themselves.
    #[error("Cannot transfer to yourself")]
    TransferToSelf,
    /// The target is missing or no agent.
    #[error("Target admin not found")]
    TransferTargetUnknown,
    /// Another handover of it is pending.
    #[error("There is already a pending handover for this conversation")]
    TransferPending,
    /// There is no such handover.
    #[error("Handover not found")]
    HandoverNotFound,
    /// It was accepted or rejected before.
    #[error("This handover has already been resolved")]
    HandoverResolved,
    /// An agent other than the target answers.
    #[error("Only the target admin can respond to this handover")]
    HandoverNotTarget,
    /// An agent other than the one who requested it withdraws a handover.
    #[error("Only the agent who requested the handover can withdraw it")]
    HandoverNotRequester,
    /// An agent who is not the assignee releases it.
    #[error("Only the currently assigned agent can release this conversation")]
    ReleaseNotAssignee,
    /// A closed one is released.
    #[error("Cannot release a closed conversation")]
    ReleaseClosed,
    /// A closed one is taken over.
    #[error("Cannot take over a closed conversation")]
    TakeOverClosed,
    /// It, or its ticket, is taken over from an agent who is present.
    #[error("The assigned agent is present. Use the handover flow to request a transfer.")]
    HolderPresent,
    /// A closed one is assigned.
    #[error("Cannot assign a closed conversation")]
    AssignClosed,
    /// One that is not closed is reopened.
    #[error("Conversation is not closed")]
    NotClosed,
    /// The ticket of a conversation is assigned to another agent by one who does not hold it.
    #[error("This ticket belongs to a conversation that is assigned to another support agent")]
    TicketHeldByAnother,
    /// A ticket is created from a closed one.
    #[error("Cannot create a ticket from a closed conversation")]
    TicketOfClosed,
    /// It has a ticket already.
    #[error("This conversation already has ticket {0}")]
    TicketExists(TicketNumber),
    /// There is no such ticket.
    #[error("Ticket not found")]
    TicketNotFound,
    /// The new assignee of the ticket is missing or no agent.
    #[error("Assignee not found")]
    AssigneeUnknown,
    /// The ticket belongs to another e-mail address.
    #[error("Email does not match the ticket owner")]
    TicketEmailMismatch,
    /// The customer writes to a ticket that is resolved or closed.
    #[error("Cannot add messages to a closed or resolved ticket")]
    TicketDone,
    /// A customer rates another's ticket.
    #[error("You can only rate your own tickets")]
    TicketRateNotOwn,
    /// The ticket is rated already.
    #[error("Ticket already rated")]
    TicketAlreadyRated,
    /// The ticket is neither resolved nor closed.
    #[error("Can only rate resolved or closed tickets")]
    TicketRateOpen,
    /// The sender has used this `client_message_id` for another text, or in another conversation.
    #[error("client_message_id was already used for another message")]
    ClientMessageIdReused,
}

impl Refusal {
    /// Whether it applies before repeats are recognised, because the caller may not do this at all. Otherwise the
    /// conversation's state refuses, and the repeat of a send that succeeded still gets the first answer
    /// (`decisions.md`, "Envelope and errors").
    #[must_use]
    pub fn precedes_repeat(&self) -> bool {
        match self {
            Self::NotFound
            | Self::AccessDenied
            | Self::GuestTokenInvalid
            | Self::EmailMismatch
            | Self::AssignedToAnother
            | Self::RateNotOwn
            | Self::TransferNotAssignee
            | Self::TransferToSelf
            | Self::TransferTargetUnknown
            | Self::HandoverNotFound
            | Self::HandoverNotTarget
            | Self::HandoverNotRequester
            | Self::ReleaseNotAssignee
            | Self::TicketHeldByAnother
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
            | Self::ReleaseClosed
            | Self::TakeOverClosed
            | Self::HolderPresent
            | Self::AssignClosed
            | Self::NotClosed
            | Self::TicketOfClosed
            | Self::TicketExists(_)
            | Self::TicketDone
            | Self::TicketAlreadyRated
            | Self::TicketRateOpen
            | Self::ClientMessageIdReused => false,
        }
    }
}
