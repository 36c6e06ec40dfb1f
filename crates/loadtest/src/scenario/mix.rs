//! `mix`: customers and agents as they are. A customer opens a conversation, writes, reads the answers, rates; agents
//! see it in the queue, several want it, one gets it, answers, leaves notes for colleagues, closes it; now and then
//! they offer it to a colleague, who takes it or not. Everybody thinks before they write.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::{Workers, failed, ready};
use crate::LoadtestError;
use crate::accounts::Account;
use crate::client::{Client, ClientCommand};
use crate::event_recorder::ClientEvent;
use crate::history::{Action, Call, Conversation, Outcome, Person};
use crate::rest_actions::Caller;
use crate::run_state::{Pace, World};

/// Messages that a customer writes into one conversation, the first one included.
const MESSAGES: std::ops::RangeInclusive<u32> = 3..=6;
/// Answers behind which an agent closes: some customers are done by then, some are in the middle of a message.
const ANSWERS: u32 = 3;
/// A customer waits for an answer as long as they think, so many times, and a little.
const THOUGHTS: u32 = 10;
const A_LITTLE: Duration = Duration::from_secs(2);
/// Of ten answers so many come with a note.
const NOTES: f64 = 0.2;
/// Of ten conversations one is offered to a colleague, when the customer has written again.
const HANDOVERS: f64 = 0.1;
/// Of four offers a colleague takes three.
const ACCEPTED: f64 = 0.75;

pub(super) async fn start(world: &Rc<World>) -> Result<Workers, LoadtestError> {
    // Agents first: whoever is not there yet does not see what is opened.
    let agents = ready(world.people.agents.iter().map(|account| Agent::new(world, account).boxed_local())).await?;
    let customers =
        ready(world.people.customers.iter().map(|account| Customer::new(world, account).boxed_local())).await?;
    let mut crew = Workers::default();
    agents.into_iter().for_each(|agent| crew.work_and_stay(agent.run()));
    let count = customers.len();
    for (number, customer) in customers.into_iter().enumerate() {
        crew.work_and_stay(customer.run(Pace::of(world, number, count)));
    }
    Ok(crew)
}

struct Customer {
    caller: Caller,
    client: Client,
}

impl Customer {
    async fn new(world: &Rc<World>, account: &Account) -> Result<Self, LoadtestError> {
        let client = Client::start(world, account, true).await.map_err(|error| failed("a socket", error))?;
        Ok(Self { caller: Caller::new(world, account), client })
    }

    async fn run(mut self, mut pace: Pace) -> Client {
        let world = Rc::clone(&self.caller.world);
        while let Some(due) = pace.next(&world).await {
            if let Some((conversation, id)) = self.caller.open(due).await {
                self.client.join(conversation, &id).await;
                self.talk(conversation, &id).await;
                if !world.is_over() {
                    self.client.wish(ClientCommand::Leave(conversation, id)).await;
                }
            }
            if !world.pause(world.thinking()).await {
                break;
            }
        }
        self.client
    }

    async fn talk(&mut self, conversation: Conversation, id: &str) {
        let world = Rc::clone(&self.caller.world);
        let spread = f64::from(MESSAGES.end() - MESSAGES.start() + 1);
        let wanted = MESSAGES.start() + (world.chance() * spread) as u32;
        let closed = Some(ClientEvent::Closed(conversation));
        let mut last = None;
        for _ in 1..wanted {
            last = self.answered(conversation).await;
            if last == closed {
                break;
            }
            self.client.wish(ClientCommand::Emit("typing", id.to_owned())).await;
            if !world.pause(world.thinking()).await {
                return;
            }
            self.client.wish(ClientCommand::Emit("stop_typing", id.to_owned())).await;
            if !matches!(self.caller.send(conversation, id, world.now()).await, Outcome::Ok { .. }) {
                break;
            }
        }
        while last != closed {
            last = self.answered(conversation).await;
            if last.is_none() {
                return;
            }
        }
        let stars = 1 + (world.chance() * 5.0) as u8;
        self.caller.rate(conversation, id, stars, world.now()).await;
    }

    /// Waits for an agent's message or the close.
    async fn answered(&mut self, conversation: Conversation) -> Option<ClientEvent> {
        let world = Rc::clone(&self.caller.world);
        let awaited = [ClientEvent::Written { conversation, by_customer: false }, ClientEvent::Closed(conversation)];
        let coming = async {
            while let Some(news) = self.client.news.recv().await {
                if awaited.contains(&news) {
                    return Some(news);
                }
            }
            None
        };
        tokio::select! {
            news = tokio::time::timeout(world.plan.think * THOUGHTS + A_LITTLE, coming) => news.ok().flatten(),
            () = world.over() => None,
        }
    }
}

struct Agent {
    caller: Caller,
    client: Client,
    /// Whose they are, and how often they were answered.
    mine: HashMap<Conversation, u32>,
}

