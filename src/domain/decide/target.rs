//! What differs between a conversation and its ticket. Whatever is written to the ticket of a conversation is written
//! to that conversation, and its rules apply. A ticket with a thread of its own cannot be claimed: any agent answers
//! (`support-admin.md`, "Tickets"; `decisions.md`, "Tickets without an agent").

use super::{is_thread, ticket, visible};
use crate::domain::{
    Agent, Author, Change, Channel, Command, Conversation, Customer, EmailAddress, Owner, Post, Refusal, Status,
    SubmitRating, Target, Ticket,
};

pub(super) fn not_found(target: Target) -> Refusal {
    match target {
        Target::Conversation => Refusal::NotFound,
        Target::Ticket => Refusal::TicketNotFound,
    }
}

pub(super) fn ticket(conversation: &Conversation) -> Result<&Ticket, Refusal> {
    conversation.ticket.as_deref().ok_or(Refusal::TicketNotFound)
}

/// Whether what a command addresses exists for those who can give this command.
pub(super) fn find(conversation: &Conversation, command: &Command) -> Result<(), Refusal> {
    if command.target() == Target::Ticket {
        return ticket(conversation).map(drop);
    }
    let exists = match conversation.channel {
        Channel::Support => true,
        Channel::Ticket => false,
        Channel::HelpCenter => match command {
            Command::WriteToHelpCenter(_) => true,
            // Its customer reaches it through the help center only.
            Command::Send(_) | Command::Rate(_) | Command::ClaimGuest(_) => false,
            // To agents it exists from its first message on.
            Command::Open(_)
            | Command::EnterHelpCenter(_)
            | Command::Claim(_)
            | Command::Reply(_)
            | Command::Note(_)
            | Command::Release(_)
            | Command::TakeOver(_)
            | Command::Assign(_)
            | Command::Close(_)
            | Command::Reopen(_)
            | Command::RequestHandover(_)
            | Command::AnswerHandover(_)
            | Command::WithdrawHandover(_)
            | Command::ExpireHandover(_)
            | Command::CreateTicket(_)
            | Command::SetTicketStatus(_)
            | Command::AssignTicket(_)
            | Command::PrioritiseTicket(_) => conversation.message_count > 0,
        },
    };
    if exists { Ok(()) } else { Err(Refusal::NotFound) }
}

pub(super) fn permit_send(conversation: &Conversation, post: &Post<Customer>) -> Result<(), Refusal> {
    match post.target {
        Target::Conversation => owns_conversation(conversation, &post.from),
        Target::Ticket if owns_ticket(conversation, &post.from) => Ok(()),
        Target::Ticket => Err(Refusal::TicketEmailMismatch),
    }
}

/// An account owns its conversations; a guest owns those of their address, and learns of an account's conversation
/// only that it is not theirs.
fn owns_conversation(conversation: &Conversation, customer: &Customer) -> Result<(), Refusal> {
    match (&conversation.owner, &customer.owner) {
        (owner, sender) if owner == sender => Ok(()),
        (Owner::Guest(_), Owner::Guest(_)) => Err(Refusal::EmailMismatch),
        (Owner::Account(_), _) | (Owner::Guest(_), Owner::Account(_)) => Err(Refusal::AccessDenied),
    }
}

/// An account owns its tickets; anyone else needs the e-mail address of a ticket with a thread of its own. The ticket of a
/// conversation is the owner's alone.
fn owns_ticket(conversation: &Conversation, customer: &Customer) -> bool {
    let address = |email: &Option<String>| email.as_deref().map(EmailAddress::stored);
    let same_address = customer.email.is_some() && address(&customer.email) == address(&conversation.email);
    match (&conversation.owner, &customer.owner) {
        (owner, sender) if owner == sender => true,
        (Owner::Account(_), Owner::Account(_)) => false,
        _ if !is_thread(conversation) => false,
        (Owner::Guest(_), _) | (Owner::Account(_), Owner::Guest(_)) => same_address,
    }
}

pub(super) fn send(conversation: &Conversation, post: &Post<Customer>) -> Result<Vec<Change>, Refusal> {
    // First: closing has resolved the ticket, but is what the customer is to know.
    if conversation.status == Status::Closed {
        return Err(Refusal::SendToClosed);
    }
    if post.target == Target::Ticket && ticket(conversation)?.status.is_done() {
        return Err(Refusal::TicketDone);
    }
    let message = visible(conversation, Author::Customer(post.from.clone()), post);
    Ok([message].into_iter().chain(conversation.ticket_reopening()).collect())
}

pub(super) fn permit_reply(conversation: &Conversation, post: &Post<Agent>) -> Result<(), Refusal> {
    if !is_thread(conversation) && conversation.is_assigned_to_another(&post.from.id) {
        return Err(Refusal::AssignedToAnother);
    }
    Ok(())
}

pub(super) fn reply(conversation: &Conversation, post: &Post<Agent>) -> Result<Vec<Change>, Refusal> {
    let claimed = if is_thread(conversation) {
        None
    } else if conversation.status == Status::Closed {
        return Err(Refusal::ReplyToClosed);
    } else {
        (!conversation.is_assigned_to(&post.from.id)).then(|| Change::Claimed(post.from.clone()))
    };
    let answer = visible(conversation, Author::Agent(post.from.clone()), post);
    Ok(claimed.into_iter().chain([answer]).chain(ticket::start_work(conversation, &post.from)).collect())
}

pub(super) fn permit_rating(conversation: &Conversation, rating: &SubmitRating) -> Result<(), Refusal> {
    if conversation.owner == rating.rate.from.owner {
        return Ok(());
    }
    Err(match rating.target {
        Target::Conversation => Refusal::RateNotOwn,
        Target::Ticket => Refusal::TicketRateNotOwn,
    })
}

pub(super) fn rate(conversation: &Conversation, rating: &SubmitRating) -> Result<Vec<Change>, Refusal> {
    match rating.target {
        Target::Conversation if conversation.rating.is_some() && !conversation.is_rating_replaceable => {
            Err(Refusal::AlreadyRated)
        }
        Target::Conversation if conversation.status != Status::Closed => Err(Refusal::RateOpen),
        Target::Conversation => Ok(vec![Change::Rated(rating.rate.clone())]),
        Target::Ticket => {
            let ticket = ticket(conversation)?;
            if ticket.rating.is_some() {
                return Err(Refusal::TicketAlreadyRated);
            }
            if !ticket.status.is_done() {
                return Err(Refusal::TicketRateOpen);
            }
            Ok(vec![Change::TicketRated(rating.rate.clone())])
        }
    }
}
