//! Whoever listens always knows the truth, whatever comes and goes in whatever order, on however many threads.

use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;

use super::{Alone, Cluster, Presence, PresenceGuard, PresenceListener};
use crate::testing::agent;

/// Everything that was told.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<(String, bool)>>);

impl PresenceListener for Told {
    fn agent_presence(&self, agent: &crate::domain::Agent, is_online: bool) {
        self.0.lock().push((agent.id.to_string(), is_online));
    }
}

impl Told {
    fn of(&self, id: &str) -> Vec<bool> {
        self.0.lock().iter().filter(|(told, _)| told == id).map(|(_, online)| *online).collect()
    }
}

fn server() -> (Presence, Arc<Alone>, Arc<Told>) {
    let told = Arc::new(Told::default());
    let cluster = Arc::new(Alone::new(Arc::clone(&told) as Arc<dyn PresenceListener>));
    (Presence::new(Arc::clone(&cluster) as Arc<dyn Cluster>), cluster, told)
}

#[test]
fn an_agent_is_there_from_the_first_socket_let_in_to_the_last_one_gone() {
    let (presence, cluster, told) = server();
    let first = presence.arrive(agent("sarah"));
    assert!(cluster.agents_online().is_empty(), "not let in yet");
    first.begin();
    let second = presence.arrive(agent("sarah"));
    second.begin();
    first.end();
    assert_eq!(cluster.agents_online(), [agent("sarah")]);
    second.end();
    second.end();
    drop((first, second));
    assert!(cluster.agents_online().is_empty());
    assert_eq!(told.of("sarah"), [true, false]);
}

#[test]
fn a_connection_that_takes_the_old_one_over_goes_unnoticed() {
    let (presence, _, told) = server();
    let old = presence.arrive(agent("sarah"));
    old.begin();
    let new = presence.arrive(agent("sarah"));
    old.end();
    new.begin();
    assert_eq!(told.of("sarah"), [true]);
}

#[test]
fn who_is_not_let_in_was_never_there() {
    let (presence, _, told) = server();
    drop(presence.arrive(agent("sarah")));
    assert_eq!(told.of("sarah"), [false; 0]);
}

#[test]
fn threads_that_come_and_go_at_once_leave_the_truth_behind() {
    let (presence, cluster, told) = server();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let stay = presence.arrive(agent("sarah"));
                    stay.begin();
                }
            });
        }
    });
    assert!(cluster.agents_online().is_empty());
    let told = told.of("sarah");
    assert!(told.chunks(2).all(|pair| pair == [true, false]), "online and offline take turns, and offline is last");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive(usize),
    Begin(usize),
    End(usize),
    Forget(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..3_usize).prop_map(Step::Arrive),
        (0..20_usize).prop_map(Step::Begin),
        (0..20_usize).prop_map(Step::End),
        (0..20_usize).prop_map(Step::Forget),
    ];
    prop::collection::vec(step, 0..100)
}

/// A connection as the model sees it.
struct Connection {
    whose: usize,
    stay: Option<PresenceGuard>,
    has_ended: bool,
}

proptest! {
    #[test]
    fn what_was_told_is_what_is(steps in steps()) {
        const AGENTS: [&str; 3] = ["sarah", "mike", "lucy"];
        let (presence, cluster, told) = server();
        let mut connections: Vec<Connection> = Vec::new();
        // An agent is there while a connection is, if since none was one has been let in.
        let mut is_there = [false; 3];
        for step in steps {
            match step {
                Step::Arrive(whose) => {
                    let stay = Some(presence.arrive(agent(AGENTS[whose])));
                    connections.push(Connection { whose, stay, has_ended: false });
                }
                Step::Begin(index) | Step::End(index) | Step::Forget(index) => {
                    let Some(connection) = connections.get_mut(index) else { continue };
                    match (step, &connection.stay) {
                        (Step::Begin(_), Some(stay)) => {
                            stay.begin();
                            is_there[connection.whose] |= !connection.has_ended;
                        }
                        (Step::End(_), Some(stay)) => {
                            stay.end();
                            connection.has_ended = true;
                        }
                        _ => {
                            connection.stay = None;
                            connection.has_ended = true;
                        }
                    }
                }
            }
            for (whose, id) in AGENTS.into_iter().enumerate() {
                is_there[whose] &= connections.iter().any(|one| one.whose == whose && !one.has_ended);
                let told = told.of(id);
                prop_assert_eq!(told.last().copied().unwrap_or_default(), is_there[whose]);
                prop_assert!(told.iter().zip(told.iter().skip(1)).all(|(one, next)| one != next), "nothing told twice");
                let online = cluster.agents_online();
                prop_assert_eq!(online.iter().any(|agent| agent.id.as_str() == id), is_there[whose]);
            }
        }
    }
}
