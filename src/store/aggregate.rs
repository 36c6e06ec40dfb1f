//! A conversation's state with all that belongs to it: the ticket and the handover that waits.

use entity::{conversations, handovers, tickets};
use sea_orm::{DatabaseConnection, DbErr, EntityTrait};

use super::from_row::{self, nonsense, user_id};
use crate::domain::{
    Conversation, Description, Feedback, Handover, HandoverId, Party, Rating, Reason, Reference, ResolutionNotes,
    Resolved, Subject, SupportType, Ticket, TicketDraft, TicketId, TicketNumber, TicketPriority, TicketStatus,
};

/// The state of this row. What it points to may be newer than the row; who decides on it is fenced by the row's
/// version.
pub(super) async fn aggregate(
    connection: &DatabaseConnection,
    row: conversations::Model,
) -> Result<Conversation, DbErr> {
    let (ticket_id, handover_id) = (row.ticket_id, row.pending_handover_id);
    let mut conversation = from_row::conversation(row)?;
    if let Some(id) = ticket_id {
        let row = tickets::Entity::find_by_id(id).one(connection).await?;
        conversation.ticket = row.map(ticket).transpose()?.map(Box::new);
    }
    if let Some(id) = handover_id {
        let row = handovers::Entity::find_by_id(id).one(connection).await?;
        conversation.pending_handover = row.map(handover).transpose()?.map(Box::new);
    }
    Ok(conversation)
}

/// A handover as it was asked for.
pub(super) fn handover(row: handovers::Model) -> Result<Handover, DbErr> {
    const TABLE: &str = "handovers";
    Ok(Handover {
        id: HandoverId(row.id),
        from: Party { id: user_id(&row.from_id, TABLE, "from_id")?, name: row.from_name },
        to: Party { id: user_id(&row.to_id, TABLE, "to_id")?, name: row.to_name },
        reason: row.reason.map(Reason::stored),
    })
}

/// A ticket.
pub(super) fn ticket(row: tickets::Model) -> Result<Ticket, DbErr> {
    const TABLE: &str = "tickets";
    let party = |id: Option<String>, name: Option<String>, column| -> Result<Option<Party>, DbErr> {
        let Some(id) = id else { return Ok(None) };
        Ok(Some(Party { id: user_id(&id, TABLE, column)?, name: name.unwrap_or_default() }))
    };
    let resolved_by = party(row.resolved_by, row.resolved_by_name, "resolved_by")?;
    Ok(Ticket {
        draft: TicketDraft {
            id: TicketId(row.id),
            subject: Subject::stored(row.subject),
            description: Description::stored(row.description),
            support_type: SupportType::parse(&row.support_type).ok_or_else(|| nonsense(TABLE, "support_type"))?,
            priority: TicketPriority::parse(&row.priority).ok_or_else(|| nonsense(TABLE, "priority"))?,
            related_transaction_id: row.related_transaction_id.map(Reference::stored),
            session_id: row.session_id.map(Reference::stored),
        },
        number: TicketNumber::stored(row.ticket_number),
        status: TicketStatus::parse(&row.status).ok_or_else(|| nonsense(TABLE, "status"))?,
        assignee: party(row.assigned_to, row.assigned_name, "assigned_to")?,
        resolved: row.resolved_at.zip(resolved_by).map(|(at, by)| Resolved { at, by }),
        resolution_notes: row.resolution_notes.map(ResolutionNotes::stored),
        first_response_at: row.first_response_at,
        last_response_at: row.last_response_at,
        rating: row
            .rating
            .map(|stars| Rating::parse(f64::from(stars)).map_err(|_| nonsense(TABLE, "rating")))
            .transpose()?,
        feedback: row.feedback.map(Feedback::stored),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
