//! Agents hand a conversation over: one offers it, another takes it or not.

use bytes::Bytes;

use super::{Caller, QUEUE, path};
use crate::history::{Action, Call, Conversation, Elapsed, Outcome, Person};
use crate::statistics::Operation;

/// The path on which agents answer handovers.
const HANDOVERS: &str = "/api/v1/unified-admin/support/handovers";

impl Caller {
    /// The assigned agent asks a colleague to take over. The reason identifies the call for the colleague's event recorder.
    pub(crate) async fn offer(&mut self, conversation: Conversation, id: &str, to: Person, due: Elapsed) -> Outcome {
        let action = Action::Handover(to);
        let call = self.invoke(conversation, action, due);
        let body = {
            let history = self.run_state.history.borrow();
            let reason = format!("{}{}- you know more about this", self.run_state.message_prefix(), call.0);
            serde_json::json!({ "to_admin_id": history[to].name, "reason": reason }).to_string()
        };
        let answer = self.http.post(&path(&format!("{QUEUE}/{id}/handover")), Bytes::from(body)).await;
        let outcome = self.outcome("handover", action, &answer);
        self.finish(call, outcome, Operation::Handover, due);
        outcome
    }

    /// The colleague accepts or rejects.
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
