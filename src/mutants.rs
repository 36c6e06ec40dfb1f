//! Three defects that tests can switch on, to show that they would be seen: `tests/faults/mutants.rs`.
//!
//! Only a build with the feature `mutants` has them; nobody ships one. In any other build each of these functions gives
//! back what it was given, and is compiled away.

pub(crate) use switches::{condition, forget_name, settled, statement};

#[cfg(feature = "mutants")]
mod switches {
    use std::sync::{LazyLock, OnceLock};

    use sea_orm::sea_query::{Expr, SimpleExpr};

    use crate::domain::Command;

    /// What is taken out, as `SWITCHBOARD_MUTANT` names it: `fence`, `wait` or `repeat`.
    fn is_without(name: &str) -> bool {
        static NAMED: LazyLock<String> = LazyLock::new(|| std::env::var("SWITCHBOARD_MUTANT").unwrap_or_default());
        *NAMED == name
    }

    /// The journal's statement on PostgreSQL; without the fence, one that is blind to versions.
    pub(crate) fn statement(fenced: &'static str) -> &'static str {
        static BLIND: OnceLock<String> = OnceLock::new();
        if !is_without("fence") {
            return fenced;
        }
        BLIND.get_or_init(|| {
            let blind = fenced
                .replace("AND part.expected_version = conversations.version", "AND part.expected_version > 0")
                .replace("AND conversations.version = part.expected_version", "");
            assert_ne!(blind, fenced, "the fence is written in another way");
            blind
        })
    }

    /// The same for the statement that goes step by step.
    pub(crate) fn condition(fence: SimpleExpr) -> SimpleExpr {
        if is_without("fence") { Expr::value(true) } else { fence }
    }

    /// Up to where events are taken for stored; without the wait for the commit, all of them.
    pub(crate) fn settled(durable: i64) -> i64 {
        if is_without("wait") { i64::MAX } else { durable }
    }

    /// Without the look at a send's name, takes it away, so that nothing shows a repeat of it.
    pub(crate) fn forget_name(command: &mut Command) {
        if !is_without("repeat") {
            return;
        }
        match command {
            Command::Open(open) => open.client_message_id = None,
            Command::OpenTicket(open) => open.client_message_id = None,
            Command::Send(post) | Command::SendToTicket(post) => post.client_message_id = None,
            Command::Reply(post) | Command::Note(post) | Command::ReplyToTicket(post) | Command::NoteOnTicket(post) => {
                post.client_message_id = None;
            }
            _ => {}
        }
    }
}

#[cfg(not(feature = "mutants"))]
mod switches {
    use sea_orm::sea_query::SimpleExpr;

    use crate::domain::Command;

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
}
