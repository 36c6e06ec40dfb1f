//! Reads back what is stored after the faults have ended, for the checker to compare.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use switchboard_loadtest::history::{Action, Conversation, Elapsed, FinalRead, FinalState, Message, Outcome};
use switchboard_testkit::paths::{MY_CONVERSATIONS, QUEUE};
use switchboard_testkit::read_messages;

use super::participants::CUSTOMERS;
use super::rest_client::RestClient;
use super::run_state::RunState;

/// How long a listener may take to receive what it is due.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(6);
/// How long listeners stay connected after they have received what they are due, so that a duplicate shows.
///
/// A fixed time is safe here: if it is too short, a duplicate goes unnoticed in this run, but no correct run fails.
const DUPLICATE_WINDOW: Duration = Duration::from_millis(200);

/// Waits until every listener has received what it is due. After a timeout the checker reports what is missing.
pub(crate) async fn settle(state: &RunState) {
    let deadline = tokio::time::Instant::now() + DELIVERY_TIMEOUT;
    while !all_are_up_to_date(state) && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(DUPLICATE_WINDOW).await;
}

fn all_are_up_to_date(state: &RunState) -> bool {
    let (history, without_backlog) = (state.history.borrow(), state.without_backlog.borrow());
    history.conversations().all(|(_, record)| {
        let seqs = record.calls.iter().filter_map(|call| match history[*call].outcome {
            Outcome::Ok { seq } => seq,
            _ => None,
        });
        let highest = seqs.max().unwrap_or(0);
        record.listeners.iter().all(|listener| {
            let latest = history[*listener].latest();
            let is_due_nothing = latest == 0 && without_backlog.contains(listener);
            let session = history[*listener].sessions.last();
            session.is_some_and(|session| session.ended.is_none() && session.joined != Elapsed::NEVER)
                && (is_due_nothing || latest >= highest)
        })
    })
}

/// Reads every conversation as its customer and as an agent, and records it in the history.
pub(crate) async fn read_all(state: &Rc<RunState>, clients: &[RestClient], agent: &RestClient) {
    let conversations = state.conversations.borrow().clone();
    for (conversation, id, owner) in conversations {
        let customer = clients.iter().find(|client| client.person == owner).unwrap();
        let stored = read(state, customer, agent, &id).await;
        record(state, conversation, stored);
    }
}

fn record(state: &RunState, conversation: Conversation, stored: FinalRead) {
    state.history.borrow_mut().record_final_read(conversation, stored);
}

async fn read(state: &RunState, customer: &RestClient, agent: &RestClient, id: &str) -> FinalRead {
    let visible =
        read_messages(async |path| customer.read(&path).await, &format!("{MY_CONVERSATIONS}/{id}"), "seq").await;
    let all = read_messages(async |path| agent.read(&path).await, &format!("{QUEUE}/{id}"), "position").await;
    let detail = agent.read(&format!("{QUEUE}/{id}?limit=1")).await;
    let data = &detail["data"];
    let owner = data["assigned_to"].as_str().map(|name| state.history.borrow().find_person(name).unwrap());
    let text = |message: &Value| state.message(message["message"].as_str().unwrap_or_default());
    FinalRead {
        visible: visible.iter().map(|message| (message["seq"].as_i64().unwrap_or(0), text(message))).collect(),
        agent_view: Some(
            all.iter()
                .map(|message| (message["position"].as_i64().unwrap_or(0), message["seq"].as_i64(), text(message)))
                .collect(),
        ),
        state: Some(FinalState {
            owner,
            closed: data["status"] == "closed",
            rated: !data["satisfaction_rating"].is_null(),
        }),
    }
}

/// Reports a conversation that was opened twice, or is missing in its customer's list.
///
/// A conversation in the list whose id no answer has returned was opened by a call of unknown outcome, each by another.
pub(crate) async fn check_lists(state: &RunState, clients: &[RestClient]) {
    for client in clients.iter().take(CUSTOMERS) {
        let list = client.read(&format!("{MY_CONVERSATIONS}?limit=100")).await;
        let listed = list["data"]["conversations"].as_array().cloned().unwrap_or_default();
        let ids: Vec<&str> = listed.iter().filter_map(|row| row["id"].as_str()).collect();
        let known = state.conversations_of(Some(client.person));
        for (_, id) in &known {
            if !ids.contains(&id.as_str()) {
                state.report_anomaly(format!("conversation {id} is not in its customer's list"));
            }
        }
        let mut openers = Vec::new();
        for id in ids.into_iter().filter(|id| known.iter().all(|(_, known)| known != id)) {
            let detail = clients.last().unwrap().read(&format!("{QUEUE}/{id}?after_position=0&limit=1")).await;
            let data = &detail["data"];
            let messages = data["conversation"]["messages"].as_array().or(data["messages"].as_array()).unwrap();
            let opener = state.message(messages[0]["message"].as_str().unwrap());
            let history = state.history.borrow();
            let is_unknown = matches!(opener, Message::Of(call)
                if history[call].action == Action::Open && history[call].outcome == Outcome::Unknown);
            if !is_unknown || openers.contains(&opener) {
                state.report_anomaly(format!("{opener:?} has opened a second conversation, {id}"));
            }
            openers.push(opener);
        }
    }
}
