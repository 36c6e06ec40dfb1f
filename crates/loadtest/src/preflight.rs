//! Checks before a run that the server answers, is a Switchboard, is ready, and accepts the accounts. Each failure
//! is one sentence with the remedy.

use std::rc::Rc;

use serde::Deserialize;

use super::LoadtestError;
use super::accounts::{Account, Accounts};
use super::endpoint::Endpoint;
use super::http::{Answer, Http, HttpError};
use super::rest_actions::{MINE, QUEUE, path};

#[derive(Deserialize)]
struct Health {
    #[serde(default)]
    status: String,
}

#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    message: String,
}

pub(super) async fn check(endpoint: &Rc<Endpoint>, accounts: &Accounts) -> Result<(), LoadtestError> {
    let url = || endpoint.url.clone();
    let live = get(endpoint, None, "/health/live").await.map_err(|error| match error {
        HttpError::Connect(error) => LoadtestError::Unreachable { url: url(), why: error.to_string() },
        HttpError::Broken | HttpError::TimedOut => LoadtestError::NotSwitchboard { url: url() },
    })?;
    if live.status != 200 || serde_json::from_slice::<Health>(&live.body).is_ok_and(|health| health.status != "live") {
        return Err(LoadtestError::NotSwitchboard { url: url() });
    }
    // Another program may have the same health endpoint. Only a Switchboard refuses a missing token in its error envelope.
    let without_token = get(endpoint, None, MINE).await;
    let refused = without_token.ok().filter(|answer| answer.status == 401).and_then(|answer| envelope(&answer));
    if refused.is_none_or(|envelope| envelope.success) {
        return Err(LoadtestError::NotSwitchboard { url: url() });
    }
    let ready = get(endpoint, None, "/health/ready").await;
    if let Ok(answer) = &ready
        && answer.status != 200
    {
        let why = envelope(answer).map_or_else(|| format!("HTTP {}", answer.status), |envelope| envelope.message);
        return Err(LoadtestError::NotReady { url: url(), why });
    }
    if let Some(customer) = accounts.customers.first() {
        admitted(endpoint, customer, MINE, "a customer").await?;
    }
    if let Some(agent) = accounts.agents.first() {
        admitted(endpoint, agent, &format!("{QUEUE}?limit=1"), "an agent").await?;
    }
    Ok(())
}

async fn admitted(endpoint: &Rc<Endpoint>, account: &Account, page: &str, who: &str) -> Result<(), LoadtestError> {
    let url = endpoint.url.clone();
    match get(endpoint, Some(account), page).await {
        Ok(answer) if answer.status == 401 => Err(LoadtestError::TokenRefused { url }),
        Ok(answer) if answer.status == 403 => Err(LoadtestError::NoAgent { url }),
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(LoadtestError::Preparation {
            what: format!("the first read as {who}"),
            why: format!("HTTP {}", answer.status),
        }),
        Err(error) => Err(LoadtestError::Unreachable { url, why: error.to_string() }),
    }
}

async fn get(endpoint: &Rc<Endpoint>, account: Option<&Account>, page: &str) -> Result<Answer, HttpError> {
    Http::new(endpoint, account.map_or("", |account| account.token.as_str())).get(&path(page)).await
}

fn envelope(answer: &Answer) -> Option<Envelope> {
    serde_json::from_slice(&answer.body).ok()
}
