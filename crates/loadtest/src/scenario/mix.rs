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
use crate::run_state::{Pace, RunState};

/// Messages that a customer writes into one conversation, the first one included.
const MESSAGES: std::ops::RangeInclusive<u32> = 3..=6;
/// The number of answers after which an agent closes. By then some customers are done, and some are still writing.
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

pub(super) async fn start(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    // Agents first: one that connects later does not see the conversations that are opened before.
    let agents =
        ready(run_state.accounts.agents.iter().map(|account| Agent::new(run_state, account).boxed_local())).await?;
    let customers =
        ready(run_state.accounts.customers.iter().map(|account| Customer::new(run_state, account).boxed_local()))
            .await?;
    let mut workers = Workers::default();
    agents.into_iter().for_each(|agent| workers.work_and_stay(agent.run()));
    let count = customers.len();
    for (number, customer) in customers.into_iter().enumerate() {
        workers.work_and_stay(customer.run(Pace::of(run_state, number, count)));
    }
    Ok(workers)
}

struct Customer {
    caller: Caller,
    client: Client,
}

impl Customer {
    async fn new(run_state: &Rc<RunState>, account: &Account) -> Result<Self, LoadtestError> {
        let client = Client::start(run_state, account, true).await.map_err(|error| failed("a socket", error))?;
        Ok(Self { caller: Caller::new(run_state, account), client })
    }

    async fn run(mut self, mut pace: Pace) -> Client {
        let run_state = Rc::clone(&self.caller.run_state);
        while let Some(due) = pace.next(&run_state).await {
            if let Some((conversation, id)) = self.caller.open(due).await {
                self.client.join(conversation, &id).await;
                self.talk(conversation, &id).await;
                if !run_state.is_over() {
                    self.client.command(ClientCommand::Leave(conversation, id)).await;
                }
            }
            if !run_state.pause(run_state.thinking()).await {
                break;
            }
        }
        self.client
    }

    async fn talk(&mut self, conversation: Conversation, id: &str) {
        let run_state = Rc::clone(&self.caller.run_state);
        let spread = f64::from(MESSAGES.end() - MESSAGES.start() + 1);
        let wanted = MESSAGES.start() + (run_state.chance() * spread) as u32;
        let closed = Some(ClientEvent::Closed(conversation));
        let mut last = None;
        for _ in 1..wanted {
            last = self.answered(conversation).await;
            if last == closed {
                break;
            }
            self.client.command(ClientCommand::Emit("typing", id.to_owned())).await;
            if !run_state.pause(run_state.thinking()).await {
                return;
            }
            self.client.command(ClientCommand::Emit("stop_typing", id.to_owned())).await;
            if !matches!(self.caller.send(conversation, id, run_state.now()).await, Outcome::Ok { .. }) {
                break;
            }
        }
        while last != closed {
            last = self.answered(conversation).await;
            if last.is_none() {
                return;
            }
        }
        let stars = 1 + (run_state.chance() * 5.0) as u8;
        self.caller.rate(conversation, id, stars, run_state.now()).await;
    }

