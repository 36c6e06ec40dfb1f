//! Tickets: `support-user.md`, "Legacy Ticket Endpoints", and `support-admin.md`, "Tickets".

use serde_json::json;

use super::builder::{Draft, Operation, Who};
use super::examples;
use crate::api::agent::tickets::{actions, create as of_conversation, list, query, reply, view};
use crate::api::query::{PageQuery, StretchQuery};
use crate::api::user::rate::RateBody;
use crate::api::user::tickets::{add_message, create, rate, read};
use crate::api_error::{ApiError, Code};
use crate::domain::{Refusal, TicketNumber};
use crate::wire::reply::ReplyBody;

pub(super) const OWN: &str = "Customers' tickets";
pub(super) const DESK: &str = "Agents' tickets";

pub(super) fn describe(draft: &mut Draft) {
    customers(draft);
    reading(draft);
    writing(draft);
    changing(draft);
}

/// No ticket of this number, or none of the caller's.
fn unknown_number() -> ApiError {
    ApiError::new(Code::NotFound, "Ticket SMI-2026-001234 not found")
}

fn creating<'a>(draft: &'a mut Draft, who: Who, id: &str, summary: &str) -> Operation<'a> {
    draft
        .operation(OWN, who, id, summary)
        .deprecated()
        .takes::<create::TicketBody>(examples::ticket_request())
        .device()
        .send()
        .answers::<create::Created<'static>>(201, &["Support ticket created successfully", "Message sent"])
        .refuses([Refusal::TicketEmailMismatch, Refusal::AccessDenied, Refusal::TicketDone, Refusal::SendToClosed])
}

fn customers(draft: &mut Draft) {
    creating(draft, Who::Guest, "requestSupport", "Makes a ticket without an account")
        .done("post", "/api/v1/support/request-support");
    creating(draft, Who::Customer, "createTicket", "Makes a ticket").done("post", "/api/v1/support/create-ticket");
    draft
        .operation(OWN, Who::Customer, "listOwnTickets", "The caller's tickets, newest first")
        .deprecated()
        .answers::<read::List<'static>>(200, &["Tickets fetched"])
        .done("get", "/api/v1/support/my-tickets");
    draft
        .operation(OWN, Who::Guest, "readOwnTicket", "A ticket by its number; without a token `email` must fit it")
        .deprecated()
        .query::<read::TicketQuery>()
        .keys::<StretchQuery>(|key| key != "after_position")
        .answers::<read::Retrieved<'static>>(200, &["Ticket retrieved"])
        .fails(unknown_number())
        .done("get", "/api/v1/support/ticket");
    draft
        .operation(OWN, Who::Guest, "addMessageToTicket", "Writes into a ticket; without a token `email` must fit it")
        .deprecated()
        .takes::<add_message::MessageBody>(examples::ticket_message())
        .send()
        .answers::<add_message::Added<'static>>(201, &["Message sent"])
        .fails(unknown_number())
        .refuses([Refusal::TicketEmailMismatch, Refusal::AccessDenied, Refusal::TicketDone, Refusal::SendToClosed])
        .done("post", "/api/v1/support/ticket/add-message");
    draft
        .operation(OWN, Who::Customer, "rateTicket", "Says how a resolved or closed ticket was")
        .deprecated()
        .part("number", "The ticket's number")
        .takes::<RateBody>(json!({ "rating": 4 }))
        .answers::<rate::Rated<'static>>(200, &["Rating submitted"])
        .fails(unknown_number())
        .refuses([Refusal::TicketRateNotOwn, Refusal::TicketAlreadyRated, Refusal::TicketRateOpen])
        .done("post", "/api/v1/support/ticket/{number}/rate");
}

fn reading(draft: &mut Draft) {
    draft
        .operation(
            DESK,
            Who::Agent,
            "listTickets",
            "Tickets, filtered, searched, sorted and in pages; with counts of all",
        )
        .query::<PageQuery>()
        .query::<query::TicketQuery>()
        .answers::<list::List<'static>>(200, &["Tickets fetched"])
        .done("get", "/api/v1/unified-admin/support");
    draft
        .operation(DESK, Who::Agent, "readTicket", "One ticket whole, notes included")
        .part("id", "The ticket's id")
        .keys::<StretchQuery>(|key| key != "after_seq")
        .answers::<view::Detail<'static>>(200, &["Ticket fetched"])
        .refuses([Refusal::TicketNotFound])
        .done("get", "/api/v1/unified-admin/support/{id}");
}

fn writing(draft: &mut Draft) {
    draft
        .operation(DESK, Who::Agent, "createTicketFromConversation", "Makes a ticket of a conversation")
        .part("id", "The conversation's id")
        .takes::<of_conversation::CreateBody>(
            json!({ "subject": "Failed transfer to @janedoe", "description": "Every transfer to her fails" }),
        )
        .answers::<of_conversation::Created<'static>>(201, &["Ticket created from conversation"])
        .refuses([Refusal::NotFound, Refusal::TicketExists(TicketNumber::stored("SMI-2026-001234".to_owned()))])
        .done("post", "/api/v1/unified-admin/support/conversations/{id}/create-ticket");
    draft
        .operation(DESK, Who::Agent, "replyToTicket", "Answers the customer, or writes a note for the agents alone")
        .part("id", "The ticket's id")
        .takes::<ReplyBody>(json!({ "message": "It is a known fault: look here", "is_internal": true }))
        .send()
        .answers::<reply::Replied<'static>>(201, &["Reply sent"])
        .refuses([Refusal::TicketNotFound, Refusal::AssignedToAnother, Refusal::ReplyToClosed])
        .done("post", "/api/v1/unified-admin/support/{id}/reply");
}

fn changing(draft: &mut Draft) {
    const DONE: [&str; 6] = [
        "Ticket pending",
        "Ticket in_progress",
        "Ticket waiting_user",
        "Ticket resolved",
        "Ticket closed",
        "Ticket escalated",
    ];
    draft
        .operation(DESK, Who::Agent, "setTicketStatus", "Says how far a ticket is")
        .part("id", "The ticket's id")
        .takes::<actions::StatusBody>(json!({ "status": "resolved", "resolution_notes": "Funds were returned" }))
        .answers::<view::Card<'static>>(200, &DONE)
        .refuses([Refusal::TicketNotFound])
        .done("put", "/api/v1/unified-admin/support/{id}/status");
    draft
        .operation(DESK, Who::Agent, "assignTicket", "Gives a ticket to an agent")
        .part("id", "The ticket's id")
        .takes::<actions::AssignBody>(json!({ "assigned_to": "sarah" }))
        .answers::<view::Card<'static>>(200, &["Ticket assigned"])
        .refuses([Refusal::TicketNotFound, Refusal::AssigneeUnknown])
        .done("put", "/api/v1/unified-admin/support/{id}/assign");
    draft
        .operation(DESK, Who::Agent, "prioritiseTicket", "Says how urgent a ticket is")
        .part("id", "The ticket's id")
        .takes::<actions::PriorityBody>(json!({ "priority": "urgent" }))
        .answers::<view::Card<'static>>(200, &["Priority updated"])
        .refuses([Refusal::TicketNotFound])
        .done("put", "/api/v1/unified-admin/support/{id}/priority");
}
