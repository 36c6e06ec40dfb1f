//! `support-user.md`, "REST API Endpoints".

use serde_json::json;

use super::builder::{Draft, Who};
use super::examples;
use crate::api::query::StretchQuery;
use crate::api::user::{conversations, rate};
use crate::domain::Refusal;
use crate::wire::send::{SendBody, SentView};

pub(super) const TAG: &str = "Customers";

pub(super) fn describe(draft: &mut Draft) {
    draft
        .operation(TAG, Who::Customer, "sendMessage", "Begins a conversation, or goes on with one")
        .takes::<SendBody>(examples::send())
        .device()
        .send()
        .answers_with::<SentView<'static>>(
            201,
            &["Message sent"],
            &[("new", examples::opened()), ("existing", examples::sent())],
        )
        .refuses([Refusal::NotFound, Refusal::AccessDenied, Refusal::SendToClosed])
        .done("post", "/api/v1/support/chat/send");
    draft
        .operation(TAG, Who::Customer, "listConversations", "The caller's conversations, the last changed first")
        .answers_with::<conversations::List<'static>>(
            200,
            &["Conversations fetched"],
            &[("two", examples::conversations())],
        )
        .done("get", "/api/v1/support/conversations");
    draft
        .operation(TAG, Who::Customer, "readConversation", "One of them, with its messages in order")
        .part("id", "The conversation's id")
        .keys::<StretchQuery>(|key| key != "after_position")
        .answers_with::<conversations::Retrieved<'static>>(
            200,
            &["Conversation retrieved"],
            &[("one", examples::conversation())],
        )
        .refuses([Refusal::NotFound, Refusal::AccessDenied])
        .done("get", "/api/v1/support/conversations/{id}");
    draft
        .operation(TAG, Who::Customer, "rateConversation", "Says how a closed conversation was")
        .part("id", "The conversation's id")
        .takes::<rate::RateBody>(json!({ "rating": 5, "feedback": "Sarah was amazing! Very quick and helpful." }))
        .answers::<rate::Rated>(200, &["Rating submitted"])
        .refuses([Refusal::NotFound, Refusal::RateNotOwn, Refusal::AlreadyRated, Refusal::RateOpen])
        .done("post", "/api/v1/support/conversations/{id}/rate");
}
