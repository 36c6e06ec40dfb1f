//! The customers and agents of a run, and what they do until it is over.

use std::rc::Rc;

use switchboard_loadtest::history::{Action, Outcome, Person, RefusalKind};
use switchboard_testkit::TestUser;

use super::rest_client::RestClient;
use super::run_state::RunState;

pub(crate) const CUSTOMERS: usize = 3;
pub(crate) const AGENTS: usize = 3;

/// A customer or an agent.
#[derive(Clone, Debug)]
pub(crate) struct Participant {
    pub(crate) person: Person,
    pub(crate) is_agent: bool,
    pub(crate) token: String,
}

/// All participants, customers first.
pub(crate) fn create_all(state: &RunState) -> Vec<Participant> {
    let customers = (0..CUSTOMERS).map(|number| create(state, &format!("customer-{number}"), false));
    let agents = (0..AGENTS).map(|number| create(state, &format!("agent-{number}"), true));
    customers.chain(agents).collect()
}

fn create(state: &RunState, name: &str, is_agent: bool) -> Participant {
    let person = state.history.borrow_mut().add_person(name, is_agent);
    let user = TestUser::with_role(name, if is_agent { "admin" } else { "user" }, name, "Test");
    Participant { person, is_agent, token: user.token }
}

/// A customer writes into their conversations, opens a new one when they are closed, and rates the closed ones.
pub(crate) async fn act_as_customer(client: RestClient) {
    let state = Rc::clone(&client.state);
    let mut closed = Vec::new();
    while !state.is_over() {
        let mut open = state.conversations_of(Some(client.person));
        open.retain(|(conversation, _)| !closed.contains(conversation));
        if open.is_empty() || (open.len() < 2 && state.random_in(0..20) == 0) {
            client.open().await;
        } else {
            let (conversation, id) = state.pick(&open).clone();
            if client.send(conversation, &id).await == Outcome::Refused(RefusalKind::Closed) {
                closed.push(conversation);
                client.decide(conversation, &id, Action::Rate).await;
            }
        }
        state.pause(0..30).await;
    }
}

/// An agent replies, writes notes, claims, hands over and closes.
pub(crate) async fn act_as_agent(client: RestClient, colleagues: Vec<Person>) {
    let state = Rc::clone(&client.state);
    while !state.is_over() {
        state.pause(0..30).await;
        if answer_handover(&client).await {
            continue;
        }
        let conversations = state.conversations_of(None);
        // The newest ones: older ones are mostly closed, where most actions are refused.
        let first = conversations.len().saturating_sub(CUSTOMERS * 2);
        let Some(newest) = conversations.get(first..).filter(|newest| !newest.is_empty()) else { continue };
        let (conversation, id) = state.pick(newest).clone();
        match state.random_in(0..100) {
            0..45 => client.reply(conversation, &id, false).await,
            45..65 => client.reply(conversation, &id, true).await,
            65..85 => client.decide(conversation, &id, Action::Claim).await,
            85..96 => client.request_handover(conversation, &id, *state.pick(&colleagues)).await,
            _ => client.decide(conversation, &id, Action::Close).await,
        };
    }
}

/// Answers a handover to this agent. Returns whether there was one.
async fn answer_handover(client: &RestClient) -> bool {
    let state = &client.state;
    let handover = {
        let mut pending = state.pending_handovers.borrow_mut();
        let index = pending.iter().position(|(.., target)| *target == client.person);
        index.map(|index| pending.remove(index))
    };
    let Some((conversation, call, id, _)) = handover else { return false };
    client.answer_handover(conversation, call, &id, state.random_in(0..3) > 0).await;
    true
}
