//! A read-only answer is confirmed against the database before it is sent.
//!
//! A command that appends events is checked by the version fence: it is stored only on the state on which it was decided.
//! A refusal, or a claim by the assignee, appends nothing, and with several servers its state may be outdated. So such an
//! answer leaves only when its state is known to have been the stored one at a time after the command arrived:
//!
//! - the state was read after the command arrived; or
//! - a later append of ours was committed, which the fence allows on that state only; or
//! - a version check, a read of the stored version that began after the command arrived, finds that very version, or one
//!   from which appends of ours lead to it that were committed since.
//!
//! One check serves all commands that arrived before it, and runs while appends are in flight: of sixteen agents who
//! claim at the same time, fifteen are refused as soon as the winner's claim is stored. If the check finds a version
//! that is not ours, the state is loaded and everything is decided again; if an append of ours is in flight, the
//! fence reports the conflict.

use std::time::Duration;

use super::effect::EpochNumber;

/// How long a check next to an append waits for more commands that need one; a commit takes longer.
pub(super) const VERSION_CHECK_DELAY: Duration = Duration::from_millis(1);

/// The version checks of a machine: at most one at a time.
#[derive(Debug, Default)]
pub(super) struct VersionChecks {
    in_progress: Option<VersionCheck>,
    is_scheduled: bool,
    /// The last completed check, with any result.
    last: Option<VersionCheck>,
}

/// One version check.
#[derive(Clone, Copy, Debug)]
pub(super) struct VersionCheck {
    /// Epoch of the state that it confirms.
    pub(super) epoch: EpochNumber,
    /// The expected version.
    pub(super) expected: i64,
    /// Number of the last command that had arrived when it began.
    pub(super) commands: u64,
}

impl VersionChecks {
    pub(super) fn is_in_progress(&self) -> bool {
        self.in_progress.is_some()
    }

    /// Whether to schedule a check, for the sake of command `number`. None is scheduled where the last one was about
    /// this state and began after the command: the append in flight confirms what it did not.
    pub(super) fn schedule(&mut self, epoch: EpochNumber, number: u64) -> bool {
        let is_checked = self.last.is_some_and(|last| last.epoch == epoch && last.commands >= number);
        if self.is_scheduled || is_checked {
            return false;
        }
        self.is_scheduled = true;
        true
    }

    /// The timer has fired; `false` if a check has begun meanwhile without it.
    pub(super) fn elapsed(&mut self) -> bool {
        std::mem::take(&mut self.is_scheduled)
    }

    pub(super) fn begin(&mut self, check: VersionCheck) {
        self.in_progress = Some(check);
        self.is_scheduled = false;
    }

    /// Takes the running check, which has ended.
    pub(super) fn end(&mut self) -> Option<VersionCheck> {
        self.in_progress.take()
    }

    /// Records a check of the present state.
    pub(super) fn record(&mut self, check: VersionCheck) {
        self.last = Some(check);
    }
}
