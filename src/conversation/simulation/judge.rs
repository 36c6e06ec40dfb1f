//! What is right and wrong at the end of a simulated run.

use switchboard_loadtest::checker;
use switchboard_loadtest::history::{FinalRead, FinalState};

use super::Run;
use super::listeners::message_of;
use super::world::World;
use crate::domain::{Event, Status};

impl World {
    /// Events of this server that were reported failed and are stored: it has published them, though nothing was asked
    /// of it since.
    pub(super) fn check_in_doubt(&mut self) {
        for number in 0..self.servers.len() {
            let server = &self.servers[number];
            let is_stored = |id| self.database.events().iter().find(|event| event.id == id);
            let missing = server
                .in_doubt
                .iter()
                .filter_map(|id| is_stored(*id))
                .find(|event| !server.announced.contains(&event.id))
                .map(|event| event.position);
            if let Some(position) = missing {
                self.fail(format!("server {number} has stored event {position} and does not publish it"));
            }
        }
    }

    /// Gives the history to the checker.
    pub(super) fn judge(mut self) -> Run {
        if self.failures.is_empty() {
            self.record_final_read();
            let verdict = checker::check(&self.clients.history);
            let violations = verdict.violations.iter().map(ToString::to_string);
            self.failures.extend(violations);
        }
        Run { failures: self.failures, trace: self.trace.unwrap_or_default() }
    }

    fn record_final_read(&mut self) {
        let posted: Vec<_> = self.database.events().iter().filter_map(Event::posted).collect();
        let visible = posted.iter().filter_map(|posted| Some((posted.message.seq?, message_of(posted)))).collect();
        let agents = posted.iter().map(|posted| (posted.position, posted.message.seq, message_of(posted))).collect();
        let state = self.database.state().map(|state| FinalState {
            owner: state.assignee.as_ref().and_then(|assignee| self.clients.history.find_person(assignee.id.as_str())),
            closed: state.status == Status::Closed,
            rated: state.rating.is_some(),
        });
        let read = FinalRead { visible, agent_view: Some(agents), state };
        self.clients.history.record_final_read(self.clients.conversation, read);
    }
}
