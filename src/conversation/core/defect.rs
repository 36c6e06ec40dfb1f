//! Defects that tests switch on to prove that they would detect them (mutants). Only tests and builds with the
//! feature `mutants` have them; in any other build [`Defects::has`] is `false` and the branches are compiled away.

/// One defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// Every decided event counts as stored.
    ReplyBeforeCommit,
    /// Sends lose their key, so that repeats are not recognised.
    ForgetIdempotencyKey,
    /// Read-only answers are not confirmed against the database.
    SkipReadBarrier,
    /// Events of other servers that a load finds are not published.
    DropFoundEvents,
    /// Panics over one in 30 decisions and commits.
    Panic,
    /// A refusal does not wait until the state that it is based on is stored.
    ReleaseBeforeBasis,
    /// Events are published when they are handed to the journal.
    PublishBeforeCommit,
    /// The watermark does not follow what is published.
    KeepWatermark,
    /// A backlog contains again what the subscriber has read.
    DuplicateBacklog,
    /// A backlog lacks what was published while the subscriber read.
    IncompleteBacklog,
    /// A subscriber begins before the others have received what it has read.
    AttachEarly,
    /// A rejected append counts as committed.
    AcceptRejected,
    /// A refused send is not looked up in the database.
    SkipSendLookup,
    /// The first command to be decided again after a conflict is lost.
    DropOnRebase,
    /// Events in doubt are ignored.
    IgnoreInDoubt,
    /// After a failed append the machine keeps a state that may never be stored.
    KeepStateAfterFailure,
    /// The machine stops with commands in flight.
    StopBusy,
    /// A version check also confirms commands that arrived while it ran.
    ConfirmLateCommands,
}

/// The defects of one machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defects {
    #[cfg(any(test, feature = "mutants"))]
    active: Option<Defect>,
}

impl Defects {
    /// Whether this one is active.
    #[cfg(not(any(test, feature = "mutants")))]
    pub const fn has(self, _: Defect) -> bool {
        false
    }

    /// Whether this one is active.
    #[cfg(any(test, feature = "mutants"))]
    pub fn has(self, defect: Defect) -> bool {
        self.active == Some(defect)
    }

    /// One defect.
    #[cfg(any(test, feature = "mutants"))]
    pub fn only(defect: Defect) -> Self {
        Self { active: Some(defect) }
    }

    /// The one that `SWITCHBOARD_MUTANT` names.
    pub fn from_environment() -> Self {
        #[cfg(feature = "mutants")]
        {
            let name = std::env::var("SWITCHBOARD_MUTANT").unwrap_or_default();
            Self { active: Defect::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, defect)| defect) }
        }
        #[cfg(not(feature = "mutants"))]
        Self::default()
    }
}

#[cfg(any(test, feature = "mutants"))]
impl Defect {
    /// All, by name.
    pub const ALL: [(&str, Self); 18] = [
        ("wait", Self::ReplyBeforeCommit),
        ("repeat", Self::ForgetIdempotencyKey),
        ("look", Self::SkipReadBarrier),
        ("hole", Self::DropFoundEvents),
        ("panic", Self::Panic),
        ("basis", Self::ReleaseBeforeBasis),
        ("publish", Self::PublishBeforeCommit),
        ("watermark", Self::KeepWatermark),
        ("duplicate", Self::DuplicateBacklog),
        ("incomplete", Self::IncompleteBacklog),
        ("attach", Self::AttachEarly),
        ("reject", Self::AcceptRejected),
        ("lookup", Self::SkipSendLookup),
        ("rebase", Self::DropOnRebase),
        ("doubt", Self::IgnoreInDoubt),
        ("failure", Self::KeepStateAfterFailure),
        ("stop", Self::StopBusy),
        ("late", Self::ConfirmLateCommands),
    ];
}
