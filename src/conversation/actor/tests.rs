//! Registry, actors and journal together, on real databases. Only the clock and the event publisher are test doubles.

mod failures;
mod gap_recovery;
mod help_center;
mod idempotency;
mod limits;
mod max_actors;
mod passivation;
mod server;
mod subscribe;
mod two_servers;
