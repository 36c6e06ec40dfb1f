//! What happens to tickets (`support-admin.md`, "Tickets"; `decisions.md`, "Tickets without an agent").
//!
//! What is written in a conversation's ticket is written in the conversation, and its rules hold. A ticket with a
//! thread of its own is nobody's to claim: any agent answers.

use super::{
    Agent, Author, Change, Channel, Command, Conversation, Customer, Owner, Post, Rate, Refusal, StatusChange, Ticket,
    TicketCreation, TicketDraft, TicketNumber, TicketStatus, decide,
};

pub(super) fn permit(conversation: &Conversation, command: &Command) -> Result<(), Refusal> {
    if conversation.ticket.is_none() {
        return Err(Refusal::TicketNotFound);
    }
    match command {
        Command::SendToTicket(post) if !fits(conversation, &post.from) => Err(Refusal::TicketEmailMismatch),
        Command::ReplyToTicket(post) => match conversation.channel {
            Channel::Ticket => Ok(()),
            _ => decide::permit(Some(conversation), &Command::Reply(post.clone())),
        },
        Command::RateTicket(rate) if conversation.owner != rate.from.owner => Err(Refusal::TicketRateNotOwn),
        Command::AssignTicket { to: None, .. } => Err(Refusal::AssigneeUnknown),
        _ => Ok(()),
    }
}

/// An account's own ticket is theirs; to anybody else it takes the ticket's e-mail address.
fn fits(conversation: &Conversation, customer: &Customer) -> bool {
    let address = |email: &Option<String>| email.as_deref().map(str::to_lowercase);
    let same_address = customer.email.is_some() && address(&customer.email) == address(&conversation.email);
    match (&conversation.owner, &customer.owner) {
        (owner, sender) if owner == sender => true,
        (Owner::Account(_), Owner::Account(_)) => false,
        (Owner::Guest(_), _) | (Owner::Account(_), Owner::Guest(_)) => same_address,
    }
}

/// What a ticket begins with.
pub(super) fn made(draft: &TicketDraft, by: Option<&Agent>) -> Change {
    let creation = TicketCreation { draft: draft.clone(), number: TicketNumber::pending(), by: by.cloned() };
    Change::TicketCreated(Box::new(creation))
}

/// An agent makes one of a conversation, whoever holds it and even where it is closed.
pub(super) fn create(conversation: &Conversation, by: &Agent, draft: &TicketDraft) -> Result<Vec<Change>, Refusal> {
    match &conversation.ticket {
        Some(ticket) => Err(Refusal::TicketExists(ticket.number.clone())),
        None => Ok(vec![made(draft, Some(by))]),
    }
}

/// What is asked of a ticket that there is.
pub(super) fn change(conversation: &Conversation, ticket: &Ticket, command: &Command) -> Result<Vec<Change>, Refusal> {
    match command {
        Command::SendToTicket(post) if !ticket.status.is_done() => decide::send(conversation, post),
        Command::SendToTicket(_) => Err(Refusal::TicketDone),
        Command::ReplyToTicket(post) => reply(conversation, post),
        Command::NoteOnTicket(post) => decide::note(conversation, post),
        Command::SetTicketStatus { by, status, notes } => {
            let is_so = ticket.status == *status && notes.is_none();
            let notes = notes.clone().or_else(|| ticket.resolution_notes.clone());
            let change = StatusChange { by: by.clone(), from: ticket.status, to: *status, notes };
            Ok(if is_so { Vec::new() } else { vec![Change::TicketStatusChanged(Box::new(change))] })
        }
        Command::AssignTicket { by, to } => {
            let to = to.clone().ok_or(Refusal::AssigneeUnknown)?;
            let is_so = ticket.assignee.as_ref().is_some_and(|assignee| assignee.id == to.id);
            Ok(if is_so { Vec::new() } else { vec![Change::TicketAssigned { by: by.clone(), to }] })
        }
        Command::PrioritiseTicket { by, priority } => Ok(if ticket.draft.priority == *priority {
            Vec::new()
        } else {
            vec![Change::TicketPrioritised { by: by.clone(), priority: *priority }]
        }),
        Command::RateTicket(rate) => self::rate(ticket, rate),
        // Everything else is asked of a conversation, and decided there.
        _ => Err(Refusal::TicketNotFound),
    }
}

fn reply(conversation: &Conversation, post: &Post<Agent>) -> Result<Vec<Change>, Refusal> {
    match conversation.channel {
        Channel::Ticket => {
            let answer = decide::visible(conversation, Author::Agent(post.from.clone()), post);
            Ok([answer].into_iter().chain(begun(conversation, &post.from)).collect())
        }
        _ => decide::reply(conversation, post),
    }
}

/// The first answer that the customer can see starts the work on a ticket.
pub(super) fn begun(conversation: &Conversation, by: &Agent) -> Option<Change> {
    let ticket = conversation.ticket.as_ref().filter(|ticket| ticket.status == TicketStatus::Pending)?;
    Some(Change::TicketStatusChanged(Box::new(StatusChange {
        by: by.clone(),
        from: TicketStatus::Pending,
        to: TicketStatus::InProgress,
        notes: ticket.resolution_notes.clone(),
    })))
}

fn rate(ticket: &Ticket, rate: &Rate) -> Result<Vec<Change>, Refusal> {
    if ticket.rating.is_some() {
        return Err(Refusal::TicketAlreadyRated);
    }
    if !ticket.status.is_done() {
        return Err(Refusal::TicketRateOpen);
    }
    Ok(vec![Change::TicketRated(rate.clone())])
}
