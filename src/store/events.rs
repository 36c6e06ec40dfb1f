//! What is stored behind a position, as the events that it was when it happened, to be told of.
//!
//! Rows keep what lists and the timeline show. That is everything that an announcement says of an event; what they
//! leave out nobody is told: an agent's e-mail address, and, of a customer who wrote or rated later, their phone
//! number. Three events do not stand whole in a row of their own:
//!
//! - how the conversation began, and what a ticket was made of, are taken from the state. But for a ticket's priority
//!   that never changes; the priority is then the one of now, as a list shows it.
//! - a handover that was answered stands in its own row. Whether its target rejected it or it was rejected because the
//!   conversation was closed is written nowhere: what was closed by the same agent in the next event, at the same
//!   moment, was closed over it.
//!
//! What cannot be told truthfully is left out, and the log says so: a kind of event that a newer server has written,
//! and a row that somebody's hand has changed.

use std::collections::HashMap;

use entity::{conversation_events, handovers, messages};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};
use serde_json::Value;

use super::aggregate;
use super::from_row::{self, nonsense, user_id};
use crate::domain::{
    Agent, Change, Conversation, Customer, Event, EventId, Feedback, Handover, Origin, Party, Rate, Rating, Resolution,
    ResolutionNotes, StatusChange, TicketCreation, TicketPriority, TicketStatus, UserId,
};

const TABLE: &str = "conversation_events";

/// Which events are asked for. As they come from rows, they lack what rows do not keep and nobody is told: an agent's
/// e-mail address where it is no message, and the phone number of a customer who wrote.
#[derive(Clone, Copy, Debug)]
pub struct EventRange {
    /// Those at later positions.
    pub position: i64,
    /// Only so many of them, the newest.
    pub most: i64,
}

/// The events behind a position, up to the conversation's version, in order. One that cannot be told is left out.
pub(super) async fn events(
    connection: &DatabaseConnection,
    conversation: &Conversation,
    behind: EventRange,
) -> Result<Vec<Event>, DbErr> {
    let (id, version) = (conversation.id.0, conversation.version);
    let from = (behind.position + 1).max(version - behind.most + 1);
    if from > version {
        return Ok(Vec::new());
    }
    let messages = messages::Entity::find()
        .filter(messages::Column::ConversationId.eq(id))
        .filter(messages::Column::Position.between(from, version))
        .all(connection)
        .await?;
    let rows = conversation_events::Entity::find()
        .filter(conversation_events::Column::ConversationId.eq(id))
        .filter(conversation_events::Column::Position.between(from, version))
        .all(connection)
        .await?;
    let handovers = handovers_in(connection, &rows).await?;
    let rows = Rows { conversation, rows: &rows, handovers };
    let said = messages.into_iter().map(|row| (row.position, message(row)));
    let done = rows.rows.iter().map(|row| (row.position, rows.event(row)));
    let mut events = Vec::new();
    for (position, event) in said.chain(done) {
        match event {
            Ok(event) => events.push(event),
            Err(error) => {
                tracing::warn!(conversation = %conversation.id, position, %error, "what is stored cannot be told of");
            }
        }
    }
    events.sort_by_key(|event: &Event| event.position);
    Ok(events)
}

fn message(row: messages::Model) -> Result<Event, DbErr> {
    let posted = from_row::posted(row)?;
    Ok(Event {
        id: posted.id,
        conversation: posted.conversation,
        position: posted.position,
        at: posted.at,
        change: Change::Message(posted.message),
    })
}

/// The handovers that ended here, as they were asked for.
async fn handovers_in(
    connection: &DatabaseConnection,
    rows: &[conversation_events::Model],
) -> Result<HashMap<Uuid, handovers::Model>, DbErr> {
    let ended = rows.iter().filter(|row| matches!(row.kind.as_str(), "handover_accepted" | "handover_rejected"));
    let ids: Vec<Uuid> = ended.filter_map(handover_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = handovers::Entity::find().filter(handovers::Column::Id.is_in(ids)).all(connection).await?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
}

fn handover_id(row: &conversation_events::Model) -> Option<Uuid> {
    Uuid::try_parse(text(row, "handover_id")?).ok()
}

fn text<'a>(row: &'a conversation_events::Model, field: &str) -> Option<&'a str> {
    row.data.get(field).and_then(Value::as_str)
}

/// What there is to read them by.
struct Rows<'a> {
    conversation: &'a Conversation,
    rows: &'a [conversation_events::Model],
    handovers: HashMap<Uuid, handovers::Model>,
}

