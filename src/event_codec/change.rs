//! Every event but a message, as a row of `conversation_events`.
//!
//! `type`, `actor_*` and `data` are what the timeline shows (`support-admin.md`, "timeline"), so `data` has no field
//! that an agent may not see there; the rest of the event is in `detail`.

use std::collections::HashMap;

use entity::conversation_events;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

use super::detail::Detail;
use super::{DecodeError, Table};
use crate::domain::{
    AccountMove, Agent, Change, Conversation, Customer, CustomerRating, EmailAddress, Event, EventId, Feedback,
    Handover, HandoverId, Origin, Owner, Party, Reason, Resolution, ResolutionNotes, StatusChange, TicketCreation,
    TicketPriority, TicketStatus,
};

const TABLE: Table = Table("conversation_events");

/// What the columns of an event hold beyond its place and time.
struct Columns {
    actor_id: Option<String>,
    actor_name: Option<String>,
    data: Value,
    detail: Option<Value>,
}

impl Columns {
    fn of_party(party: &Party, data: Value) -> Self {
        let (id, name) = (party.id.as_str().to_owned(), party.name.clone());
        Self { actor_id: Some(id), actor_name: Some(name), data, detail: None }
    }

    fn of_agent(agent: &Agent, data: Value) -> Self {
        Self { detail: Detail::of_agent(agent).encode_or_null(), ..Self::of_party(&Party::from(agent), data) }
    }

    fn of_agent_or_none(agent: Option<&Agent>, data: Value) -> Self {
        let none = |data| Self { actor_id: None, actor_name: None, data, detail: None };
        match agent {
            Some(agent) => Self::of_agent(agent, data),
            None => none(data),
        }
    }

    /// With `detail`, even if empty: null marks a row of an earlier release.
    fn of_customer(customer: &Customer, data: Value) -> Self {
        Self { detail: Some(Detail::of_customer(customer).encode()), ..Self::of_owner(customer, data) }
    }

    /// Of a customer whose contact data is in the conversation's row.
    fn of_owner(customer: &Customer, data: Value) -> Self {
        let id = customer.owner.account().map(|id| id.as_str().to_owned());
        Self { actor_id: id, actor_name: customer.name.clone(), data, detail: None }
    }

    fn with_detail(self, detail: Detail) -> Self {
        Self { detail: detail.encode_or_null(), ..self }
    }
}

pub(super) fn encode_event(event: &Event, change: &Change) -> conversation_events::Model {
    let Columns { actor_id, actor_name, data, detail } = encode_change(change);
    conversation_events::Model {
        conversation_id: event.conversation.0,
        position: event.position,
        id: event.id.0,
        kind: change.kind().to_owned(),
        actor_id,
        actor_name,
        data,
        detail,
        created_at: event.at,
    }
}

fn encode_change(change: &Change) -> Columns {
    match change {
        // Never: a message is a row of another table.
        Change::Message(message) => Columns {
            actor_id: message.author.account().map(|id| id.as_str().to_owned()),
            actor_name: message.author.name().map(ToOwned::to_owned),
            data: json!({}),
            detail: None,
        },
        Change::Created(origin) => Columns::of_owner(&origin.customer, json!({ "channel": origin.channel.as_str() })),
        Change::Claimed(agent) | Change::Released(agent) => Columns::of_agent(agent, json!({})),
        Change::TakenOver { by, previous, reason } => {
            let mut data = json!({ "reason": reason });
            add_previous(&mut data, Some(previous));
            Columns::of_agent(by, data)
        }
        Change::Assigned { by, to, previous } => Columns::of_agent(by, assignment(to, previous.as_ref())),
        Change::Closed { by, open_ticket } => Columns::of_agent(by, closing(*open_ticket)),
        Change::Reopened(customer) => Columns::of_customer(customer, json!({})),
        Change::ReopenedByAgent(agent) => {
            Columns::of_agent(agent, json!({})).with_detail(Detail::of_agent(agent).with_acting_agent())
        }
        Change::MovedToAccount(moved) => {
            Columns::of_owner(&moved.by, json!({})).with_detail(Detail::of_customer(&moved.by).with_guest(&moved.guest))
        }
        Change::Rated(rate) | Change::TicketRated(rate) => {
            Columns::of_customer(&rate.from, json!({ "rating": rate.rating, "feedback": rate.feedback }))
        }
        Change::HandoverRequested { handover, is_target_online } => {
            let data = json!({
                "handover_id": handover.id,
                "to_admin_id": handover.to.id,
                "to_admin_name": handover.to.name,
                "reason": handover.reason,
            });
            Columns::of_party(&handover.from, data).with_detail(Detail::of_target(*is_target_online))
        }
        Change::HandoverResolved { handover, by, resolution } => {
            let data = json!({ "handover_id": handover.id, "from_admin_id": handover.from.id });
            let detail = by.as_ref().map(Detail::of_agent).unwrap_or_default().with_resolution(*resolution);
            Columns::of_agent_or_none(by.as_ref(), data).with_detail(detail)
        }
        Change::TicketCreated(creation) => encode_ticket_creation(creation),
        Change::TicketStatusChanged(change) => {
            let data = json!({
                "old_status": change.from.as_str(),
                "new_status": change.to.as_str(),
                "resolution_notes": change.notes,
            });
            Columns::of_agent_or_none(change.by.as_ref(), data)
        }
        Change::TicketAssigned { by, to, previous } => Columns::of_agent(by, assignment(to, previous.as_ref())),
        Change::TicketPrioritised { by, priority } => Columns::of_agent(by, json!({ "priority": priority.as_str() })),
    }
}

