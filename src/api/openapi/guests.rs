//! What people without an account may do in conversations (`decisions.md`, "People without an account").

use super::builder::{Draft, Who};
use super::examples;
use crate::api::user::guest;
use crate::domain::Refusal;
use crate::wire::send::SentView;

pub(super) const TAG: &str = "Guests";

pub(super) fn describe(draft: &mut Draft) {
    draft
        .operation(TAG, Who::Guest, "sendMessageUnauthenticated", "As `sendMessage`, for an e-mail address")
        .takes::<guest::GuestBody>(examples::guest_send())
        .device()
        .send()
        .answers::<SentView<'static>>(201, &["Message sent"])
        .refuses([Refusal::NotFound, Refusal::AccessDenied, Refusal::EmailMismatch, Refusal::SendToClosed])
        .done("post", "/api/v1/support/chat/send-unauthenticated");
}
