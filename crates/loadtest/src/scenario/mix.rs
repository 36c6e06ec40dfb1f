//! `mix`: customers and agents with realistic behaviour. A customer opens a conversation, sends messages, waits for the
//! answers, and rates. All agents see it in the queue and claim it; the winner replies, writes notes and closes it, and
//! sometimes asks a colleague to take over, who accepts or rejects. Each account pauses before it writes.

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
/// The number of answers after which an agent closes. Some customers are done by then, and some still write.
const ANSWERS: u32 = 3;
/// A customer waits for an answer this many mean thinking times, and this long in addition.
const PATIENCE_FACTOR: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(2);
/// The probability that a note precedes a reply.
const NOTE_PROBABILITY: f64 = 0.2;
/// The probability that a conversation is handed over when the customer has written again.
const HANDOVER_PROBABILITY: f64 = 0.1;
/// The probability that a colleague accepts.
const ACCEPT_PROBABILITY: f64 = 0.75;

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
            if !run_state.pause(run_state.thinking_time()).await {
                break;
            }
        }
        self.client
    }

    async fn talk(&mut self, conversation: Conversation, id: &str) {
        let run_state = Rc::clone(&self.caller.run_state);
        let spread = f64::from(MESSAGES.end() - MESSAGES.start() + 1);
        let wanted = MESSAGES.start() + (run_state.random() * spread) as u32;
        let closed = Some(ClientEvent::Closed(conversation));
        let mut last = None;
        for _ in 1..wanted {
            last = self.wait_for_answer(conversation).await;
            if last == closed {
                break;
            }
            self.client.command(ClientCommand::Emit("typing", id.to_owned())).await;
            if !run_state.pause(run_state.thinking_time()).await {
                return;
            }
            self.client.command(ClientCommand::Emit("stop_typing", id.to_owned())).await;
            if !matches!(self.caller.send(conversation, id, run_state.now()).await, Outcome::Ok { .. }) {
                break;
            }
        }
        while last != closed {
            last = self.wait_for_answer(conversation).await;
            if last.is_none() {
                return;
            }
        }
        let stars = 1 + (run_state.random() * 5.0) as u8;
        self.caller.rate(conversation, id, stars, run_state.now()).await;
    }

    /// Waits for an agent's message or the close.
    async fn wait_for_answer(&mut self, conversation: Conversation) -> Option<ClientEvent> {
        let run_state = Rc::clone(&self.caller.run_state);
        let awaited = [ClientEvent::Written { conversation, by_customer: false }, ClientEvent::Closed(conversation)];
        let answer = async {
            while let Some(event) = self.client.events.recv().await {
                if awaited.contains(&event) {
                    return Some(event);
                }
            }
            None
        };
        tokio::select! {
            event = tokio::time::timeout(run_state.options.think * PATIENCE_FACTOR + PATIENCE, answer) => event.ok().flatten(),
            () = run_state.over() => None,
        }
    }
}

struct Agent {
    caller: Caller,
    client: Client,
    /// The conversations assigned to this agent, and the number of replies in each.
    assigned: HashMap<Conversation, u32>,
}

impl Agent {
    async fn new(run_state: &Rc<RunState>, account: &Account) -> Result<Self, LoadtestError> {
        let client = Client::start(run_state, account, true).await.map_err(|error| failed("a socket", error))?;
        Ok(Self { caller: Caller::new(run_state, account), client, assigned: HashMap::new() })
    }

    async fn run(mut self) -> Client {
        let run_state = Rc::clone(&self.caller.run_state);
        loop {
            let event = tokio::select! {
                event = self.client.events.recv() => event,
                () = run_state.over() => None,
            };
            match event {
                None => break,
                Some(ClientEvent::Opened(conversation)) => self.opened(conversation).await,
                Some(ClientEvent::Written { conversation, by_customer: true })
                    if self.assigned.contains_key(&conversation) =>
                {
                    self.customer_wrote(conversation).await;
                }
                Some(ClientEvent::Offered { conversation, offer, handover }) => {
                    self.offered(conversation, offer, &handover).await;
                }
                Some(ClientEvent::Answered { conversation, accepted }) if self.assigned.contains_key(&conversation) => {
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
            self.assigned.insert(conversation, 0);
            self.answer(conversation).await;
        } else {
            self.client.command(ClientCommand::Leave(conversation, id)).await;
        }
    }

    /// The customer has written again: replies, or asks a colleague to take over.
    async fn customer_wrote(&mut self, conversation: Conversation) {
        let run_state = Rc::clone(&self.caller.run_state);
        if self.assigned.get(&conversation) == Some(&1)
            && run_state.random() < HANDOVER_PROBABILITY
            && let Some(colleague) = self.colleague()
        {
            let id = run_state.history.borrow()[conversation].label.clone();
            let outcome = self.caller.offer(conversation, &id, colleague, run_state.now()).await;
            if matches!(outcome, Outcome::Ok { .. }) {
                // Continues when the colleague has answered.
                return;
            }
        }
        self.answer(conversation).await;
    }

    /// A random other agent.
    fn colleague(&self) -> Option<Person> {
        let run_state = &self.caller.run_state;
        let agents = run_state.accounts.agents.iter().map(|agent| run_state.person(&agent.name));
        let others: Vec<Person> = agents.filter(|agent| *agent != self.caller.person).collect();
        others.get((run_state.random() * others.len() as f64) as usize).copied()
    }

    /// A colleague asks this agent to take over: joins, and accepts or rejects.
    async fn offered(&mut self, conversation: Conversation, offer: Call, handover: &str) {
        let run_state = Rc::clone(&self.caller.run_state);
        let id = run_state.history.borrow()[conversation].label.clone();
        if !self.client.join(conversation, &id).await || !run_state.pause(run_state.thinking_time() / 2).await {
            return;
        }
        let accept = run_state.random() < ACCEPT_PROBABILITY;
        let outcome = self.caller.respond(conversation, offer, handover, accept, run_state.now()).await;
        if accept && matches!(outcome, Outcome::Ok { .. }) {
            run_state.count("handovers accepted");
            self.assigned.insert(conversation, 1);
            self.answer(conversation).await;
        } else {
            self.client.command(ClientCommand::Leave(conversation, id)).await;
        }
    }

    /// A colleague has answered: leaves the conversation if they accepted, otherwise replies.
    async fn handed_over(&mut self, conversation: Conversation, accepted: bool) {
        if accepted {
            let id = self.caller.run_state.history.borrow()[conversation].label.clone();
            self.assigned.remove(&conversation);
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
        if !run_state.pause(run_state.thinking_time() / 2).await {
            return;
        }
        if run_state.random() < NOTE_PROBABILITY {
            self.caller.reply(conversation, &id, true, run_state.now()).await;
        }
        self.caller.reply(conversation, &id, false, run_state.now()).await;
        let answers = self.assigned.entry(conversation).or_default();
        *answers += 1;
        if *answers >= ANSWERS {
            self.assigned.remove(&conversation);
            self.caller.decide(conversation, &id, Action::Close, run_state.now()).await;
            self.client.command(ClientCommand::Leave(conversation, id)).await;
        }
    }
}
