//! Agents hand a conversation over: one offers it, another takes it or not.

use bytes::Bytes;

use super::{Caller, QUEUE, path};
use crate::history::{Action, Call, Conversation, Elapsed, Outcome, Person};
use crate::statistics::Operation;

/// Where agents answer what they are offered.
const HANDOVERS: &str = "/api/v1/unified-admin/support/handovers";

impl Caller {
    /// The agent who has it offers it to a colleague. The reason says which call it is, so that the colleague knows.
    pub(crate) async fn offer(&mut self, conversation: Conversation, id: &str, to: Person, due: Elapsed) -> Outcome {
        let action = Action::Handover(to);
        let call = self.invoke(conversation, action, due);
        let body = {
            let history = self.run_state.history.borrow();
            let reason = format!("{}{}- you know more about this", self.run_state.mark(), call.0);
            serde_json::json!({ "to_admin_id": history[to].name, "reason": reason }).to_string()
        };
        let answer = self.http.post(&path(&format!("{QUEUE}/{id}/handover")), Bytes::from(body)).await;
        let outcome = self.outcome("handover", action, &answer);
        self.finish(call, outcome, Operation::Handover, due);
        outcome
    }

    /// Whom it was offered to takes it, or does not.
    pub(crate) async fn respond(
        &mut self,
        conversation: Conversation,
        offer: Call,
        handover: &str,
        accept: bool,
        due: Elapsed,
    ) -> Outcome {
        let action = Action::Respond { handover: offer, accept };
        let call = self.invoke(conversation, action, due);
        let status = if accept { "accepted" } else { "rejected" };
        let body = Bytes::from(format!("{{\"status\":\"{status}\"}}"));
        let answer = self.http.post(&path(&format!("{HANDOVERS}/{handover}/respond")), body).await;
        let outcome = self.outcome("respond", action, &answer);
        self.finish(call, outcome, Operation::Respond, due);
        outcome
    }
}
