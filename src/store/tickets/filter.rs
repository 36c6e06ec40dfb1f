//! Filter and order of the agents' list of tickets (`support-admin.md`, "Tickets").

use crate::domain::{SearchTerm, SupportType, TicketPriority, TicketStatus, Timestamp, UserId};
use crate::store::AssignedTo;

/// Conditions on a ticket; a field that is `None` is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// A term in its number, subject or description, its customer's data, or its messages.
    pub search: Option<SearchTerm>,
    /// One of these statuses; none of them is no condition.
    pub statuses: Vec<TicketStatus>,
    /// The priority.
    pub priority: Option<TicketPriority>,
    /// The support type.
    pub support_type: Option<SupportType>,
    /// The assignee.
    pub assigned_to: Option<AssignedTo>,
    /// Whether only those that [`TicketCounts::unassigned`](crate::store::TicketCounts::unassigned) counts.
    pub unassigned: bool,
    /// The account they belong to.
    pub user: Option<UserId>,
    /// The earliest time of creation.
    pub from: Option<Timestamp>,
    /// The time that they were created before.
    pub until: Option<Timestamp>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketOrder {
    /// The sort key. Ties are sorted by time of creation and then by id.
    pub by: TicketSort,
    /// Whether the newest or most urgent is first.
    pub is_descending: bool,
}

/// A sort key of tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketSort {
    /// Time of creation.
    CreatedAt,
    /// Time of the last change.
    UpdatedAt,
    /// Priority, by urgency.
    Priority,
    /// The status's name.
    Status,
    /// The support type's name.
    SupportType,
}
