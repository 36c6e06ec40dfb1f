//! Everybody's screens: two for each conversation, its customer's and an agent's, each at one of the servers.

use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::listening::Screen;
use super::people;
use super::run::Scene;

/// See the module.
#[derive(Default)]
pub(crate) struct Screens {
    followed: usize,
    tasks: Vec<JoinHandle<()>>,
}

impl Screens {
    pub(crate) async fn follow(&mut self, scene: &Scene<'_>) {
        loop {
            self.look(scene);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Opens screens for conversations that are new.
    pub(crate) fn look(&mut self, scene: &Scene<'_>) {
        let known = scene.world.known.borrow().clone();
        for (conversation, id, owner) in known.iter().skip(self.followed) {
            let of_it = scene.accounts.iter().filter(|account| {
                account.person == *owner
                    || (account.is_agent
                        && account.person.0 as usize % people::AGENTS == self.followed % people::AGENTS)
            });
            for account in of_it {
                let screen = Screen {
                    world: Rc::clone(&scene.world),
                    account: account.clone(),
                    conversation: *conversation,
                    id: id.clone(),
                    at: scene.world.pick(&scene.servers).proxy.address,
                };
                self.tasks.push(tokio::task::spawn_local(screen.watch()));
            }
            self.followed += 1;
        }
    }

    pub(crate) fn close(&mut self) {
        self.tasks.drain(..).for_each(|task| task.abort());
    }
}
