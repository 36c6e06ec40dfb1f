//! What is stored when all is well again, for the checker to compare.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use switchboard_loadtest::history::{Action, Conversation, Elapsed, FinalRead, FinalState, Message, Outcome};

use super::people::CUSTOMERS;
use super::rest_actions::{Caller, MINE, QUEUE};
use super::run_state::World;

/// The most that the server gives at once.
const PAGE: usize = 200;
/// How long somebody who still misses something is waited for.
const PATIENCE: Duration = Duration::from_secs(6);

/// Waits until every screen shows what it is due, or for a good while: the checker says what is missing then.
pub(crate) async fn settle(world: &Rc<World>) {
    let until = tokio::time::Instant::now() + PATIENCE;
    while !everybody_is_up_to_date(world) && tokio::time::Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What is doubled comes behind what is due, and nothing comes behind that: the sockets' next ping shows that
    // nothing is on its way, but takes a second of every run. Too short a time hides a finding at most; it makes none.
    tokio::time::sleep(Duration::from_millis(200)).await;
}

fn everybody_is_up_to_date(world: &World) -> bool {
    let (history, blind) = (world.history.borrow(), world.blind.borrow());
    history.conversations().all(|(_, record)| {
        let places = record.calls.iter().filter_map(|call| match history[*call].outcome {
            Outcome::Ok { seq } => seq,
            _ => None,
        });
        let highest = places.max().unwrap_or(0);
        record.listeners.iter().all(|listener| {
            let latest = history[*listener].latest();
            // Who asked for nothing that was before may be due nothing.
            let is_due_nothing = latest == 0 && blind.contains(listener);
            let session = history[*listener].sessions.last();
            session.is_some_and(|session| session.ended.is_none() && session.joined != Elapsed::NEVER)
                && (is_due_nothing || latest >= highest)
        })
    })
}

/// Reads every conversation as its customer and as an agent see it, and writes it into the history.
pub(crate) async fn read(world: &Rc<World>, callers: &[Caller], agent: &Caller) {
    let known = world.known.borrow().clone();
    for (conversation, id, owner) in known {
        let customer = callers.iter().find(|caller| caller.person == owner).unwrap();
        let stored = read_one(world, customer, agent, &id).await;
        store(world, conversation, stored);
    }
}

fn store(world: &World, conversation: Conversation, stored: FinalRead) {
    world.history.borrow_mut().record_final_read(conversation, stored);
}

async fn read_one(world: &World, customer: &Caller, agent: &Caller, id: &str) -> FinalRead {
    let visible = pages(world, customer, &format!("{MINE}/{id}"), "seq").await;
    let whole = pages(world, agent, &format!("{QUEUE}/{id}"), "position").await;
    let detail = agent.read(&format!("{QUEUE}/{id}?limit=1")).await;
    let data = &detail["data"];
    let owner = data["assigned_to"].as_str().map(|name| world.history.borrow().find_person(name).unwrap());
    let state = FinalState { owner, closed: data["status"] == "closed", rated: !data["satisfaction_rating"].is_null() };
    FinalRead {
        visible: visible.into_iter().map(|(_, seq, message)| (seq.unwrap_or(0), message)).collect(),
        agent_view: Some(whole),
        state: Some(state),
    }
}

/// All messages, page by page behind the last `key`.
async fn pages(world: &World, reader: &Caller, path: &str, key: &str) -> Vec<(i64, Option<i64>, Message)> {
    let (mut all, mut known) = (Vec::new(), 0);
    loop {
        let answer = reader.read(&format!("{path}?after_{key}={known}&limit={PAGE}")).await;
        let data = &answer["data"];
        let nothing = Vec::new();
        let page: &Vec<Value> =
            data["conversation"]["messages"].as_array().or(data["messages"].as_array()).unwrap_or(&nothing);
        for message in page {
            known = known.max(message[key].as_i64().unwrap_or(0));
            let said = world.message(message["message"].as_str().unwrap_or_default());
            all.push((message["position"].as_i64().unwrap_or(0), message["seq"].as_i64(), said));
        }
        if page.len() < PAGE {
            return all;
        }
    }
}

/// A first message that was repeated has made one conversation: what a customer's list has and nobody knows was begun
/// by a call whose outcome nobody knows, each by another.
pub(crate) async fn no_conversation_twice(world: &World, readers: &[Caller]) {
    for reader in readers.iter().take(CUSTOMERS) {
        let list = reader.read(&format!("{MINE}?limit=100")).await;
        let listed = list["data"]["conversations"].as_array().cloned().unwrap_or_default();
        let ids: Vec<&str> = listed.iter().filter_map(|listed| listed["id"].as_str()).collect();
        let known = world.conversations(Some(reader.person));
        for (_, id) in &known {
            if !ids.contains(&id.as_str()) {
                world.is_odd(format!("conversation {id} is not in its customer's list"));
            }
        }
        let mut begun = Vec::new();
        for id in ids.into_iter().filter(|id| known.iter().all(|(_, known)| known != id)) {
            let whole = readers.last().unwrap().read(&format!("{QUEUE}/{id}?after_position=0&limit=1")).await;
            let data = &whole["data"];
            let messages = data["conversation"]["messages"].as_array().or(data["messages"].as_array()).unwrap();
            let first = world.message(messages[0]["message"].as_str().unwrap());
            let history = world.history.borrow();
            let is_unknown = matches!(first, Message::Of(call)
                if history[call].action == Action::Open && history[call].outcome == Outcome::Unknown);
            if !is_unknown || begun.contains(&first) {
                world.is_odd(format!("{first:?} has begun a second conversation, {id}"));
            }
            begun.push(first);
        }
    }
}
