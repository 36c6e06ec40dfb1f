//! What is asked of a conversation's actor, and what it answers.

use std::sync::Arc;

use actix::Message;
use tokio::sync::oneshot;

use crate::api_error::ApiError;
use crate::domain::{Assignee, Author, Command, Conversation, Event, Handover, Posted, Rate, Refusal};

/// What came of a command. Everything in it is stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A first message made the conversation; it is shown as it was right behind that message.
    Opened {
        /// The conversation then.
        conversation: Arc<Conversation>,
        /// Its first message.
        message: Arc<Posted>,
    },
    /// A customer's conversation in the help center is there, now or already.
    Entered(Arc<Conversation>),
    /// A further message, an answer or a note.
    Posted(Arc<Posted>),
    /// It is the agent's, now or already.
    Claimed(Assignee),
    /// It is closed.
    Closed,
    /// It is rated, or its ticket is.
    Rated(Rate),
    /// Another agent is asked to take it over.
    HandoverAsked(Box<Handover>),
    /// A handover of it is accepted or rejected.
    HandoverAnswered,
    /// A ticket was made of it, or its ticket changed; the conversation as it is then.
    Ticket(Arc<Conversation>),
}

impl Outcome {
    /// What a command that was not refused is answered with, where it led to this state and wrote this message.
    pub(super) fn of(command: &Command, after: &Arc<Conversation>, message: Option<Arc<Posted>>) -> Self {
        match (command, message) {
            (Command::EnterHelpCenter(_), _) => Self::Entered(Arc::clone(after)),
            (Command::Open(_) | Command::OpenTicket(_), Some(message)) => {
                Self::Opened { conversation: Arc::clone(after), message }
            }
            (_, Some(message)) => Self::Posted(message),
            (Command::Claim(_), None) if let Some(assignee) = &after.assignee => Self::Claimed(assignee.clone()),
            (Command::Rate(rate) | Command::RateTicket(rate), _) => Self::Rated(rate.clone()),
            (Command::AskHandover(_), None) if let Some(handover) = &after.pending_handover => {
                Self::HandoverAsked(handover.clone())
            }
            (Command::AnswerHandover(_), None) => Self::HandoverAnswered,
            (
                Command::CreateTicket { .. }
                | Command::SetTicketStatus { .. }
                | Command::AssignTicket { .. }
                | Command::PrioritiseTicket { .. },
                None,
            ) => Self::Ticket(Arc::clone(after)),
            (_, None) => Self::Closed,
        }
    }
}

/// The message that a command is answered with: what its caller wrote, not what follows it by itself.
pub(super) fn written(events: &[Event]) -> Option<Arc<Posted>> {
    let is_written = |posted: &Posted| !matches!(posted.message.author, Author::AutoReply { .. });
    events.iter().filter_map(Event::posted).rfind(is_written).map(Arc::new)
}

/// Why a command came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database cannot be reached, or did not answer in time: the same may be sent again.
    #[error("the database is not available")]
    Unavailable,
    /// More is asked than the server takes in: the same may be sent again.
    #[error("too much is waiting")]
    Overloaded,
    /// A defect of ours.
    #[error("the conversation's actor failed")]
    Fault,
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Unavailable | CommandError::Overloaded => Self::unavailable(),
            CommandError::Fault => Self::internal(),
        }
    }
}

/// Asks an actor to do something.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Execute(pub(super) Pending);

/// A command whose caller waits.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) command: Command,
    pub(super) reply: oneshot::Sender<Result<Outcome, CommandError>>,
    /// How often another server was faster.
    pub(super) conflicts: u32,
    /// Which one it is of those that the actor was asked; 0 before it has come there.
    pub(super) number: u64,
}

impl Pending {
    /// A caller that has given up needs no answer.
    pub(super) fn answer(self, answer: Result<Outcome, CommandError>) {
        let _ = self.reply.send(answer);
    }
}
