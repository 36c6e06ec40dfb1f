//! The conversation machine: everything that can happen to one conversation, as a state machine without I/O and
//! without a clock (sans-IO).
//!
//! A driver gives it an [`Input`] and carries out the [`Effect`]s that come of it, in order: the actor on real
//! databases, a simulator on imaginary ones. It imports [`crate::domain`] and nothing else of ours.
//!
//! What always holds:
//! - An answer leaves when everything that it depends on is stored; a read-only one when that is confirmed.
//! - Events are published once, in order, and only when they are stored.
//! - A subscriber receives every message, in its backlog or live, once and in order.
//! - Every command is answered once, unless its caller has given up or the machine panics over it.

mod answer;
mod defect;
mod effect;
mod idempotency_cache;
mod in_doubt;
mod in_flight;
mod lifecycle;
mod limits;
mod machine;
mod read_barrier;
mod send_lookups;
mod state;
mod subscribers;
mod watermark;

pub use answer::{CommandError, ConversationCommand, ConversationState, Opened, Outcome, Reply, Responder, Sent};
pub use defect::{Defect, Defects};
pub use effect::{
    AppendEvents, Backlog, ClockAndIds, Effect, Effects, EpochNumber, EventsAfter, Input, LoadQuery, LoadedState,
    Lookup, Publication, StoredSend, SubscriberId, Timer,
};
pub use limits::MachineLimits;
pub use machine::Machine;
pub use watermark::Watermark;
