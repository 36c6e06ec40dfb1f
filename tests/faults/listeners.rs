//! The sockets that follow the conversations of a run: for each conversation its customer's and one agent's, each on one
//! of the servers.

use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::deployment::Deployment;
use super::listener::ConversationListener;
use super::participants::AGENTS;

/// The listeners of all conversations so far.
#[derive(Default)]
pub(crate) struct Listeners {
    followed: usize,
    tasks: Vec<JoinHandle<()>>,
}

impl Listeners {
    /// Follows every new conversation, until dropped.
    pub(crate) async fn follow(&mut self, deployment: &Deployment<'_>) {
        loop {
            self.follow_new(deployment);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Follows the conversations that are new.
    pub(crate) fn follow_new(&mut self, deployment: &Deployment<'_>) {
        let conversations = deployment.state.conversations.borrow().clone();
        for (conversation, id, owner) in conversations.iter().skip(self.followed) {
            let followers = deployment.participants.iter().filter(|participant| {
                participant.person == *owner
                    || (participant.is_agent && participant.person.0 as usize % AGENTS == self.followed % AGENTS)
            });
            for participant in followers {
                let listener = ConversationListener {
                    state: Rc::clone(&deployment.state),
                    participant: participant.clone(),
                    conversation: *conversation,
                    id: id.clone(),
                    address: deployment.state.pick(&deployment.servers).proxy.address(),
                };
                self.tasks.push(tokio::task::spawn_local(listener.run()));
            }
            self.followed += 1;
        }
    }

    /// Ends all of them.
    pub(crate) fn close(&mut self) {
        self.tasks.drain(..).for_each(|task| task.abort());
    }
}
