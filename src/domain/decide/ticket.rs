//! Rules of commands that only a ticket has (`support-admin.md`, "Tickets").

#[cfg(test)]
mod tests;

use crate::domain::{
    Agent, AssignTicket, Change, Conversation, CreateTicket, PrioritiseTicket, Refusal, SetTicketStatus, Status,
    StatusChange, Ticket, TicketCreation, TicketDraft, TicketNumber, TicketStatus,
};

/// The event that creates a ticket; `by` is the agent, `None` if the customer creates it.
pub(super) fn created(draft: &TicketDraft, by: Option<&Agent>) -> Change {
    let creation = TicketCreation { draft: draft.clone(), number: TicketNumber::pending(), by: by.cloned() };
    Change::TicketCreated(Box::new(creation))
}

/// Any agent may create one, not only the assignee.
pub(super) fn create(conversation: &Conversation, create: &CreateTicket) -> Result<Vec<Change>, Refusal> {
    match &conversation.ticket {
        Some(ticket) => Err(Refusal::TicketExists(ticket.number.clone())),
        None if conversation.status == Status::Closed => Err(Refusal::TicketOfClosed),
        None => Ok(vec![created(&create.draft, Some(&create.by))]),
    }
}

pub(super) fn set_status(ticket: &Ticket, set: &SetTicketStatus) -> Result<Vec<Change>, Refusal> {
    if ticket.status == set.status && set.notes.is_none() {
        return Ok(Vec::new());
    }
    let notes = set.notes.clone().or_else(|| ticket.resolution_notes.clone());
    let change = StatusChange { by: Some(set.by.clone()), from: ticket.status, to: set.status, notes };
    Ok(vec![Change::TicketStatusChanged(Box::new(change))])
}

/// Of a ticket with a thread of its own.
pub(super) fn assign(ticket: &Ticket, assign: &AssignTicket) -> Result<Vec<Change>, Refusal> {
    let to = assign.to.clone().ok_or(Refusal::AssigneeUnknown)?;
    if ticket.assignee.as_ref().is_some_and(|assignee| assignee.id == to.id) {
        return Ok(Vec::new());
    }
    Ok(vec![Change::TicketAssigned { by: assign.by.clone(), to, previous: None }])
}

pub(super) fn prioritise(ticket: &Ticket, prioritise: &PrioritiseTicket) -> Result<Vec<Change>, Refusal> {
    let PrioritiseTicket { by, priority } = prioritise;
    if ticket.draft.priority == *priority {
        return Ok(Vec::new());
    }
    Ok(vec![Change::TicketPrioritised { by: by.clone(), priority: *priority }])
}

/// The first answer that the customer can see starts the work on a pending ticket.
pub(super) fn start_work(conversation: &Conversation, by: &Agent) -> Option<Change> {
    let ticket = conversation.ticket.as_ref().filter(|ticket| ticket.status == TicketStatus::Pending)?;
    Some(Change::TicketStatusChanged(Box::new(StatusChange {
        by: Some(by.clone()),
        from: TicketStatus::Pending,
        to: TicketStatus::InProgress,
        notes: ticket.resolution_notes.clone(),
    })))
}