fn assignment(to: &Party, previous: Option<&Party>) -> Value {
    let mut data = json!({ "assigned_to": to.id, "assigned_admin_name": to.name });
    add_previous(&mut data, previous);
    data
}

/// Who lost the conversation; absent if it was unassigned.
fn add_previous(data: &mut Value, previous: Option<&Party>) {
    if let (Some(data), Some(previous)) = (data.as_object_mut(), previous) {
        data.insert("previous_admin_id".to_owned(), json!(previous.id));
        data.insert("previous_admin_name".to_owned(), json!(previous.name));
    }
}

/// The ticket's change is a part of the closing; without an open ticket there is none.
fn closing(open_ticket: Option<TicketStatus>) -> Value {
    match open_ticket {
        Some(old) => json!({ "ticket": { "old_status": old.as_str(), "new_status": TicketStatus::Resolved.as_str() } }),
        None => json!({}),
    }
}

/// Without the draft and the number, which the ticket's row holds; only the priority may change there.
fn encode_ticket_creation(creation: &TicketCreation) -> Columns {
    let data = json!({ "ticket_id": creation.draft.id, "subject": creation.draft.subject });
    let (columns, detail) = match &creation.by {
        Some(agent) => (Columns::of_agent(agent, data), Detail::of_agent(agent)),
        None => (Columns { actor_id: None, actor_name: None, data, detail: None }, Detail::default()),
    };
    columns.with_detail(detail.with_priority(creation.draft.priority))
}

/// What other tables hold of a conversation's events.
pub(crate) struct EventContext<'a> {
    /// The conversation with its ticket, not older than the events.
    pub(crate) conversation: &'a Conversation,
    /// The handovers that the events resolve ([`resolved_handover_id`]), by id.
    pub(crate) handovers: &'a HashMap<Uuid, Handover>,
}

/// The handover that an event resolves, if it resolves one: [`decode_event`] needs it.
pub(crate) fn resolved_handover_id(row: &conversation_events::Model) -> Option<Uuid> {
    match row.kind.as_str() {
        "handover_accepted" | "handover_rejected" | "handover_withdrawn" | "handover_expired" => handover_id(row),
        _ => None,
    }
}

/// The event of a row.
///
/// # Errors
/// [`DecodeError`], also for a kind of event that a newer release has written.
pub(crate) fn decode_event(
    mut row: conversation_events::Model,
    context: &EventContext<'_>,
) -> Result<Event, DecodeError> {
    let detail = row.detail.take().map(|detail| Detail::decode(detail).ok_or_else(|| TABLE.invalid("detail")));
    let detail = detail.transpose()?;
    let change = Decoder { row: &row, detail: detail.as_ref(), context }.change()?;
    Ok(Event {
        id: EventId(row.id),
        conversation: context.conversation.id,
        position: row.position,
        at: row.created_at,
        change,
    })
}