impl Rows<'_> {
    fn event(&self, row: &conversation_events::Model) -> Result<Event, DbErr> {
        Ok(Event {
            id: EventId(row.id),
            conversation: self.conversation.id,
            position: row.position,
            at: row.created_at,
            change: self.change(row)?,
        })
    }

    fn change(&self, row: &conversation_events::Model) -> Result<Change, DbErr> {
        Ok(match row.kind.as_str() {
            "created" => Change::Created(Box::new(self.origin(row))),
            "claimed" => Change::Claimed(agent(row)?),
            "closed" => Change::Closed(agent(row)?),
            "reopened" => Change::Reopened(self.customer(row)),
            "rated" => Change::Rated(self.rate(row)?),
            "handover_requested" => Change::HandoverRequested(Box::new(requested(row)?)),
            "handover_accepted" | "handover_rejected" => self.resolved(row)?,
            "ticket_created" => Change::TicketCreated(Box::new(self.creation(row)?)),
            "ticket_status_changed" => Change::TicketStatusChanged(Box::new(status_change(row)?)),
            "ticket_assigned" => {
                Change::TicketAssigned { by: agent(row)?, to: party(row, "assigned_to", "assigned_admin_name")? }
            }
            "ticket_priority_changed" => {
                let priority = text(row, "priority").and_then(TicketPriority::parse);
                Change::TicketPrioritised { by: agent(row)?, priority: priority.ok_or_else(senseless)? }
            }
            "ticket_rated" => Change::TicketRated(self.rate(row)?),
            _ => return Err(nonsense(TABLE, "type")),
        })
    }

    fn customer(&self, row: &conversation_events::Model) -> Customer {
        Customer {
            owner: self.conversation.owner.clone(),
            name: row.actor_name.clone(),
            email: self.conversation.email.clone(),
            phone_number: self.conversation.phone_number.clone(),
        }
    }

    fn origin(&self, row: &conversation_events::Model) -> Origin {
        Origin {
            channel: self.conversation.channel,
            customer: self.customer(row),
            device_metadata: self.conversation.device_metadata.clone(),
            ip_address: self.conversation.ip_address.clone(),
            user_agent: self.conversation.user_agent.clone(),
        }
    }

    fn rate(&self, row: &conversation_events::Model) -> Result<Rate, DbErr> {
        let stars = row.data.get("rating").and_then(Value::as_f64).ok_or_else(senseless)?;
        Ok(Rate {
            from: self.customer(row),
            rating: Rating::parse(stars).map_err(|_| senseless())?,
            feedback: text(row, "feedback").map(|said| Feedback::stored(said.to_owned())),
        })
    }

    fn resolved(&self, row: &conversation_events::Model) -> Result<Change, DbErr> {
        let asked = handover_id(row).and_then(|id| self.handovers.get(&id)).ok_or_else(senseless)?;
        let resolution = if row.kind == "handover_accepted" {
            Resolution::Accepted
        } else if self.rows.iter().any(|next| closes_over(next, row)) {
            Resolution::Closed
        } else {
            Resolution::Rejected
        };
        Ok(Change::HandoverResolved {
            handover: Box::new(aggregate::handover(asked.clone())?),
            by: agent(row)?,
            resolution,
        })
    }

    fn creation(&self, row: &conversation_events::Model) -> Result<TicketCreation, DbErr> {
        let ticket = self.conversation.ticket.as_deref().ok_or_else(senseless)?;
        let by = row.actor_id.is_some().then(|| agent(row)).transpose()?;
        Ok(TicketCreation { draft: ticket.draft.clone(), number: ticket.number.clone(), by })
    }
}

/// Whether the conversation was closed by this, and the handover that `rejected` is of therefore rejected.
fn closes_over(next: &conversation_events::Model, rejected: &conversation_events::Model) -> bool {
    next.position == rejected.position + 1
        && next.kind == "closed"
        && next.actor_id == rejected.actor_id
        && next.created_at == rejected.created_at
}

fn senseless() -> DbErr {
    nonsense(TABLE, "data")
}

fn actor(row: &conversation_events::Model) -> Result<UserId, DbErr> {
    user_id(row.actor_id.as_deref().unwrap_or_default(), TABLE, "actor_id")
}

fn agent(row: &conversation_events::Model) -> Result<Agent, DbErr> {
    Ok(Agent { id: actor(row)?, name: row.actor_name.clone().unwrap_or_default(), email: None })
}

fn party(row: &conversation_events::Model, id: &str, name: &str) -> Result<Party, DbErr> {
    let id = user_id(text(row, id).unwrap_or_default(), TABLE, "data")?;
    Ok(Party { id, name: text(row, name).unwrap_or_default().to_owned() })
}

fn requested(row: &conversation_events::Model) -> Result<Handover, DbErr> {
    Ok(Handover {
        id: handover_id(row).map(crate::domain::HandoverId).ok_or_else(senseless)?,
        from: Party::from(&agent(row)?),
        to: party(row, "to_admin_id", "to_admin_name")?,
        reason: text(row, "reason").map(|said| crate::domain::Reason::stored(said.to_owned())),
    })
}

fn status_change(row: &conversation_events::Model) -> Result<StatusChange, DbErr> {
    let status = |field| text(row, field).and_then(TicketStatus::parse).ok_or_else(senseless);
    Ok(StatusChange {
        by: agent(row)?,
        from: status("old_status")?,
        to: status("new_status")?,
        notes: text(row, "resolution_notes").map(|said| ResolutionNotes::stored(said.to_owned())),
    })
}
