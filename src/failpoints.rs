//! Defects that tests can switch on: five to show that they would be seen, and actors that panic, which must harm
//! nobody else. See `tests/faults/mutants.rs`.
//!
//! Only a build with the feature `mutants` has them; nobody ships one. In any other build each of these functions does
//! nothing or gives back what it was given, and is compiled away.

pub(crate) use switches::{condition, forget_name, is_sure, panic_now_and_then, settled, statement, untold};

#[cfg(feature = "mutants")]
mod switches {
    use std::sync::{LazyLock, OnceLock};

    use sea_orm::sea_query::{Expr, SimpleExpr};

    use crate::domain::{Command, Event};

    /// Where the statement on PostgreSQL looks at versions, and what is there without the fence: making a conversation
    /// and going on with one are still two things.
    const FENCES: [(&str, &str); 2] = [
        ("AND batch.expected_version = conversations.version", "AND batch.expected_version > 0"),
        ("AND conversations.version = locked.expected_version", ""),
    ];

    /// Of a conversation's commands and commits one in so many panics.
    const PANICS: u32 = 30;

    /// Whether `SWITCHBOARD_MUTANT` names this: no `fence`, no `wait`, no look at a `repeat`, no `look` at what others
    /// have stored meanwhile, nothing told of what they stored, so that a `hole` stays, or a `panic` now and then.
    fn is_named(name: &str) -> bool {
        static NAMED: LazyLock<String> = LazyLock::new(|| std::env::var("SWITCHBOARD_MUTANT").unwrap_or_default());
        *NAMED == name
    }

    /// The journal's statement on PostgreSQL; without the fence, one that is blind to versions.
    pub(crate) fn statement(fenced: &'static str) -> &'static str {
        static BLIND: OnceLock<String> = OnceLock::new();
        if !is_named("fence") {
            return fenced;
        }
        BLIND.get_or_init(|| {
            FENCES.iter().fold(fenced.to_owned(), |statement, (fence, none)| {
                assert!(statement.contains(fence), "the fence is written in another way");
                statement.replace(fence, none)
            })
        })
    }

    /// The same for the statement that goes step by step.
    pub(crate) fn condition(fence: SimpleExpr) -> SimpleExpr {
        if is_named("fence") { Expr::value(true) } else { fence }
    }

    /// Up to where events are taken for stored; without the wait for the commit, all of them.
    pub(crate) fn settled(durable: i64) -> i64 {
        if is_named("wait") { i64::MAX } else { durable }
    }

    /// Without the look at a send's name, takes it away, so that nothing shows a repeat of it.
    pub(crate) fn forget_name(command: &mut Command) {
        if !is_named("repeat") {
            return;
        }
        command.forget_idempotency_key();
    }

    /// Whether what changes nothing may be answered; without the look, at once.
    pub(crate) fn is_sure(is_sure: bool) -> bool {
        is_sure || is_named("look")
    }

    /// What others have stored and those who listen here were not told; nothing, where holes stay.
    pub(crate) fn untold(events: Vec<Event>) -> Vec<Event> {
        if is_named("hole") { Vec::new() } else { events }
    }

    /// Panics where an actor is at work.
    #[expect(clippy::panic, reason = "that is what it is for")]
    pub(crate) fn panic_now_and_then() {
        if is_named("panic") && rand::random_ratio(1, PANICS) {
            panic!("as a test wishes");
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
