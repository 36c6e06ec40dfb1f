//! What is asked of a conversation's actor.

use actix::Message;

use super::core::{CommandError, Outcome, Responder};
use crate::api_error::ApiError;
use crate::domain::Command;

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
    pub(super) responder: Responder,
    /// How often another server was faster.
    pub(super) conflicts: u32,
    /// Which one it is of those that the actor was asked; 0 before it has come there.
    pub(super) number: u64,
}

impl Pending {
    /// A caller that has given up needs no answer.
    pub(super) fn answer(self, answer: Result<Outcome, CommandError>) {
        self.responder.respond(answer);
    }
}
