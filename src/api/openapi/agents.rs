//! `support-admin.md`, "Conversations".

use serde_json::json;

use super::builder::{Draft, Who};
use crate::api::agent::{actions, agents, filter, handover, queue, timeline, view};
use crate::api::query::{PageQuery, StretchQuery, TimelineQuery};
use crate::domain::Refusal;
use crate::wire::reply::{ReplyBody, ReplyView};

pub(super) const TAG: &str = "Agents";

pub(super) fn describe(draft: &mut Draft) {
    reading(draft);
    acting(draft);
    handing_over(draft);
}

fn reading(draft: &mut Draft) {
    draft
        .operation(
            TAG,
            Who::Agent,
            "listQueue",
            "Conversations, filtered, searched, sorted and in pages; with counts of all",
        )
        .query::<PageQuery>()
        .query::<filter::ListQuery>()
        .answers::<queue::List<'static>>(200, &["Conversations fetched"])
        .done("get", "/api/v1/unified-admin/support/conversations");
    draft
        .operation(TAG, Who::Agent, "readQueued", "One conversation whole, notes included")
        .part("id", "The conversation's id")
        .keys::<StretchQuery>(|key| key != "after_seq")
        .answers::<view::Detail<'static>>(200, &["Conversation fetched"])
        .refuses([Refusal::NotFound])
        .done("get", "/api/v1/unified-admin/support/conversations/{id}");
    draft
        .operation(TAG, Who::Agent, "readTimeline", "What happened to a conversation, in order")
        .part("id", "The conversation's id")
        .query::<TimelineQuery>()
        .answers::<timeline::Timeline>(200, &["Timeline fetched"])
        .refuses([Refusal::NotFound])
        .done("get", "/api/v1/unified-admin/support/conversations/{id}/timeline");
    draft
        .operation(TAG, Who::Agent, "listAgents", "Everyone who has ever come with an agent's token")
        .answers::<agents::List<'static>>(200, &["Agents fetched"])
        .done("get", "/api/v1/unified-admin/support/agents");
}

fn acting(draft: &mut Draft) {
    draft
        .operation(TAG, Who::Agent, "claimConversation", "Takes a conversation that nobody holds")
        .part("id", "The conversation's id")
        .answers::<actions::Claimed>(201, &["Conversation claimed"])
        .refuses([Refusal::NotFound, Refusal::ClaimedByAnother, Refusal::ClaimClosed])
        .done("post", "/api/v1/unified-admin/support/conversations/{id}/claim");
    draft
        .operation(
            TAG,
            Who::Agent,
            "replyToConversation",
            "Answers the customer, or writes a note for the agents alone",
        )
        .part("id", "The conversation's id")
        .takes::<ReplyBody>(json!({ "message": "Hi John! I'm Sarah and I'll be helping you today." }))
        .send()
        .answers::<ReplyView<'static>>(201, &["Reply sent"])
        .refuses([Refusal::NotFound, Refusal::AssignedToAnother, Refusal::ReplyToClosed])
        .done("post", "/api/v1/unified-admin/support/conversations/{id}/reply");
    draft
        .operation(TAG, Who::Agent, "closeConversation", "Ends a conversation")
        .part("id", "The conversation's id")
        .answers::<actions::Closed>(201, &["Conversation closed"])
        .refuses([Refusal::NotFound, Refusal::AlreadyClosed])
        .done("post", "/api/v1/unified-admin/support/conversations/{id}/close");
}

fn handing_over(draft: &mut Draft) {
    draft
        .operation(TAG, Who::Agent, "requestHandover", "Asks another agent to take a conversation over")
        .part("id", "The conversation's id")
        .takes::<handover::HandoverBody>(json!({ "to_admin_id": "mike", "reason": "He knows transfers" }))
        .answers::<handover::Asked<'static>>(201, &["Handover requested"])
        .refuses([
            Refusal::NotFound,
            Refusal::TransferClosed,
            Refusal::TransferNotAssignee,
            Refusal::TransferToSelf,
            Refusal::TransferTargetUnknown,
            Refusal::TransferPending,
        ])
        .done("post", "/api/v1/unified-admin/support/conversations/{id}/handover");
    draft
        .operation(TAG, Who::Agent, "respondToHandover", "Takes a conversation over, or does not")
        .part("id", "The handover's id")
        .takes::<handover::RespondBody>(json!({ "status": "accepted" }))
        .answers::<handover::Answered>(201, &["Handover accepted", "Handover rejected"])
        .refuses([Refusal::HandoverNotFound, Refusal::HandoverResolved, Refusal::HandoverNotTarget])
        .done("post", "/api/v1/unified-admin/support/handovers/{id}/respond");
}