impl Agent {
    async fn new(world: &Rc<World>, account: &Account) -> Result<Self, LoadtestError> {
        let client = Client::start(world, account, true).await.map_err(|error| failed("a socket", error))?;
        Ok(Self { caller: Caller::new(world, account), client, mine: HashMap::new() })
    }

    async fn run(mut self) -> Client {
        let world = Rc::clone(&self.caller.world);
        loop {
            let news = tokio::select! {
                news = self.client.news.recv() => news,
                () = world.over() => None,
            };
            match news {
                None => break,
                Some(ClientEvent::Opened(conversation)) => self.opened(conversation).await,
                Some(ClientEvent::Written { conversation, by_customer: true })
                    if self.mine.contains_key(&conversation) =>
                {
                    self.answered(conversation).await;
                }
                Some(ClientEvent::Offered { conversation, offer, handover }) => {
                    self.offered(conversation, offer, &handover).await;
                }
                Some(ClientEvent::Answered { conversation, accepted }) if self.mine.contains_key(&conversation) => {
                    self.handed_over(conversation, accepted).await;
                }
                Some(_) => {}
            }
        }
        self.client
    }

    /// Sees it in the queue: opens it, and claims it if nobody was faster.
    async fn opened(&mut self, conversation: Conversation) {
        let world = Rc::clone(&self.caller.world);
        let id = world.history.borrow()[conversation].label.clone();
        if !self.client.join(conversation, &id).await {
            return;
        }
        // Colleagues who look at the queue want it at about the same moment.
        let outcome = self.caller.decide(conversation, &id, Action::Claim, world.now()).await;
        if matches!(outcome, Outcome::Ok { .. }) {
            self.mine.insert(conversation, 0);
            self.answer(conversation).await;
        } else {
            self.client.wish(ClientCommand::Leave(conversation, id)).await;
        }
    }

    /// The customer has written again: they are answered, or a colleague is asked to.
    async fn answered(&mut self, conversation: Conversation) {
        let world = Rc::clone(&self.caller.world);
        if self.mine.get(&conversation) == Some(&1)
            && world.chance() < HANDOVERS
            && let Some(colleague) = self.colleague()
        {
            let id = world.history.borrow()[conversation].label.clone();
            let outcome = self.caller.offer(conversation, &id, colleague, world.now()).await;
            if matches!(outcome, Outcome::Ok { .. }) {
                // It goes on when the colleague has answered.
                return;
            }
        }
        self.answer(conversation).await;
    }

    /// Any of the others.
    fn colleague(&self) -> Option<Person> {
        let world = &self.caller.world;
        let agents = world.people.agents.iter().map(|agent| world.person(&agent.name));
        let others: Vec<Person> = agents.filter(|agent| *agent != self.caller.person).collect();
        others.get((world.chance() * others.len() as f64) as usize).copied()
    }

    /// A colleague offers one: it is looked at, and taken or not.
    async fn offered(&mut self, conversation: Conversation, offer: Call, handover: &str) {
        let world = Rc::clone(&self.caller.world);
        let id = world.history.borrow()[conversation].label.clone();
        if !self.client.join(conversation, &id).await || !world.pause(world.thinking() / 2).await {
            return;
        }
        let accept = world.chance() < ACCEPTED;
        let outcome = self.caller.respond(conversation, offer, handover, accept, world.now()).await;
        if accept && matches!(outcome, Outcome::Ok { .. }) {
            world.count("handovers accepted");
            self.mine.insert(conversation, 1);
            self.answer(conversation).await;
        } else {
            self.client.wish(ClientCommand::Leave(conversation, id)).await;
        }
    }

    /// A colleague has answered: it is theirs, or it goes on here.
    async fn handed_over(&mut self, conversation: Conversation, accepted: bool) {
        if accepted {
            let id = self.caller.world.history.borrow()[conversation].label.clone();
            self.mine.remove(&conversation);
            self.client.wish(ClientCommand::Leave(conversation, id)).await;
        } else {
            self.caller.world.count("handovers rejected");
            self.answer(conversation).await;
        }
    }

    async fn answer(&mut self, conversation: Conversation) {
        let world = Rc::clone(&self.caller.world);
        let id = world.history.borrow()[conversation].label.clone();
        self.client.wish(ClientCommand::Emit("typing", id.clone())).await;
        if !world.pause(world.thinking() / 2).await {
            return;
        }
        if world.chance() < NOTES {
            self.caller.reply(conversation, &id, true, world.now()).await;
        }
        self.caller.reply(conversation, &id, false, world.now()).await;
        let answers = self.mine.entry(conversation).or_default();
        *answers += 1;
        if *answers >= ANSWERS {
            self.mine.remove(&conversation);
            self.caller.decide(conversation, &id, Action::Close, world.now()).await;
            self.client.wish(ClientCommand::Leave(conversation, id)).await;
        }
    }
}
