//! Registry, actors and journal together on real databases; the only things made up are the clock and who listens.

mod failing;
mod gap_recovery;
mod help_center;
mod limits;
mod listening;
mod repeats;
mod retiring;
mod server;
mod two_servers;
