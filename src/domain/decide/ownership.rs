//! Rules of releasing, taking over, assigning and reopening (`additions.md`, 5), in its order of refusals. Each of them
//! ends the pending handover, which is the holder's.

#[cfg(test)]
mod tests;

use super::is_thread;
use crate::domain::{
    Absence, Agent, AssignConversation, AssignTicket, Change, Conversation, Party, Refusal, Release, Reopen,
    Resolution, Status, TakeOver, TicketStatus,
};

pub(super) fn release(conversation: &Conversation, release: &Release) -> Result<Vec<Change>, Refusal> {
    if !conversation.is_assigned_to(&release.by.id) {
        return Err(Refusal::ReleaseNotAssignee);
    }
    if conversation.status == Status::Closed {
        return Err(Refusal::ReleaseClosed);
    }
    Ok(superseding(conversation, &release.by, Change::Released(release.by.clone())))
}

/// Of an unassigned conversation it is a claim; of the agent's own it changes nothing.
pub(super) fn take_over(conversation: &Conversation, take_over: &TakeOver) -> Result<Vec<Change>, Refusal> {
    let TakeOver { by, reason, absence } = take_over;
    if conversation.status == Status::Closed {
        return Err(Refusal::TakeOverClosed);
    }
    if conversation.is_assigned_to(&by.id) {
        return Ok(Vec::new());
    }
    let Some(holder) = &conversation.assignee else { return Ok(vec![Change::Claimed(by.clone())]) };
    require_absence(conversation, absence.as_ref())?;
    let taken = Change::TakenOver { by: by.clone(), previous: Party::from(holder), reason: reason.clone() };
    Ok(superseding(conversation, by, taken))
}

pub(super) fn assign(conversation: &Conversation, assign: &AssignConversation) -> Result<Vec<Change>, Refusal> {
    let to = assign.to.clone().ok_or(Refusal::AssigneeUnknown)?;
    if conversation.status == Status::Closed {
        return Err(Refusal::AssignClosed);
    }
    if conversation.is_assigned_to(&to.id) {
        return Ok(Vec::new());
    }
    let previous = conversation.assignee.as_ref().map(Party::from);
    let assigned = Change::Assigned { by: assign.by.clone(), to, previous };
    Ok(superseding(conversation, &assign.by, assigned))
}

/// The ticket of a conversation has the conversation's assignee: assigning it assigns both. Its holder may assign it to
/// any agent, every agent may where it has none, and to themselves as they may take it over; a supervisor always.
pub(super) fn assign_ticket(conversation: &Conversation, assign: &AssignTicket) -> Result<Vec<Change>, Refusal> {
    let to = assign.to.clone().ok_or(Refusal::AssigneeUnknown)?;
    if conversation.is_assigned_to_another(&assign.by.id) && !assign.is_supervisor {
        if to.id != assign.by.id {
            return Err(Refusal::TicketHeldByAnother);
        }
        require_absence(conversation, assign.absence.as_ref())?;
    }
    if conversation.is_assigned_to(&to.id) {
        return Ok(Vec::new());
    }
    let previous = conversation.assignee.as_ref().map(Party::from);
    let assigned = Change::TicketAssigned { by: assign.by.clone(), to, previous };
    Ok(superseding(conversation, &assign.by, assigned))
}

pub(super) fn reopen(conversation: &Conversation, reopen: &Reopen) -> Result<Vec<Change>, Refusal> {
    if conversation.status != Status::Closed {
        return Err(Refusal::NotClosed);
    }
    Ok(vec![Change::ReopenedByAgent(reopen.by.clone())])
}

pub(super) fn close(conversation: &Conversation, agent: &Agent) -> Result<Vec<Change>, Refusal> {
    if conversation.status == Status::Closed {
        return Err(Refusal::AlreadyClosed);
    }
    let closed = Change::Closed { by: agent.clone(), open_ticket: open_ticket(conversation) };
    Ok(ending_handover(conversation, agent, Resolution::Closed, closed))
}

/// The status of the ticket that closing the conversation resolves.
fn open_ticket(conversation: &Conversation) -> Option<TicketStatus> {
    if is_thread(conversation) {
        return None;
    }
    conversation.ticket.as_ref().map(|ticket| ticket.status).filter(|status| !status.is_done())
}

fn require_absence(conversation: &Conversation, absence: Option<&Absence>) -> Result<(), Refusal> {
    let is_absent = |holder| absence.is_some_and(|absence| absence.is_of(holder));
    match &conversation.assignee {
        Some(holder) if !is_absent(holder) => Err(Refusal::HolderPresent),
        _ => Ok(()),
    }
}

fn superseding(conversation: &Conversation, by: &Agent, change: Change) -> Vec<Change> {
    ending_handover(conversation, by, Resolution::Superseded, change)
}

/// The change, after the end of the pending handover.
fn ending_handover(conversation: &Conversation, by: &Agent, resolution: Resolution, change: Change) -> Vec<Change> {
    let ended = conversation.pending_handover.as_ref().map(|handover| Change::HandoverResolved {
        handover: handover.clone(),
        by: Some(by.clone()),
        resolution,
    });
    ended.into_iter().chain([change]).collect()
}
