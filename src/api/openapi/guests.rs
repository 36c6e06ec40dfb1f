//! What people without an account may do in conversations (`decisions.md`, "People without an account").

use super::draft::{Draft, Who};
use super::{Either, examples};
use crate::api::user::{guest, send};
use crate::domain::Refusal;

pub(super) const TAG: &str = "Guests";

pub(super) fn describe(draft: &mut Draft) {
    draft
        .operation(TAG, Who::Guest, "sendMessageUnauthenticated", "As `sendMessage`, for an e-mail address")
        .takes::<guest::GuestBody>(examples::guest_send())
        .device()
        .send()
        .answers::<Either<send::Opened<'static>, send::Sent<'static>>>(201, &["Message sent"])
        .refuses([Refusal::NotFound, Refusal::AccessDenied, Refusal::EmailMismatch, Refusal::SendToClosed])
        .done("post", "/api/v1/support/chat/send-unauthenticated");
}
