//! Named sends that an actor knows without asking the database.

use std::collections::VecDeque;
use std::sync::Arc;

use super::command::Outcome;
use crate::domain::{Command, Conversation, ConversationId, Posted, Refusal, SendKey};

/// A send that was decided or found in the database.
#[derive(Clone, Debug)]
pub(super) struct KnownSend {
    pub(super) message: Arc<Posted>,
    /// The conversation that the message opened, as it was then; nothing for any other message.
    pub(super) opened: Option<Arc<Conversation>>,
}

impl KnownSend {
    pub(super) fn new(message: Arc<Posted>, conversation: &Conversation) -> Self {
        let opened = (message.message.is_opening() && message.message.author.is_customer())
            .then(|| Arc::new(conversation.as_opened(&message.message)));
        Self { message, opened }
    }

    /// What a command under the same name is answered with: the first one's answer if it is its repeat.
    pub(super) fn answer(&self, command: &Command, conversation: ConversationId) -> Result<Outcome, Refusal> {
        let same_place = match command {
            Command::Open(_) => self.opened.is_some(),
            _ => self.message.conversation == conversation,
        };
        if !same_place || !command.would_have_written(&self.message.message) {
            return Err(Refusal::ClientMessageIdReused);
        }
        Ok(match &self.opened {
            Some(opened) => Outcome::Opened { conversation: Arc::clone(opened), message: Arc::clone(&self.message) },
            None => Outcome::Posted(Arc::clone(&self.message)),
        })
    }
}

/// The last named sends of a conversation: all that are not yet durable, and some that are.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    sends: VecDeque<(SendKey, KnownSend)>,
}

impl Remembered {
    pub(super) fn get(&self, key: &SendKey) -> Option<&KnownSend> {
        self.sends.iter().rev().find(|(known, _)| known == key).map(|(_, send)| send)
    }

    pub(super) fn insert(&mut self, key: SendKey, send: KnownSend) {
        self.sends.push_back((key, send));
    }

    /// Forgets the oldest beyond `keep`, but none of this conversation's that stands behind `durable`, the last stored
    /// position.
    pub(super) fn trim(&mut self, conversation: ConversationId, keep: usize, durable: i64) {
        while self.sends.len() > keep
            && self
                .sends
                .front()
                .is_some_and(|(_, send)| send.message.conversation != conversation || send.message.position <= durable)
        {
            self.sends.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.sends = VecDeque::new();
    }
}
