//! What the machine holds of its conversation.

use std::sync::Arc;

use super::effect::Epoch;
use crate::domain::{Command, Conversation};

/// What the machine knows of the conversation.
#[derive(Debug)]
pub(super) enum CachedState {
    /// Nothing: it must be loaded before anything is decided.
    Absent,
    /// Nothing yet; it is being loaded.
    Loading(LoadInProgress),
    /// The state as of the last decided event.
    Loaded(Speculation),
}

/// What was so when a load began.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadInProgress {
    /// Commands that had arrived by then.
    pub(super) commands: u64,
    /// The watermark then.
    pub(super) watermark: Option<i64>,
    /// Whether subscribers that wait to be attached had read their backlog by then.
    pub(super) follows_backlogs: bool,
}

/// The state as of the last decided event, and how much of it is stored.
#[derive(Debug)]
pub(super) struct Speculation {
    /// `None` before the first event.
    pub(super) conversation: Option<Arc<Conversation>>,
    /// Position of the last event known to be stored.
    pub(super) durable: i64,
    pub(super) epoch: Epoch,
    /// That the conversation does not exist is assumed, which saves a read before a first message. The version fence
    /// alone makes that safe, so nothing but a command that creates the conversation is decided on it.
    pub(super) is_assumed: bool,
    /// The last that is known of the stored version.
    pub(super) read_index: Option<ReadIndex>,
}

/// That the stored version was this at a time after the arrival of so many commands (Raft's `ReadIndex`).
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadIndex {
    pub(super) version: i64,
    /// Number of the last command that had arrived when the read began.
    pub(super) commands: u64,
}

impl Speculation {
    /// What a read has found that began after so many commands.
    pub(super) fn stored(conversation: Option<Arc<Conversation>>, commands: u64, epoch: Epoch) -> Self {
        let version = conversation.as_ref().map_or(0, |conversation| conversation.version);
        // A ticket and a handover are read one after the other with the conversation, and may be newer than its
        // version: then the version does not confirm what was read.
        let is_atomic = conversation
            .as_ref()
            .is_none_or(|conversation| conversation.ticket.is_none() && conversation.pending_handover.is_none());
        Self {
            conversation,
            durable: version,
            epoch,
            is_assumed: false,
            read_index: is_atomic.then_some(ReadIndex { version, commands }),
        }
    }

    pub(super) fn assumed_absent(epoch: Epoch) -> Self {
        Self { conversation: None, durable: 0, epoch, is_assumed: true, read_index: None }
    }

    /// Whether this command may be decided on it.
    pub(super) fn supports(&self, command: &Command) -> bool {
        !self.is_assumed || self.conversation.is_some() || command.creates_conversation()
    }

    pub(super) fn version(&self) -> i64 {
        self.conversation.as_ref().map_or(0, |conversation| conversation.version)
    }
}
