//! Tickets, attached to a conversation or with a thread of their own (`support-admin.md`, "Tickets";
//! `decisions.md`, "Tickets without an agent").

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{
    Agent, Description, Feedback, Party, Rating, Reference, ResolutionNotes, Subject, SupportType, TicketId,
    TicketPriority, TicketStatus, Timestamp,
};

/// `<prefix>-<year>-<6 digits>`.
///
/// The journal assigns it in the transaction that stores the ticket, so that numbers are unique and none is skipped.
/// Until then it is unknown, and the ticket is not visible to clients. All clones share the number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketNumber(Arc<OnceLock<String>>);

impl TicketNumber {
    /// A number that is not assigned yet.
    #[must_use]
    pub fn pending() -> Self {
        Self::default()
    }

    /// A number from the database.
    #[must_use]
    pub fn stored(number: String) -> Self {
        Self(Arc::new(OnceLock::from(number)))
    }

    /// Assigns it; a later assignment has no effect.
    pub fn assign(&self, number: String) {
        let _ = self.0.set(number);
    }

    /// The number; empty until it is assigned.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get().map_or("", String::as_str)
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The contents of a new ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketDraft {
    /// Its id.
    pub id: TicketId,
    /// One line.
    pub subject: Subject,
    /// The description; also the first message of a thread.
    pub description: Description,
    /// What it is about.
    pub support_type: SupportType,
    /// The priority.
    pub priority: TicketPriority,
    /// A transaction in another system.
    pub related_transaction_id: Option<Reference>,
    /// The registration session that it belongs to.
    pub session_id: Option<Reference>,
}

/// A ticket was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketCreation {
    /// The contents.
    pub draft: TicketDraft,
    /// Its number, once it is assigned.
    pub number: TicketNumber,
    /// The agent who created it from a conversation; `None` if the customer created it.
    pub by: Option<Agent>,
}

/// When a ticket was resolved, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// When it became `resolved` or `closed`.
    pub at: Timestamp,
    /// The agent.
    pub by: Party,
}

/// A ticket as of its conversation's last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The contents.
    pub draft: TicketDraft,
    /// Its number.
    pub number: TicketNumber,
    /// The status.
    pub status: TicketStatus,
    /// The assignee.
    pub assignee: Option<Party>,
    /// How it was resolved; `None` while it is open.
    pub resolved: Option<Resolved>,
    /// Notes on the resolution, from the last change of status.
    pub resolution_notes: Option<ResolutionNotes>,
    /// When support first answered visibly.
    pub first_response_at: Option<Timestamp>,
    /// When support last answered visibly.
    pub last_response_at: Option<Timestamp>,
    /// The customer's rating.
    pub rating: Option<Rating>,
    /// The customer's feedback.
    pub feedback: Option<Feedback>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Time of the last change that the customer can see.
    pub updated_at: Timestamp,
}

impl Ticket {
    /// As of its creation. A ticket of a conversation is in progress and has the conversation's assignee.
    pub(super) fn created(creation: &TicketCreation, assignee: Option<Party>, at: Timestamp) -> Self {
        Self {
            draft: creation.draft.clone(),
            number: creation.number.clone(),
            status: if creation.by.is_some() { TicketStatus::InProgress } else { TicketStatus::Pending },
            assignee,
            resolved: None,
            resolution_notes: None,
            first_response_at: None,
            last_response_at: None,
            rating: None,
            feedback: None,
            created_at: at,
            updated_at: at,
        }
    }

    /// As of its creation by a customer: the answer to a repeated creation.
    #[must_use]
    pub fn as_created(&self) -> Self {
        let creation = TicketCreation { draft: self.draft.clone(), number: self.number.clone(), by: None };
        Self::created(&creation, None, self.created_at)
    }

    /// A message that the customer can see was written.
    pub(super) fn message(&mut self, is_answer: bool, at: Timestamp) {
        self.updated_at = at;
        if !is_answer {
            return;
        }
        self.first_response_at.get_or_insert(at);
        self.last_response_at = Some(at);
    }

    pub(super) fn set_status(&mut self, change: &StatusChange, at: Timestamp) {
        self.status = change.to;
        self.resolution_notes.clone_from(&change.notes);
        let by = change.by.as_ref().filter(|_| change.to.is_done());
        self.resolved = by.map(|by| Resolved { at, by: Party::from(by) });
        self.updated_at = at;
    }

    /// Its conversation was closed while it was open.
    pub(super) fn resolve(&mut self, by: &Agent, at: Timestamp) {
        self.status = TicketStatus::Resolved;
        self.resolved = Some(Resolved { at, by: Party::from(by) });
        self.updated_at = at;
    }

    /// What a customer's message to its conversation changes.
    pub(super) fn reopening(&self) -> Option<StatusChange> {
        (self.status == TicketStatus::Resolved).then(|| StatusChange {
            by: None,
            from: self.status,
            to: TicketStatus::InProgress,
            notes: self.resolution_notes.clone(),
        })
    }

    /// Seconds from its creation to the first answer.
    #[must_use]
    pub fn response_time_seconds(&self) -> Option<i64> {
        self.first_response_at.map(|at| (at - self.created_at).num_seconds())
    }
}

/// A ticket's status changed: an agent set it or answered for the first time, or the customer wrote to a conversation
/// whose ticket was resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// The agent; `None` if the customer's message reopened the ticket.
    pub by: Option<Agent>,
    /// The old status.
    pub from: TicketStatus,
    /// The new status.
    pub to: TicketStatus,
    /// The notes on the resolution as of now.
    pub notes: Option<ResolutionNotes>,
}
