//! `help-center.md`, 7, and `decisions.md`, "Help center". What is answered has no envelope.

use serde_json::json;

use super::builder::{Draft, Who};
use crate::api::help_center::MessagesQuery;
use crate::help_center::{SendBody, ThreadPayload};

pub(super) const TAG: &str = "Help center";

const PATH: &str = "/api/help-center/messages";

pub(super) fn describe(draft: &mut Draft) {
    draft
        .operation(TAG, Who::Customer, "readHelpCenter", "The caller's conversation; made where there is none")
        .query::<MessagesQuery>()
        .answers_bare::<ThreadPayload<'static>>(200, "The conversation and its newest messages")
        .done("get", PATH);
    draft
        .operation(TAG, Who::Customer, "writeToHelpCenter", "Writes into it; closed, it is open again")
        .takes::<SendBody>(json!({ "text": "Hello, I need help with my order." }))
        .send()
        .answers_bare::<ThreadPayload<'static>>(201, "The conversation as it is then, the message in it")
        .done("post", PATH);
}
