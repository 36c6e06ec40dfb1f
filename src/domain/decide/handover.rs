//! Rules of handovers between agents, in the order of refusals that `support-admin.md` lists.

#[cfg(test)]
mod tests;

use crate::domain::{
    AnswerHandover, Change, Conversation, ExpireHandover, Handover, HandoverId, Party, Refusal, RequestHandover,
    Resolution, Status, WithdrawHandover,
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
    let (id, from) = (request.id, Party::from(&request.from));
    let handover = Box::new(Handover { id, from, to, reason: request.reason.clone() });
    Ok(vec![Change::HandoverRequested { handover, is_target_online: request.is_target_online }])
}

/// The caller has found this conversation by the handover, so one that is not pending was resolved.
pub(super) fn answer(conversation: &Conversation, answer: &AnswerHandover) -> Result<Vec<Change>, Refusal> {
    let handover = pending(conversation, answer.handover).ok_or(Refusal::HandoverResolved)?;
    if handover.to.id != answer.by.id {
        return Err(Refusal::HandoverNotTarget);
    }
    let resolution = if answer.accept { Resolution::Accepted } else { Resolution::Rejected };
    let (handover, by) = (Box::new(handover.clone()), Some(answer.by.clone()));
    Ok(vec![Change::HandoverResolved { handover, by, resolution }])
}

/// In the order of an answer's refusals.
pub(super) fn withdraw(conversation: &Conversation, withdraw: &WithdrawHandover) -> Result<Vec<Change>, Refusal> {
    let handover = pending(conversation, withdraw.handover).ok_or(Refusal::HandoverResolved)?;
    if handover.from.id != withdraw.by.id {
        return Err(Refusal::HandoverNotRequester);
    }
    let (handover, by) = (Box::new(handover.clone()), Some(withdraw.by.clone()));
    Ok(vec![Change::HandoverResolved { handover, by, resolution: Resolution::Withdrawn }])
}

/// Any number of servers ask for this at the same time: what has ended already does not end again.
pub(super) fn expire(conversation: &Conversation, expire: &ExpireHandover) -> Vec<Change> {
    let expired = pending(conversation, expire.handover).map(|handover| Change::HandoverResolved {
        handover: Box::new(handover.clone()),
        by: None,
        resolution: Resolution::Expired,
    });
    expired.into_iter().collect()
}

fn pending(conversation: &Conversation, id: HandoverId) -> Option<&Handover> {
    conversation.pending_handover.as_deref().filter(|pending| pending.id == id)
}
