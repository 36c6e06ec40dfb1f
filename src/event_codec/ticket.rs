//! A ticket's state, as its row of `tickets`.

use entity::tickets;

use super::{DecodeError, Table};
use crate::domain::{
    Channel, Conversation, Description, Feedback, Party, Reference, ResolutionNotes, Resolved, Subject, SupportType,
    Ticket, TicketDraft, TicketId, TicketNumber, TicketPriority, TicketStatus,
};

const TABLE: Table = Table("tickets");

/// The row of a conversation's ticket; the owner's columns are the conversation's.
pub(crate) fn encode_ticket(state: &Conversation, ticket: &Ticket) -> tickets::Model {
    let owned = |text: &str| text.to_owned();
    tickets::Model {
        id: ticket.draft.id.0,
        ticket_number: owned(ticket.number.as_str()),
        conversation_id: state.id.0,
        is_of_conversation: state.channel != Channel::Ticket,
        user_id: state.owner.account().map(|id| owned(id.as_str())),
        email: state.email.clone(),
        phone_number: state.phone_number.clone(),
        subject: owned(ticket.draft.subject.as_str()),
        description: owned(ticket.draft.description.as_str()),
        support_type: owned(ticket.draft.support_type.as_str()),
        status: owned(ticket.status.as_str()),
        priority: owned(ticket.draft.priority.as_str()),
        priority_rank: ticket.draft.priority.rank(),
        assigned_to: ticket.assignee.as_ref().map(|assignee| owned(assignee.id.as_str())),
        assigned_name: ticket.assignee.as_ref().map(|assignee| assignee.name.clone()),
        resolved_at: ticket.resolved.as_ref().map(|resolved| resolved.at),
        resolved_by: ticket.resolved.as_ref().map(|resolved| owned(resolved.by.id.as_str())),
        resolved_by_name: ticket.resolved.as_ref().map(|resolved| resolved.by.name.clone()),
        resolution_notes: ticket.resolution_notes.as_ref().map(|notes| owned(notes.as_str())),
        related_transaction_id: ticket.draft.related_transaction_id.as_ref().map(|id| owned(id.as_str())),
        session_id: ticket.draft.session_id.as_ref().map(|id| owned(id.as_str())),
        first_response_at: ticket.first_response_at,
        last_response_at: ticket.last_response_at,
        response_time_seconds: ticket.response_time_seconds(),
        rating: ticket.rating.map(|rating| i16::from(rating.stars())),
        feedback: ticket.feedback.as_ref().map(|feedback| owned(feedback.as_str())),
        created_at: ticket.created_at,
        updated_at: ticket.updated_at,
    }
}

/// The ticket of a row.
///
/// # Errors
/// [`DecodeError`].
pub(crate) fn decode_ticket(row: tickets::Model) -> Result<Ticket, DecodeError> {
    let resolved_by = party("resolved_by", row.resolved_by, row.resolved_by_name)?;
    Ok(Ticket {
        draft: TicketDraft {
            id: TicketId(row.id),
            subject: Subject::stored(row.subject),
            description: Description::stored(row.description),
            support_type: SupportType::parse(&row.support_type).ok_or_else(|| TABLE.invalid("support_type"))?,
            priority: TicketPriority::parse(&row.priority).ok_or_else(|| TABLE.invalid("priority"))?,
            related_transaction_id: row.related_transaction_id.map(Reference::stored),
            session_id: row.session_id.map(Reference::stored),
        },
        number: TicketNumber::stored(row.ticket_number),
        status: TicketStatus::parse(&row.status).ok_or_else(|| TABLE.invalid("status"))?,
        assignee: party("assigned_to", row.assigned_to, row.assigned_name)?,
        resolved: row.resolved_at.zip(resolved_by).map(|(at, by)| Resolved { at, by }),
        resolution_notes: row.resolution_notes.map(ResolutionNotes::stored),
        first_response_at: row.first_response_at,
        last_response_at: row.last_response_at,
        rating: row.rating.map(|stars| TABLE.rating("rating", f64::from(stars))).transpose()?,
        feedback: row.feedback.map(Feedback::stored),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn party(column: &'static str, id: Option<String>, name: Option<String>) -> Result<Option<Party>, DecodeError> {
    let Some(id) = id else { return Ok(None) };
    Ok(Some(Party { id: TABLE.user_id(column, &id)?, name: name.unwrap_or_default() }))
}
