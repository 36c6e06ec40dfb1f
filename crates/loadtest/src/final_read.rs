//! The end of a run: waits until no event is under way, and reads back over REST what is stored, for the checker.

use std::rc::Rc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Deserialize;

use super::LoadtestError;
use super::accounts::Account;
use super::client::messages_of_page;
use super::history::{Action, Conversation, Elapsed, FinalRead, FinalState, Message};
use super::http::Http;
use super::rest_actions::{MINE, QUEUE, path};
use super::run_state::RunState;

/// Without any event for so long, nothing is under way any more.
const SILENCE: Duration = Duration::from_millis(400);
/// If a listener still lacks a message: without any event for so long, it is not expected any more.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the number of events is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Conversations read at a time.
const AT_A_TIME: usize = 16;
/// Messages in a page, the most that the server gives.
const PAGE: usize = 200;
/// Conversations with more messages than this are read completely as their customer only.
const AGENTS_READ: usize = 5000;
/// How often a failing read is attempted.
const ATTEMPTS: u32 = 5;

/// Waits until every listener has received what was acknowledged, or no event has arrived for a while.
pub(super) async fn settle(run_state: &RunState) {
    let (mut events, mut last_change) = (run_state.events.get(), tokio::time::Instant::now());
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        if run_state.events.get() != events {
            (events, last_change) = (run_state.events.get(), tokio::time::Instant::now());
        }
        let patience = if all_listeners_are_up_to_date(run_state) { SILENCE } else { PATIENCE };
        if last_change.elapsed() >= patience {
            return;
        }
    }
}

fn all_listeners_are_up_to_date(run_state: &RunState) -> bool {
    let history = run_state.history.borrow();
    history.conversations().all(|(conversation, record)| {
        let highest = run_state.highest_acknowledged(conversation);
        record.listeners.iter().all(|listener| {
            let record = &history[*listener];
            let listens = record.sessions.last().is_some_and(|session| session.ended.is_none());
            // The opening message arrived before any listener had joined.
            !listens || highest <= 1 || record.latest() >= highest
        })
    })
}

/// Reads every conversation of the run into the history. Stops at the first that cannot be read.
pub(super) async fn read(run_state: &Rc<RunState>) -> Result<(), LoadtestError> {
    let reading = run_state.ids().into_iter().map(|(conversation, id)| read_one(run_state, conversation, id));
    stream::iter(reading).buffer_unordered(AT_A_TIME).try_collect().await
}

async fn read_one(run_state: &Rc<RunState>, conversation: Conversation, id: String) -> Result<(), LoadtestError> {
    let no_reader = || LoadtestError::ReadBack { id: id.clone(), why: "its customer has no account here".to_owned() };
    let customer = run_state.history.borrow()[conversation].customer;
    let name = run_state.history.borrow()[customer].name.clone();
    let customer = run_state.accounts.customers.iter().find(|account| account.name == name).ok_or_else(no_reader)?;
    let visible = pages(run_state, customer, MINE, &id, "after_seq").await?;
    let visible: Vec<(i64, Message)> =
        visible.into_iter().map(|(_, seq, message)| (seq.unwrap_or_default(), message)).collect();
    let mut stored = FinalRead { visible, ..FinalRead::default() };
    if let Some(agent) = run_state.accounts.agents.first() {
        stored.state = Some(state(run_state, agent, conversation, &id).await?);
        let has_notes = {
            let history = run_state.history.borrow();
            history[conversation].calls.iter().any(|call| history[*call].action == Action::Note)
        };
        if has_notes || stored.visible.len() <= AGENTS_READ {
            stored.agent_view = Some(pages(run_state, agent, QUEUE, &id, "after_position").await?);
        }
    }
    run_state.history.borrow_mut().record_final_read(conversation, stored);
    Ok(())
}

async fn pages(
    run_state: &RunState,
    account: &Account,
    base: &str,
    id: &str,
    key: &str,
) -> Result<Vec<(i64, Option<i64>, Message)>, LoadtestError> {
    let mut http = run_state.http(account);
    let mut all = Vec::new();
    let mut last = 0;
    loop {
        let body =
            get_with_retries(run_state, &mut http, id, &format!("{base}/{id}?{key}={last}&limit={PAGE}")).await?;
        let why = || LoadtestError::ReadBack { id: id.to_owned(), why: "the answer cannot be read".to_owned() };
        let page = messages_of_page(&body).ok_or_else(why)?;
        let before = last;
        for message in &page {
            last = last.max(if key == "after_seq" { message.seq } else { message.position }.unwrap_or_default());
            all.push((
                message.position.unwrap_or_default(),
                message.seq,
                run_state.message(&message.id, &message.message),
            ));
        }
        if page.len() < PAGE || last == before {
            return Ok(all);
        }
    }
}

/// The assigned agent, and whether it is closed and rated.
async fn state(
    run_state: &RunState,
    agent: &Account,
    conversation: Conversation,
    id: &str,
) -> Result<FinalState, LoadtestError> {
    #[derive(Deserialize)]
    struct Detail {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        status: String,
        assigned_to: Option<String>,
        satisfaction_rating: Option<f64>,
    }
    let body = get_with_retries(run_state, &mut run_state.http(agent), id, &format!("{QUEUE}/{id}?limit=1")).await?;
    let detail: Detail = serde_json::from_slice(&body)
        .map_err(|error| LoadtestError::ReadBack { id: id.to_owned(), why: error.to_string() })?;
    let owner = detail.data.assigned_to.map(|name| run_state.person(&name));
    let ours = |person: super::history::Person| {
        let history = run_state.history.borrow();
        let name = &history[person].name;
        run_state.accounts.agents.iter().any(|agent| agent.name == *name)
    };
    if let Some(owner) = owner.filter(|owner| !ours(*owner)) {
        // An agent of this deployment has claimed it, at an unknown time.
        run_state.count("claimed by an agent of the deployment");
        run_state.history.borrow_mut().invoke(conversation, owner, Action::Claim, Elapsed::default());
    }
    Ok(FinalState { owner, closed: detail.data.status == "closed", rated: detail.data.satisfaction_rating.is_some() })
}

async fn get_with_retries(
    run_state: &RunState,
    http: &mut Http,
    id: &str,
    url_path: &str,
) -> Result<bytes::Bytes, LoadtestError> {
    let mut why = String::new();
    for attempt in 1..=ATTEMPTS {
        match http.get(&path(url_path)).await {
            Ok(answer) if answer.status == 200 => return Ok(answer.body),
            Ok(answer) => {
                why = format!("HTTP {}", answer.status);
                if answer.status == 429 {
                    run_state.statistics.borrow_mut().limited += 1;
                }
            }
            Err(error) => why = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(200) * attempt).await;
    }
    Err(LoadtestError::ReadBack { id: id.to_owned(), why })
}
