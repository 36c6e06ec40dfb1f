//! The `detail` column of `conversation_events`: what an event holds beyond what the timeline shows of it.
//!
//! The column is null where there is nothing to store, and in every row of a release before migration 000009.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{Agent, Customer, EmailAddress, Owner, Resolution, TicketPriority};

/// A field that is absent is null in the event, or was not stored by an earlier release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Detail {
    /// E-mail address of the acting agent or customer.
    pub(super) email: Option<String>,
    /// Phone number of the acting customer.
    pub(super) phone_number: Option<String>,
    /// The address that a customer without an account is known by, or was until the conversation became an account's.
    pub(super) guest: Option<String>,
    /// `closed` or `superseded`, where a handover was rejected because its conversation was closed, or was released,
    /// taken over or assigned.
    pub(super) resolution: Option<String>,
    /// The priority that a ticket was created with.
    pub(super) priority: Option<String>,
    /// `agent`, where an agent and not the customer reopened the conversation.
    pub(super) actor: Option<String>,
    /// `offline`, where the target of a handover had no socket.
    pub(super) target: Option<String>,
}

/// The resolutions that the event's type does not name.
const CLOSED: &str = "closed";
const SUPERSEDED: &str = "superseded";

/// See [`Detail::actor`].
const AGENT: &str = "agent";

/// See [`Detail::target`].
const OFFLINE: &str = "offline";

impl Detail {
    pub(super) fn of_agent(agent: &Agent) -> Self {
        Self { email: agent.email.clone(), ..Self::default() }
    }

    pub(super) fn of_customer(customer: &Customer) -> Self {
        Self {
            email: customer.email.clone(),
            phone_number: customer.phone_number.clone(),
            guest: match &customer.owner {
                Owner::Account(_) => None,
                Owner::Guest(address) => Some(address.as_str().to_owned()),
            },
            ..Self::default()
        }
    }

    /// Of an account's event that is about a guest.
    pub(super) fn with_guest(self, address: &EmailAddress) -> Self {
        Self { guest: Some(address.as_str().to_owned()), ..self }
    }

    pub(super) fn with_resolution(self, resolution: Resolution) -> Self {
        let resolution = match resolution {
            Resolution::Closed => Some(CLOSED.to_owned()),
            Resolution::Superseded => Some(SUPERSEDED.to_owned()),
            Resolution::Accepted | Resolution::Rejected | Resolution::Withdrawn | Resolution::Expired => None,
        };
        Self { resolution, ..self }
    }

    pub(super) fn with_priority(self, priority: TicketPriority) -> Self {
        Self { priority: Some(priority.as_str().to_owned()), ..self }
    }

    pub(super) fn with_acting_agent(self) -> Self {
        Self { actor: Some(AGENT.to_owned()), ..self }
    }

    pub(super) fn has_acting_agent(&self) -> bool {
        self.actor.as_deref() == Some(AGENT)
    }

    pub(super) fn of_target(is_online: bool) -> Self {
        Self { target: (!is_online).then(|| OFFLINE.to_owned()), ..Self::default() }
    }

    pub(super) fn is_target_online(&self) -> bool {
        self.target.as_deref() != Some(OFFLINE)
    }

    /// How a handover that was not accepted ended; `None` if no release writes that.
    pub(super) fn rejection(&self) -> Option<Resolution> {
        match self.resolution.as_deref() {
            None => Some(Resolution::Rejected),
            Some(CLOSED) => Some(Resolution::Closed),
            Some(SUPERSEDED) => Some(Resolution::Superseded),
            Some(_) => None,
        }
    }

    /// The column's value. By hand: serialising a struct can fail, by its signature.
    pub(super) fn encode(self) -> Value {
        let fields = [
            ("email", self.email),
            ("phone_number", self.phone_number),
            ("guest", self.guest),
            ("resolution", self.resolution),
            ("priority", self.priority),
            ("actor", self.actor),
            ("target", self.target),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect()
    }

    /// The same, null where there is nothing.
    pub(super) fn encode_or_null(self) -> Option<Value> {
        (self != Self::default()).then(|| self.encode())
    }

    /// Fields of a newer release are ignored.
    pub(super) fn decode(value: Value) -> Option<Self> {
        serde_json::from_value(value).ok()
    }
}
