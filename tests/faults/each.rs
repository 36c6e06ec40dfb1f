//! Each fault once, on each database that it can befall.

use super::database::{Backend, Cluster};
use super::fault::Fault;
use super::run::{Plan, run};

/// The seed to play again, where one is given.
pub(crate) fn given_seed() -> Option<u64> {
    std::env::var("FAULT_SEED").ok().map(|seed| seed.parse().expect("FAULT_SEED is a number"))
}

fn play(backend: Backend, faults: &[Fault]) {
    let cluster = (backend == Backend::Postgres).then(Cluster::start);
    run(&Plan::new(backend, faults, given_seed().unwrap_or(1)), cluster.as_ref()).must_be_clean();
}

macro_rules! each {
    ($backend:ident: $($name:ident: [$($fault:ident),+];)+) => {$(
        #[test]
        fn $name() {
            play(Backend::$backend, &[$(Fault::$fault),+]);
        }
    )+};
}

mod on_postgresql {
    use super::*;

    each! { Postgres:
        the_clients_lines_are_cut_and_lose_answers: [ClientsCut, ClientsAnswersLost];
        the_clients_lines_are_slow_and_break_in_the_middle: [ClientsSlow, ClientsTorn];
        the_line_to_the_database_is_slow_and_half_open: [DatabaseSlow, DatabaseHalfOpen];
        a_connection_is_reset_in_the_middle_of_a_commit: [CommitTorn];
        the_answer_to_a_commit_is_lost: [CommitAnswerLost];
        the_database_crashes_and_halts: [DatabaseCrash, DatabaseHalted];
        the_server_is_killed: [Kill, CommitAnswerLost];
        two_servers_share_a_database: [TwoServers, Kill, CommitTorn];
        the_pool_is_exhausted: [FewConnections, DatabaseSlow];
        the_clock_jumps: [ClockJumps];
    }
}

mod on_sqlite {
    use super::*;

    each! { Sqlite:
        the_server_is_killed: [Kill, ClientsHalfOpen];
        two_servers_share_a_file: [TwoServers, Kill];
        the_disk_is_full: [DiskFull];
        the_server_is_short_of_everything: [FewConnections, FewDescriptors, LittleMemory];
        clients_stop_reading: [DeafClients, ClientsHalfOpen];
    }
}