/// Reads one row.
struct Decoder<'a> {
    row: &'a conversation_events::Model,
    detail: Option<&'a Detail>,
    context: &'a EventContext<'a>,
}

impl Decoder<'_> {
    fn change(&self) -> Result<Change, DecodeError> {
        Ok(match self.row.kind.as_str() {
            "created" => Change::Created(Box::new(self.origin())),
            "claimed" => Change::Claimed(self.agent()?),
            "released" => Change::Released(self.agent()?),
            "taken_over" => Change::TakenOver {
                by: self.agent()?,
                previous: self.previous()?.ok_or_else(invalid_data)?,
                reason: self.reason(),
            },
            "assigned" => Change::Assigned { by: self.agent()?, to: self.assignee()?, previous: self.previous()? },
            "closed" => Change::Closed { by: self.agent()?, open_ticket: self.resolved_ticket()? },
            "reopened" if self.detail.is_some_and(Detail::has_acting_agent) => Change::ReopenedByAgent(self.agent()?),
            "reopened" => Change::Reopened(self.customer()?),
            "moved_to_account" => {
                let guest = self.detail.and_then(|detail| detail.guest.as_deref()).map(EmailAddress::stored);
                let guest = guest.ok_or_else(|| TABLE.invalid("detail"))?;
                Change::MovedToAccount(Box::new(AccountMove { by: self.customer()?, guest }))
            }
            "rated" => Change::Rated(self.rate()?),
            "handover_requested" => Change::HandoverRequested {
                handover: Box::new(self.handover()?),
                is_target_online: self.detail.is_none_or(Detail::is_target_online),
            },
            "handover_accepted" => self.resolved(Resolution::Accepted)?,
            "handover_rejected" => {
                let rejection = self.detail.map_or(Some(Resolution::Rejected), Detail::rejection);
                self.resolved(rejection.ok_or_else(|| TABLE.invalid("detail"))?)?
            }
            "handover_withdrawn" => self.resolved(Resolution::Withdrawn)?,
            "handover_expired" => self.resolved(Resolution::Expired)?,
            "ticket_created" => Change::TicketCreated(Box::new(self.ticket_creation()?)),
            "ticket_status_changed" => Change::TicketStatusChanged(Box::new(self.status_change()?)),
            "ticket_assigned" => {
                Change::TicketAssigned { by: self.agent()?, to: self.assignee()?, previous: self.previous()? }
            }
            "ticket_priority_changed" => {
                let priority = self.text("priority").and_then(TicketPriority::parse);
                Change::TicketPrioritised { by: self.agent()?, priority: priority.ok_or_else(invalid_data)? }
            }
            "ticket_rated" => Change::TicketRated(self.rate()?),
            _ => return Err(TABLE.invalid("type")),
        })
    }

    fn text(&self, field: &str) -> Option<&str> {
        text(self.row, field)
    }

    fn agent(&self) -> Result<Agent, DecodeError> {
        let id = TABLE.user_id("actor_id", self.row.actor_id.as_deref().unwrap_or_default())?;
        let name = self.row.actor_name.clone().unwrap_or_default();
        Ok(Agent { id, name, email: self.detail.and_then(|detail| detail.email.clone()) })
    }

    fn customer(&self) -> Result<Customer, DecodeError> {
        let Some(detail) = self.detail else { return Ok(self.owner()) };
        let owner = match (&self.row.actor_id, &detail.guest) {
            (Some(id), _) => Owner::Account(TABLE.user_id("actor_id", id)?),
            (None, Some(address)) => Owner::Guest(EmailAddress::stored(address)),
            (None, None) => return Err(TABLE.invalid("detail")),
        };
        let (email, phone_number) = (detail.email.clone(), detail.phone_number.clone());
        Ok(Customer { owner, name: self.row.actor_name.clone(), email, phone_number })
    }

    /// The customer with the contact data of the conversation's row.
    fn owner(&self) -> Customer {
        let conversation = self.context.conversation;
        Customer {
            owner: conversation.owner.clone(),
            name: self.row.actor_name.clone(),
            email: conversation.email.clone(),
            phone_number: conversation.phone_number.clone(),
        }
    }

    /// From the conversation's columns that never change, and the owner that it had before it was moved to an account.
    fn origin(&self) -> Origin {
        let conversation = self.context.conversation;
        let mut customer = self.owner();
        if let Some(guest) = &conversation.guest_email {
            customer.owner = Owner::Guest(guest.clone());
        }
        Origin {
            channel: conversation.channel,
            customer,
            device_metadata: conversation.device_metadata.clone(),
            ip_address: conversation.ip_address.clone(),
            user_agent: conversation.user_agent.clone(),
        }
    }

    fn rate(&self) -> Result<CustomerRating, DecodeError> {
        let stars = self.row.data.get("rating").and_then(Value::as_f64).ok_or_else(invalid_data)?;
        Ok(CustomerRating {
            from: self.customer()?,
            rating: TABLE.rating("data", stars)?,
            feedback: self.text("feedback").map(|text| Feedback::stored(text.to_owned())),
        })
    }

    /// A party that `data` names.
    fn party(&self, id: &str, name: &str) -> Result<Party, DecodeError> {
        let id = TABLE.user_id("data", self.text(id).unwrap_or_default())?;
        Ok(Party { id, name: self.text(name).unwrap_or_default().to_owned() })
    }

    fn assignee(&self) -> Result<Party, DecodeError> {
        self.party("assigned_to", "assigned_admin_name")
    }

    fn previous(&self) -> Result<Option<Party>, DecodeError> {
        let (id, name) = ("previous_admin_id", "previous_admin_name");
        self.text(id).is_some().then(|| self.party(id, name)).transpose()
    }

    fn reason(&self) -> Option<Reason> {
        self.text("reason").map(|text| Reason::stored(text.to_owned()))
    }

    /// The status that a ticket had which a closing resolved.
    fn resolved_ticket(&self) -> Result<Option<TicketStatus>, DecodeError> {
        let Some(ticket) = self.row.data.get("ticket") else { return Ok(None) };
        let old = ticket.get("old_status").and_then(Value::as_str).and_then(TicketStatus::parse);
        old.map(Some).ok_or_else(invalid_data)
    }

    fn agent_or_none(&self) -> Result<Option<Agent>, DecodeError> {
        self.row.actor_id.is_some().then(|| self.agent()).transpose()
    }

    fn handover(&self) -> Result<Handover, DecodeError> {
        Ok(Handover {
            id: handover_id(self.row).map(HandoverId).ok_or_else(invalid_data)?,
            from: Party::from(&self.agent()?),
            to: self.party("to_admin_id", "to_admin_name")?,
            reason: self.reason(),
        })
    }

    fn resolved(&self, resolution: Resolution) -> Result<Change, DecodeError> {
        let handover = handover_id(self.row).and_then(|id| self.context.handovers.get(&id));
        let handover = Box::new(handover.ok_or_else(invalid_data)?.clone());
        Ok(Change::HandoverResolved { handover, by: self.agent_or_none()?, resolution })
    }

    fn ticket_creation(&self) -> Result<TicketCreation, DecodeError> {
        let ticket = self.context.conversation.ticket.as_deref().ok_or_else(invalid_data)?;
        let mut draft = ticket.draft.clone();
        if let Some(priority) = self.detail.and_then(|detail| detail.priority.as_deref()) {
            draft.priority = TicketPriority::parse(priority).ok_or_else(|| TABLE.invalid("detail"))?;
        }
        Ok(TicketCreation { draft, number: ticket.number.clone(), by: self.agent_or_none()? })
    }

    fn status_change(&self) -> Result<StatusChange, DecodeError> {
        let status = |field| self.text(field).and_then(TicketStatus::parse).ok_or_else(invalid_data);
        Ok(StatusChange {
            by: self.agent_or_none()?,
            from: status("old_status")?,
            to: status("new_status")?,
            notes: self.text("resolution_notes").map(|text| ResolutionNotes::stored(text.to_owned())),
        })
    }
}

fn invalid_data() -> DecodeError {
    TABLE.invalid("data")
}

fn handover_id(row: &conversation_events::Model) -> Option<Uuid> {
    Uuid::try_parse(text(row, "handover_id")?).ok()
}

fn text<'a>(row: &'a conversation_events::Model, field: &str) -> Option<&'a str> {
    row.data.get(field).and_then(Value::as_str)
}
