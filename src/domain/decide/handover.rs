//! Rules of handovers between agents, in the order of refusals that `support-admin.md` lists.

#[cfg(test)]
mod tests;

use crate::domain::{
    AnswerHandover, Change, Conversation, Handover, Party, Refusal, RequestHandover, Resolution, Status,
};

pub(super) fn request(conversation: &Conversation, request: &RequestHandover) -> Result<Vec<Change>, Refusal> {
    if conversation.status == Status::Closed {
        return Err(Refusal::TransferClosed);
    }
    if !conversation.is_assigned_to(&request.from.id) {
        return Err(Refusal::TransferNotAssignee);
    }
    if request.to.as_ref() == Some(&request.from.id) {
        return Err(Refusal::TransferToSelf);
    }
    let target = request.to.clone().zip(request.to_name.clone()).map(|(id, name)| Party { id, name });
    let to = target.ok_or(Refusal::TransferTargetUnknown)?;
    if conversation.pending_handover.is_some() {
        return Err(Refusal::TransferPending);
    }
    Ok(vec![Change::HandoverRequested(Box::new(Handover {
        id: request.id,
        from: Party::from(&request.from),
        to,
        reason: request.reason.clone(),
    }))])
}

/// The caller has found this conversation by the handover, so one that is not pending was resolved.
pub(super) fn answer(conversation: &Conversation, answer: &AnswerHandover) -> Result<Vec<Change>, Refusal> {
    let pending = conversation.pending_handover.as_ref().filter(|pending| pending.id == answer.handover);
    let handover = pending.ok_or(Refusal::HandoverResolved)?;
    if handover.to.id != answer.by.id {
        return Err(Refusal::HandoverNotTarget);
    }
    let resolution = if answer.accept { Resolution::Accepted } else { Resolution::Rejected };
    Ok(vec![Change::HandoverResolved { handover: handover.clone(), by: answer.by.clone(), resolution }])
}
