//! The machine's cached state of its conversation.

use std::sync::Arc;

use super::effect::EpochNumber;
use crate::domain::{Command, Conversation};

/// The cached state.
#[derive(Debug)]
pub(super) enum CachedState {
    /// Empty: a load must precede the next decision.
    Absent,
    /// A load is running.
    Loading(LoadInProgress),
    /// The state as of the last decided event.
    Loaded(Speculation),
}

/// The circumstances in which a load began.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadInProgress {
    /// Number of commands that had arrived.
    pub(super) commands: u64,
    /// The watermark.
    pub(super) watermark: Option<i64>,
    /// Whether the subscribers that wait to be attached had read their backlog.
    pub(super) follows_backlogs: bool,
}

/// The state as of the last decided event, and how much of it is stored.
#[derive(Debug)]
pub(super) struct Speculation {
    /// `None` before the first event.
    pub(super) conversation: Option<Arc<Conversation>>,
    /// Position of the last event known to be stored.
    pub(super) durable: i64,
    pub(super) epoch: EpochNumber,
    /// That the conversation does not exist is assumed, which saves a read before a first message. The version fence
    /// alone makes that safe, so nothing but a command that creates the conversation is decided on it.
    pub(super) is_assumed: bool,
    /// The latest confirmation of the stored version.
    pub(super) read_index: Option<ReadIndex>,
}

/// Confirms that the stored version was `version` at a time after so many commands had arrived (Raft's `ReadIndex`).
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadIndex {
    pub(super) version: i64,
    /// Number of the last command that had arrived when the read began.
    pub(super) commands: u64,
}

impl Speculation {
    /// The state that a read has found which began after so many commands had arrived.
    pub(super) fn stored(conversation: Option<Arc<Conversation>>, commands: u64, epoch: EpochNumber) -> Self {
        let version = conversation.as_ref().map_or(0, |conversation| conversation.version);
        // Ticket and handover are read by separate statements after the conversation, so they may be newer than its
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

    pub(super) fn assumed_absent(epoch: EpochNumber) -> Self {
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
