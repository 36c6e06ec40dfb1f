//! Failpoints: defects that a test switches on by `SWITCHBOARD_MUTANT`, to prove that the tests under faults find them
//! (`tests/faults/mutants.rs`), and panics in actors, which must not affect anything else.
//!
//! They exist only with the feature `mutants`, which no released build has. Without it each function is a no-op or
//! returns its argument, and is compiled away.

pub(crate) use switches::{condition, forget_name, is_sure, panic_now_and_then, settled, statement, untold};

#[cfg(feature = "mutants")]
mod switches {
    use std::sync::{LazyLock, OnceLock};

    use sea_orm::sea_query::{Expr, SimpleExpr};

    use crate::domain::{Command, Event};

    /// The version checks of the PostgreSQL statement, and their replacements without the fence. Creating and updating a
    /// conversation remain distinct.
    const FENCES: [(&str, &str); 2] = [
        ("AND batch.expected_version = conversations.version", "AND batch.expected_version > 0"),
        ("AND conversations.version = locked.expected_version", ""),
    ];

    /// One of so many commands and commits panics.
    const PANIC_ONE_IN: u32 = 30;

    /// Whether `SWITCHBOARD_MUTANT` is this one. `fence`: no version check; `wait`: answers before the commit; `repeat`:
    /// idempotency keys are ignored; `look`: no read barrier; `hole`: events of other servers are not announced; `panic`:
    /// actors panic at random.
    fn is_active(name: &str) -> bool {
        static ACTIVE: LazyLock<String> = LazyLock::new(|| std::env::var("SWITCHBOARD_MUTANT").unwrap_or_default());
        *ACTIVE == name
    }

    /// The PostgreSQL commit statement; without the fence, without its version checks.
    pub(crate) fn statement(fenced: &'static str) -> &'static str {
        static UNFENCED: OnceLock<String> = OnceLock::new();
        if !is_active("fence") {
            return fenced;
        }
        UNFENCED.get_or_init(|| {
            FENCES.iter().fold(fenced.to_owned(), |statement, (fence, none)| {
                assert!(statement.contains(fence), "the statement has changed: {fence} is not in it");
                statement.replace(fence, none)
            })
        })
    }

    /// The version check of the portable commit.
    pub(crate) fn condition(fence: SimpleExpr) -> SimpleExpr {
        if is_active("fence") { Expr::value(true) } else { fence }
    }

    /// The position up to which events count as durable; without the wait for the commit, all of them.
    pub(crate) fn settled(durable: i64) -> i64 {
        if is_active("wait") { i64::MAX } else { durable }
    }

    /// Removes a send's idempotency key, so that a retry is not recognised.
    pub(crate) fn forget_name(command: &mut Command) {
        if !is_active("repeat") {
            return;
        }
        command.forget_idempotency_key();
    }

    /// Whether a read-only answer is confirmed; without the read barrier, always.
    pub(crate) fn is_sure(is_sure: bool) -> bool {
        is_sure || is_active("look")
    }

    /// Events of other servers that must be announced here; none if gaps are to remain.
    pub(crate) fn untold(events: Vec<Event>) -> Vec<Event> {
        if is_active("hole") { Vec::new() } else { events }
    }

    /// Panics at random, in the middle of an actor's work.
    #[expect(clippy::panic, reason = "the panic is the failpoint")]
    pub(crate) fn panic_now_and_then() {
        if is_active("panic") && rand::random_ratio(1, PANIC_ONE_IN) {
            panic!("failpoint");
        }
    }
}

#[cfg(not(feature = "mutants"))]
mod switches {
    use sea_orm::sea_query::SimpleExpr;

    use crate::domain::{Command, Event};

    pub(crate) const fn statement(fenced: &'static str) -> &'static str {
        fenced
    }

    pub(crate) fn condition(fence: SimpleExpr) -> SimpleExpr {
        fence
    }

    pub(crate) const fn settled(durable: i64) -> i64 {
        durable
    }

    pub(crate) const fn forget_name(_: &mut Command) {}

    pub(crate) const fn is_sure(is_sure: bool) -> bool {
        is_sure
    }

    pub(crate) const fn untold(events: Vec<Event>) -> Vec<Event> {
        events
    }

    pub(crate) const fn panic_now_and_then() {}
}
