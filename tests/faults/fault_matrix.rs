//! Each fault once, in a few short runs: what `make test` has time for.

use std::thread;

use super::database::{Backend, Cluster};
use super::fault::Fault;
use super::run::{Plan, run};

/// How long people work in each.
const MILLISECONDS: u64 = 1500;

/// The seed to play again, where one is given.
pub(crate) fn given_seed() -> Option<u64> {
    std::env::var("FAULT_SEED").ok().map(|seed| seed.parse().expect("FAULT_SEED is a number"))
}

/// All of them at once: most of a run is waiting.
fn play(plans: &[(Backend, &[Fault])]) {
    thread::scope(|scope| {
        for (backend, faults) in plans {
            scope.spawn(|| {
                let cluster = Cluster::for_faults(*backend, faults);
                let plan =
                    Plan { milliseconds: MILLISECONDS, ..Plan::new(*backend, faults, given_seed().unwrap_or(1)) };
                run(&plan, cluster.as_ref()).must_be_clean();
            });
        }
    });
}

macro_rules! each {
    ($($name:ident: $($backend:ident [$($fault:ident),+]),+;)+) => {$(
        #[test]
        fn $name() {
            play(&[$((Backend::$backend, &[$(Fault::$fault),+])),+]);
        }
    )+};
}

each! {
    the_database_crashes_and_halts: Postgres [DatabaseCrash, DatabaseHalted];
    the_clients_lines_break_and_lose_answers:
        Postgres [ClientsCut, ClientsAnswersLost], Postgres [ClientsTorn], Sqlite [ClientsSlow, ClientsTorn];
    a_commit_is_torn_or_its_answer_is_lost:
        Postgres [CommitTorn], Postgres [CommitTorn, ClientsAnswersLost], Postgres [CommitAnswerLost, DatabaseSlow];
    the_database_is_slow_half_open_or_has_no_connection_free:
        Postgres [DatabaseHalfOpen], Postgres [FewConnections, DatabaseSlow], Sqlite [FewConnections];
    the_server_is_killed: Postgres [Kill, CommitAnswerLost], Sqlite [Kill, ClientsCut];
    two_servers_share_a_database: Postgres [TwoServers, Kill, CommitTorn], Sqlite [TwoServers, Kill];
    the_disk_is_full: Sqlite [DiskFull], Sqlite [DiskFull, Kill];
    descriptors_and_memory_run_out: Postgres [LittleMemory], Sqlite [FewDescriptors, LittleMemory];
    clients_stop_reading: Postgres [DeafClients, ClientsHalfOpen], Sqlite [DeafClients];
    the_clock_jumps: Postgres [ClockJumps, ClientsCut], Sqlite [ClockJumps];
}
