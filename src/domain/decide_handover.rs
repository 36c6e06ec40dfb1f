//! What happens when agents hand a conversation over, in the order of refusals that `support-admin.md` lists.

use super::{AnswerHandover, AskHandover, Change, Conversation, Handover, Party, Refusal, Resolution, Status};

pub(super) fn ask(conversation: &Conversation, ask: &AskHandover) -> Result<Vec<Change>, Refusal> {
    if conversation.status == Status::Closed {
        return Err(Refusal::TransferClosed);
    }
    if !conversation.is_held_by(&ask.from.id) {
        return Err(Refusal::TransferNotAssignee);
    }
    if ask.to.as_ref() == Some(&ask.from.id) {
        return Err(Refusal::TransferToSelf);
    }
    let target = ask.to.clone().zip(ask.to_name.clone()).map(|(id, name)| Party { id, name });
    let to = target.ok_or(Refusal::TransferTargetUnknown)?;
    if conversation.pending_handover.is_some() {
        return Err(Refusal::TransferPending);
    }
    Ok(vec![Change::HandoverRequested(Box::new(Handover {
        id: ask.id,
        from: Party::from(&ask.from),
        to,
        reason: ask.reason.clone(),
    }))])
}

/// Whoever asks has found the handover and this conversation by it: one that does not wait any more was resolved.
pub(super) fn answer(conversation: &Conversation, answer: &AnswerHandover) -> Result<Vec<Change>, Refusal> {
    let pending = conversation.pending_handover.as_ref().filter(|pending| pending.id == answer.handover);
    let handover = pending.ok_or(Refusal::HandoverResolved)?;
    if handover.to.id != answer.by.id {
        return Err(Refusal::HandoverNotTarget);
    }
    let resolution = if answer.accept { Resolution::Accepted } else { Resolution::Rejected };
    Ok(vec![Change::HandoverResolved { handover: handover.clone(), by: answer.by.clone(), resolution }])
}
