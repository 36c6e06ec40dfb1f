//! Three defects that tests can switch on, to show that they would be seen: `tests/faults/mutants.rs`.
//!
//! Only a build with the feature `mutants` has them; nobody ships one. In any other build [`lives`] is a constant no, and
//! what asks it is compiled away.

/// What can be taken out. `SWITCHBOARD_MUTANT` names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// `fence`: a commit does not look at the version that it rests on.
    Fence,
    /// `wait`: answers and announcements do not wait for the commit.
    Wait,
    /// `repeat`: a send's name is not looked at, so a repeat is a further message.
    Repeat,
}

/// Whether this one was switched on.
#[cfg(feature = "mutants")]
pub(crate) fn lives(mutant: Mutant) -> bool {
    static NAMED: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| std::env::var("SWITCHBOARD_MUTANT").unwrap_or_default());
    let name = match mutant {
        Mutant::Fence => "fence",
        Mutant::Wait => "wait",
        Mutant::Repeat => "repeat",
    };
    *NAMED == name
}

/// None of them is in this build.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn lives(_: Mutant) -> bool {
    false
}

/// The journal's statement on PostgreSQL, blind to versions where [`Mutant::Fence`] lives.
#[cfg(feature = "mutants")]
pub(crate) fn fenced(statement: &'static str) -> &'static str {
    static BLIND: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    if !lives(Mutant::Fence) {
        return statement;
    }
    BLIND.get_or_init(|| {
        statement
            .replace("AND part.expected_version = conversations.version", "AND part.expected_version > 0")
            .replace("AND conversations.version = part.expected_version", "")
    })
}

/// The statement as it is.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn fenced(statement: &'static str) -> &'static str {
    statement
}