    /// Waits for an agent's message or the close.
    async fn answered(&mut self, conversation: Conversation) -> Option<ClientEvent> {
        let run_state = Rc::clone(&self.caller.run_state);
        let awaited = [ClientEvent::Written { conversation, by_customer: false }, ClientEvent::Closed(conversation)];
        let coming = async {
            while let Some(events) = self.client.events.recv().await {
                if awaited.contains(&events) {
                    return Some(events);
                }
            }
            None
        };
        tokio::select! {
            events = tokio::time::timeout(run_state.options.think * THOUGHTS + A_LITTLE, coming) => events.ok().flatten(),
            () = run_state.over() => None,
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
    async fn new(run_state: &Rc<RunState>, account: &Account) -> Result<Self, LoadtestError> {
        let client = Client::start(run_state, account, true).await.map_err(|error| failed("a socket", error))?;
        Ok(Self { caller: Caller::new(run_state, account), client, mine: HashMap::new() })
    }

    async fn run(mut self) -> Client {
        let run_state = Rc::clone(&self.caller.run_state);
        loop {
            let events = tokio::select! {
                events = self.client.events.recv() => events,
                () = run_state.over() => None,
            };
            match events {
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

    /// A conversation appears in the queue: joins and claims it.
    async fn opened(&mut self, conversation: Conversation) {
        let run_state = Rc::clone(&self.caller.run_state);
        let id = run_state.history.borrow()[conversation].label.clone();
        if !self.client.join(conversation, &id).await {
            return;
        }
        // All agents are notified at about the same time, so claims race.
        let outcome = self.caller.decide(conversation, &id, Action::Claim, run_state.now()).await;
        if matches!(outcome, Outcome::Ok { .. }) {
            self.mine.insert(conversation, 0);
            self.answer(conversation).await;
        } else {
            self.client.command(ClientCommand::Leave(conversation, id)).await;
        }
    }

    /// The customer has written again: they are answered, or a colleague is asked to.
    async fn answered(&mut self, conversation: Conversation) {
        let run_state = Rc::clone(&self.caller.run_state);
        if self.mine.get(&conversation) == Some(&1)
            && run_state.chance() < HANDOVERS
            && let Some(colleague) = self.colleague()
        {
            let id = run_state.history.borrow()[conversation].label.clone();
            let outcome = self.caller.offer(conversation, &id, colleague, run_state.now()).await;
            if matches!(outcome, Outcome::Ok { .. }) {
                // It goes on when the colleague has answered.
                return;
            }
        }
        self.answer(conversation).await;
    }

    /// Any of the others.
    fn colleague(&self) -> Option<Person> {
        let run_state = &self.caller.run_state;
        let agents = run_state.accounts.agents.iter().map(|agent| run_state.person(&agent.name));
        let others: Vec<Person> = agents.filter(|agent| *agent != self.caller.person).collect();
        others.get((run_state.chance() * others.len() as f64) as usize).copied()
    }

    /// A colleague offers one: it is looked at, and taken or not.
    async fn offered(&mut self, conversation: Conversation, offer: Call, handover: &str) {
        let run_state = Rc::clone(&self.caller.run_state);
        let id = run_state.history.borrow()[conversation].label.clone();
        if !self.client.join(conversation, &id).await || !run_state.pause(run_state.thinking() / 2).await {
            return;
        }
        let accept = run_state.chance() < ACCEPTED;
        let outcome = self.caller.respond(conversation, offer, handover, accept, run_state.now()).await;
        if accept && matches!(outcome, Outcome::Ok { .. }) {
            run_state.count("handovers accepted");
            self.mine.insert(conversation, 1);
            self.answer(conversation).await;
        } else {
            self.client.command(ClientCommand::Leave(conversation, id)).await;
        }
    }

    /// A colleague has answered: it is theirs, or it goes on here.
    async fn handed_over(&mut self, conversation: Conversation, accepted: bool) {
        if accepted {
            let id = self.caller.run_state.history.borrow()[conversation].label.clone();
            self.mine.remove(&conversation);
            self.client.command(ClientCommand::Leave(conversation, id)).await;
        } else {
            self.caller.run_state.count("handovers rejected");
            self.answer(conversation).await;
        }
    }

    async fn answer(&mut self, conversation: Conversation) {
        let run_state = Rc::clone(&self.caller.run_state);
        let id = run_state.history.borrow()[conversation].label.clone();
        self.client.command(ClientCommand::Emit("typing", id.clone())).await;
        if !run_state.pause(run_state.thinking() / 2).await {
            return;
        }
        if run_state.chance() < NOTES {
            self.caller.reply(conversation, &id, true, run_state.now()).await;
        }
        self.caller.reply(conversation, &id, false, run_state.now()).await;
        let answers = self.mine.entry(conversation).or_default();
        *answers += 1;
        if *answers >= ANSWERS {
            self.mine.remove(&conversation);
            self.caller.decide(conversation, &id, Action::Close, run_state.now()).await;
            self.client.command(ClientCommand::Leave(conversation, id)).await;
        }
    }
}
