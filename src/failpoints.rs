//! Defects of the journal that tests can switch on to show that they would be found (`tests/faults/mutants.rs`). Those
//! of the conversation machine are [`crate::conversation::core::Defect`].
//!
//! Only a build with the feature `mutants` has them, and no such build is released. In any other build each of these
//! functions gives back what it was given, and is compiled away.

pub(crate) use switches::{condition, statement};

#[cfg(feature = "mutants")]
mod switches {
    use std::sync::{LazyLock, OnceLock};

    use sea_orm::sea_query::{Expr, SimpleExpr};

    /// Where the statement on PostgreSQL compares versions, and their text without the version fence: creating a
    /// conversation and appending to one remain two things.
    const FENCES: [(&str, &str); 2] = [
        ("AND batch.expected_version = conversations.version", "AND batch.expected_version > 0"),
        ("AND conversations.version = locked.expected_version", ""),
    ];

    /// Whether `SWITCHBOARD_MUTANT` is `fence`.
    fn is_unfenced() -> bool {
        static UNFENCED: LazyLock<bool> =
            LazyLock::new(|| std::env::var("SWITCHBOARD_MUTANT").is_ok_and(|name| name == "fence"));
        *UNFENCED
    }

    /// The journal's statement on PostgreSQL; with the defect, one that ignores versions.
    pub(crate) fn statement(fenced: &'static str) -> &'static str {
        static UNFENCED: OnceLock<String> = OnceLock::new();
        if !is_unfenced() {
            return fenced;
        }
        UNFENCED.get_or_init(|| {
            FENCES.iter().fold(fenced.to_owned(), |statement, (fence, none)| {
                assert!(statement.contains(fence), "the statement's fence has changed");
                statement.replace(fence, none)
            })
        })
    }

    /// The same for the statements of any other database.
    pub(crate) fn condition(fence: SimpleExpr) -> SimpleExpr {
        if is_unfenced() { Expr::value(true) } else { fence }
    }
}

#[cfg(not(feature = "mutants"))]
mod switches {
    use sea_orm::sea_query::SimpleExpr;

    pub(crate) const fn statement(fenced: &'static str) -> &'static str {
        fenced
    }

    pub(crate) fn condition(fence: SimpleExpr) -> SimpleExpr {
        fence
    }
}
