//! A listener always ends up with the current state, in whatever order connections start and end, and on however many
//! threads.

use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;

use super::{Presence, PresenceGuard};
use crate::cluster::{Cluster, PresenceListener, SingleNode};
use crate::testing::agent;

/// Every reported change.
#[derive(Debug, Default)]
struct Reports(Mutex<Vec<(String, bool)>>);

impl PresenceListener for Reports {
    fn agent_presence_changed(&self, agent: &crate::domain::Agent, is_online: bool) {
        self.0.lock().push((agent.id.to_string(), is_online));
    }
}

impl Reports {
    fn of(&self, id: &str) -> Vec<bool> {
        self.0.lock().iter().filter(|(reported, _)| reported == id).map(|(_, online)| *online).collect()
    }
}

fn server() -> (Presence, Arc<SingleNode>, Arc<Reports>) {
    let reports = Arc::new(Reports::default());
    let cluster = Arc::new(SingleNode::new(Arc::clone(&reports) as Arc<dyn PresenceListener>));
    (Presence::new(Arc::clone(&cluster) as Arc<dyn Cluster>), cluster, reports)
}

#[test]
fn an_agent_is_online_from_the_first_accepted_socket_to_the_end_of_the_last() {
    let (presence, cluster, reports) = server();
    let first = presence.track(agent("sarah"));
    assert!(cluster.agents_online().is_empty(), "not accepted yet");
    first.set_online();
    let second = presence.track(agent("sarah"));
    second.set_online();
    first.release();
    assert_eq!(cluster.agents_online(), [agent("sarah")]);
    second.release();
    second.release();
    drop((first, second));
    assert!(cluster.agents_online().is_empty());
    assert_eq!(reports.of("sarah"), [true, false]);
}

#[test]
fn replacing_a_connection_is_not_reported() {
    let (presence, _, reports) = server();
    let old = presence.track(agent("sarah"));
    old.set_online();
    let new = presence.track(agent("sarah"));
    old.release();
    new.set_online();
    assert_eq!(reports.of("sarah"), [true]);
}

#[test]
fn a_connection_that_is_not_accepted_is_never_reported() {
    let (presence, _, reports) = server();
    drop(presence.track(agent("sarah")));
    assert_eq!(reports.of("sarah"), [false; 0]);
}

#[test]
fn concurrent_connections_leave_a_consistent_state() {
    let (presence, cluster, reports) = server();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let guard = presence.track(agent("sarah"));
                    guard.set_online();
                }
            });
        }
    });
    assert!(cluster.agents_online().is_empty());
    let reports = reports.of("sarah");
    assert!(reports.chunks(2).all(|pair| pair == [true, false]), "online and offline take turns, and offline is last");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Track(usize),
    SetOnline(usize),
    Release(usize),
    Drop(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..3_usize).prop_map(Step::Track),
        (0..20_usize).prop_map(Step::SetOnline),
        (0..20_usize).prop_map(Step::Release),
        (0..20_usize).prop_map(Step::Drop),
    ];
    prop::collection::vec(step, 0..100)
}

/// A connection in the model.
struct Connection {
    agent: usize,
    guard: Option<PresenceGuard>,
    has_ended: bool,
}

proptest! {
    #[test]
    fn the_last_report_is_the_current_state(steps in steps()) {
        const AGENTS: [&str; 3] = ["sarah", "mike", "lucy"];
        let (presence, cluster, reports) = server();
        let mut connections: Vec<Connection> = Vec::new();
        // An agent is online while any connection is open, once one of them has been accepted.
        let mut is_online = [false; 3];
        for step in steps {
            match step {
                Step::Track(agent_index) => {
                    let guard = Some(presence.track(agent(AGENTS[agent_index])));
                    connections.push(Connection { agent: agent_index, guard, has_ended: false });
                }
                Step::SetOnline(index) | Step::Release(index) | Step::Drop(index) => {
                    let Some(connection) = connections.get_mut(index) else { continue };
                    match (step, &connection.guard) {
                        (Step::SetOnline(_), Some(guard)) => {
                            guard.set_online();
                            is_online[connection.agent] |= !connection.has_ended;
                        }
                        (Step::Release(_), Some(guard)) => {
                            guard.release();
                            connection.has_ended = true;
                        }
                        _ => {
                            connection.guard = None;
                            connection.has_ended = true;
                        }
                    }
                }
            }
            for (index, id) in AGENTS.into_iter().enumerate() {
                is_online[index] &= connections.iter().any(|one| one.agent == index && !one.has_ended);
                let reports = reports.of(id);
                prop_assert_eq!(reports.last().copied().unwrap_or_default(), is_online[index]);
                prop_assert!(reports.windows(2).all(|pair| pair[0] != pair[1]), "nothing is reported twice");
                let online = cluster.agents_online();
                prop_assert_eq!(online.iter().any(|agent| agent.id.as_str() == id), is_online[index]);
            }
        }
    }
}
