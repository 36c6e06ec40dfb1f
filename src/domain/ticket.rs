//! A ticket: what is formally tracked of a conversation, or of a thread of its own (`support-admin.md`, "Tickets";
//! `decisions.md`, "Tickets without an agent").

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{
    Agent, Description, Feedback, Party, Rating, Reference, ResolutionNotes, Subject, SupportType, TicketId,
    TicketPriority, TicketStatus, Timestamp,
};

/// `<prefix>-<year>-<6 digits>`.
///
/// It is given by the journal in the transaction that stores the ticket, so that numbers are unique without a race and
/// none is skipped. Until then it is not known; nobody outside hears of the ticket before. All clones share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketNumber(Arc<OnceLock<String>>);

impl TicketNumber {
    /// One that is not known yet.
    #[must_use]
    pub fn pending() -> Self {
        Self::default()
    }

    /// One that was stored.
    #[must_use]
    pub fn stored(number: String) -> Self {
        Self(Arc::new(OnceLock::from(number)))
    }

    /// Makes it known; the first word stands.
    pub fn give(&self, number: String) {
        let _ = self.0.set(number);
    }

    /// The number; empty while it is not known.
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

/// What a ticket is to be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketDraft {
    /// Its id, should it come about.
    pub id: TicketId,
    /// In one line.
    pub subject: Subject,
    /// At length.
    pub description: Description,
    /// Of which kind.
    pub support_type: SupportType,
    /// How urgent.
    pub priority: TicketPriority,
    /// A transaction of another system.
    pub related_transaction_id: Option<Reference>,
    /// The registration that it came out of.
    pub session_id: Option<Reference>,
}

/// A ticket was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketCreation {
    /// Of what.
    pub draft: TicketDraft,
    /// Its number, as soon as it has one.
    pub number: TicketNumber,
    /// The agent who made it of a conversation; nobody where the customer made it.
    pub by: Option<Agent>,
}

/// Who ended a ticket, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// When it became `resolved` or `closed`.
    pub at: Timestamp,
    /// Who made it so.
    pub by: Party,
}

/// A ticket as of its conversation's last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What it was made of.
    pub draft: TicketDraft,
    /// Its number.
    pub number: TicketNumber,
    /// How far it is.
    pub status: TicketStatus,
    /// Who has it.
    pub assignee: Option<Party>,
    /// Who ended it; nobody while it is open.
    pub resolved: Option<Resolved>,
    /// Said with the last change of status.
    pub resolution_notes: Option<ResolutionNotes>,
    /// When support first answered visibly.
    pub first_response_at: Option<Timestamp>,
    /// When support last answered visibly.
    pub last_response_at: Option<Timestamp>,
    /// How the customer found it.
    pub rating: Option<Rating>,
    /// Said with the rating.
    pub feedback: Option<Feedback>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something last changed that the customer can see.
    pub updated_at: Timestamp,
}

impl Ticket {
    /// Right behind its creation. Of a conversation it is being worked on and has that one's assignee.
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

    /// As it was right behind its creation by a customer: what the repeat of a creation is answered with.
    #[must_use]
    pub fn as_created(&self) -> Self {
        let creation = TicketCreation { draft: self.draft.clone(), number: self.number.clone(), by: None };
        Self::created(&creation, None, self.created_at)
    }

    /// Somebody wrote what the customer can see.
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
        self.resolved = change.to.is_done().then(|| Resolved { at, by: Party::from(&change.by) });
        self.updated_at = at;
    }

    /// Seconds from its creation to the first answer.
    #[must_use]
    pub fn response_time_seconds(&self) -> Option<i64> {
        self.first_response_at.map(|at| (at - self.created_at).num_seconds())
    }
}

/// A ticket's status changed: an agent said so, or began to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// Who changed it.
    pub by: Agent,
    /// What it was.
    pub from: TicketStatus,
    /// What it is.
    pub to: TicketStatus,
    /// Said with it; where nothing is said, what was said before stands.
    pub notes: Option<ResolutionNotes>,
}
