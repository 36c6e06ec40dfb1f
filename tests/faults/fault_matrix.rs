//! Every fault in a few short runs, with a fixed seed.

use std::thread;

use switchboard_testkit::Backend;

use super::deployment::cluster_for;
use super::fault::Fault;
use super::run::{FaultPlan, run};

/// How long participants act in each run.
const MILLISECONDS: u64 = 1500;

/// The seed to repeat, if `FAULT_SEED` is set.
pub(crate) fn given_seed() -> Option<u64> {
    std::env::var("FAULT_SEED").ok().map(|seed| seed.parse().expect("FAULT_SEED is a number"))
}

/// Runs all plans concurrently: most of a run is waiting.
fn run_all(plans: &[(Backend, &[Fault])]) {
    thread::scope(|scope| {
        for (backend, faults) in plans {
            scope.spawn(|| {
                let cluster = cluster_for(*backend, faults);
                let plan = FaultPlan::new(*backend, faults, given_seed().unwrap_or(1));
                let plan = FaultPlan { milliseconds: MILLISECONDS, ..plan };
                run(&plan, cluster.as_ref()).assert_clean();
            });
        }
    });
}

macro_rules! fault_tests {
    ($($name:ident: $($backend:ident [$($fault:ident),+]),+;)+) => {$(
        #[test]
        fn $name() {
            run_all(&[$((Backend::$backend, &[$(Fault::$fault),+])),+]);
        }
    )+};
}

fault_tests! {
    the_database_crashes_and_pauses: Postgres [DatabaseCrash, DatabasePaused];
    client_connections_break_and_lose_answers:
        Postgres [ClientsCut, ClientResponsesLost], Postgres [ClientsTorn], Sqlite [ClientsSlow, ClientsTorn];
    a_commit_is_torn_or_its_response_is_lost:
        Postgres [CommitTorn], Postgres [CommitTorn, ClientResponsesLost], Postgres [CommitResponseLost, DatabaseSlow];
    the_database_is_slow_half_open_or_has_no_connection_free:
        Postgres [DatabaseHalfOpen], Postgres [FewConnections, DatabaseSlow], Sqlite [FewConnections];
    the_server_is_killed: Postgres [Kill, CommitResponseLost], Sqlite [Kill, ClientsCut];
    two_servers_share_a_database: Postgres [TwoServers, Kill, CommitTorn], Sqlite [TwoServers, Kill];
    the_disk_is_full: Sqlite [DiskFull], Sqlite [DiskFull, Kill];
    descriptors_and_memory_run_out: Postgres [LowMemory], Sqlite [FewDescriptors, LowMemory];
    clients_stop_reading: Postgres [StalledClients, ClientsHalfOpen], Sqlite [StalledClients];
    the_clock_jumps: Postgres [ClockJumps, ClientsCut], Sqlite [ClockJumps];
}
