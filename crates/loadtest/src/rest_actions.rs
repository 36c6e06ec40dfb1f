//! The requests over REST, each recorded in the history with its outcome.
//!
//! A message whose outcome is not known is sent again under the same `client_message_id`, as apps do, and is then still
//! one call.

mod handover;

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Uri;
use hyper::http::uri::PathAndQuery;
use serde::Deserialize;

use super::accounts::Account;
use super::history::{Action, Call, Conversation, Elapsed, Outcome, Person, RefusalKind};
use super::http::{Answer, Http, HttpError};
use super::run_state::RunState;
use super::statistics::Operation;

/// Where customers send.
pub(super) const SEND: &str = "/api/v1/support/chat/send";
/// Where customers read.
pub(super) const MINE: &str = "/api/v1/support/conversations";
/// Where agents work.
pub(super) const QUEUE: &str = "/api/v1/unified-admin/support/conversations";

/// How often a message is sent whose outcome is not known.
const ATTEMPTS: u32 = 3;
/// Before it is sent again.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(250);
/// The longest that a 429 is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The text of each message after its mark.
const SAYING: &str = "my order has not arrived yet, can you look?";

/// A path, which is always one.
pub(super) fn path(text: &str) -> Uri {
    text.parse::<PathAndQuery>().map(Uri::from).unwrap_or_default()
}

/// Somebody who calls over a connection of their own.
pub(super) struct Caller {
    pub(super) run_state: Rc<RunState>,
    pub(super) person: Person,
    pub(super) http: Http,
    send: Uri,
}

/// What `chat/send` and `reply` answer, as far as it matters here.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    data: SentData<'a>,
}

#[derive(Deserialize)]
struct SentData<'a> {
    #[serde(borrow)]
    conversation: Option<Opened<'a>>,
    message: Option<Placed>,
}

#[derive(Deserialize)]
struct Opened<'a> {
    id: &'a str,
    messages: Vec<Placed>,
}

#[derive(Deserialize)]
struct Placed {
    seq: Option<i64>,
}

#[derive(Deserialize)]
struct Replied {
    data: Placed,
}

#[derive(Deserialize)]
struct Failed<'a> {
    #[serde(default)]
    code: &'a str,
}

impl Caller {
    pub(super) fn new(run_state: &Rc<RunState>, account: &Account) -> Self {
        let person = run_state.person(&account.name);
        Self { run_state: Rc::clone(run_state), person, http: run_state.http(account), send: path(SEND) }
    }

    /// Opens a conversation with its first message: the key, and the id under which it goes.
    pub(super) async fn open(&mut self, due: Elapsed) -> Option<(Conversation, String)> {
        let conversation = self.run_state.history.borrow_mut().add_conversation(self.person);
        let call = self.invoke(conversation, Action::Open, due);
        let mut body = String::with_capacity(256);
        self.write_message(&mut body, call);
        body.push('}');
        let uri = self.send.clone();
        let (outcome, answer) = self.post_with_retries("open", Action::Open, &uri, body.into()).await;
        let answer: Option<Sent<'_>> = answer.as_ref().and_then(|answer| serde_json::from_slice(&answer.body).ok());
        let opened = answer.as_ref().and_then(|answer| answer.data.conversation.as_ref());
        let seq = opened.and_then(|opened| opened.messages.first()?.seq);
        let id = opened.map(|opened| opened.id.to_owned());
        if let Some(id) = &id {
            self.run_state.opened(conversation, id);
        }
        self.finish(call, placed(outcome, seq), Operation::Open, due);
        Some((conversation, id?))
    }

    /// Sends into a conversation.
    pub(super) async fn send(&mut self, conversation: Conversation, id: &str, due: Elapsed) -> Outcome {
        let call = self.invoke(conversation, Action::Send, due);
        let mut body = String::with_capacity(256);
        self.write_message(&mut body, call);
        let _ = write!(body, ",\"conversation_id\":\"{id}\"}}");
        let uri = self.send.clone();
        let (outcome, answer) = self.post_with_retries("send", Action::Send, &uri, body.into()).await;
        let answer: Option<Sent<'_>> = answer.as_ref().and_then(|answer| serde_json::from_slice(&answer.body).ok());
        let seq = answer.and_then(|answer| answer.data.message?.seq);
        let outcome = placed(outcome, seq);
        self.finish(call, outcome, Operation::Send, due);
        outcome
    }

    /// An agent replies, or writes a note.
    pub(super) async fn reply(&mut self, conversation: Conversation, id: &str, note: bool, due: Elapsed) -> Outcome {
        let (action, operation) =
            if note { (Action::Note, Operation::Note) } else { (Action::Reply, Operation::Reply) };
        let call = self.invoke(conversation, action, due);
        let mut body = String::with_capacity(256);
        self.write_message(&mut body, call);
        let _ = write!(body, ",\"is_internal\":{note}}}");
        let uri = path(&format!("{QUEUE}/{id}/reply"));
        let (outcome, answer) = self.post_with_retries(operation.title(), action, &uri, body.into()).await;
        let answer: Option<Replied> = answer.as_ref().and_then(|answer| serde_json::from_slice(&answer.body).ok());
        let outcome = placed(outcome, answer.and_then(|answer| answer.data.seq));
        self.finish(call, outcome, operation, due);
        outcome
    }

    /// An agent claims a conversation or closes it.
    pub(super) async fn decide(
        &mut self,
        conversation: Conversation,
        id: &str,
        action: Action,
        due: Elapsed,
    ) -> Outcome {
        let (verb, operation) =
            if action == Action::Close { ("close", Operation::Close) } else { ("claim", Operation::Claim) };
        let call = self.invoke(conversation, action, due);
        let answer = self.http.post(&path(&format!("{QUEUE}/{id}/{verb}")), Bytes::new()).await;
        let outcome = self.outcome(verb, action, &answer);
        self.finish(call, outcome, operation, due);
        outcome
    }

    /// The customer rates a conversation.
    pub(super) async fn rate(&mut self, conversation: Conversation, id: &str, stars: u8, due: Elapsed) -> Outcome {
        let call = self.invoke(conversation, Action::Rate, due);
        let body = Bytes::from(format!("{{\"rating\":{stars}}}"));
        let answer = self.http.post(&path(&format!("{MINE}/{id}/rate")), body).await;
        let outcome = self.outcome("rate", Action::Rate, &answer);
        self.finish(call, outcome, Operation::Rate, due);
        outcome
    }

    fn invoke(&self, conversation: Conversation, action: Action, due: Elapsed) -> Call {
        let call = self.run_state.history.borrow_mut().invoke(conversation, self.person, action, self.run_state.now());
        self.run_state.is_due(call, due);
        call
    }

    fn finish(&self, call: Call, outcome: Outcome, operation: Operation, due: Elapsed) {
        let conversation = {
            let mut history = self.run_state.history.borrow_mut();
            history.finish(call, outcome, self.run_state.now());
            history[call].conversation
        };
        if let Outcome::Ok { seq } = outcome {
            self.run_state.acknowledged(conversation, seq.unwrap_or(0));
        }
        // A claim that came too late is an answer as good as the winner's.
        if !matches!(outcome, Outcome::Unknown | Outcome::Refused(RefusalKind::Other)) {
            self.run_state.record(operation, due);
        }
    }

    /// The text, and the name under which it is sent again.
    fn write_message(&self, body: &mut String, call: Call) {
        let mark = self.run_state.mark();
        let number = call.0;
        let _ = write!(body, "{{\"message\":\"{mark}{number}- {SAYING}\",\"client_message_id\":\"{mark}{number}\"");
    }

    /// Sends until the outcome is known, up to [`ATTEMPTS`] times.
    async fn post_with_retries(
        &mut self,
        name: &str,
        action: Action,
        uri: &Uri,
        body: Bytes,
    ) -> (Outcome, Option<Answer>) {
        for attempt in 1..=ATTEMPTS {
            let answer = self.http.post(uri, body.clone()).await;
            let outcome = self.outcome(name, action, &answer);
            match outcome {
                Outcome::Unknown if attempt < ATTEMPTS => tokio::time::sleep(BETWEEN_ATTEMPTS * attempt).await,
                // What an earlier attempt did is not undone by a later one's refusal.
                Outcome::Refused(_) if attempt > 1 => return (Outcome::Unknown, None),
                Outcome::Refused(RefusalKind::Other) => {
                    let wait = answer.as_ref().ok().and_then(|answer| answer.retry_after);
                    tokio::time::sleep(wait.unwrap_or_default().min(LONGEST_WAIT)).await;
                    return (outcome, None);
                }
                _ => return (outcome, answer.ok()),
            }
        }
        (Outcome::Unknown, None)
    }

    /// How a request ended. Counts a failure, unless it is a refusal that the state explains.
    fn outcome(&self, name: &str, action: Action, answer: &Result<Answer, HttpError>) -> Outcome {
        let outcome = match answer {
            Err(_) => Outcome::Unknown,
            Ok(answer) if (200..300).contains(&answer.status) => Outcome::Ok { seq: None },
            Ok(answer) if answer.status >= 500 => Outcome::Unknown,
            Ok(answer) => Outcome::Refused(refusal_kind(action, &answer.body)),
        };
        if matches!(outcome, Outcome::Unknown | Outcome::Refused(RefusalKind::Other)) {
            self.run_state.record_failure(name, answer);
        }
        outcome
    }
}

fn placed(outcome: Outcome, seq: Option<i64>) -> Outcome {
    if outcome == (Outcome::Ok { seq: None }) { Outcome::Ok { seq } } else { outcome }
}

/// Why the server refused it, by the code of its answer.
fn refusal_kind(action: Action, body: &[u8]) -> RefusalKind {
    let failed = serde_json::from_slice::<Failed<'_>>(body);
    failed.map_or(RefusalKind::Other, |failed| RefusalKind::from_code(failed.code, action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_recognised_by_its_code() {
        let read = |body: &[u8]| refusal_kind(Action::Reply, body);
        assert_eq!(read(br#"{"code":"CONVERSATION_CLOSED","message":"assigned"}"#), RefusalKind::Closed);
        assert_eq!(read(br#"{"code":"FORBIDDEN"}"#), RefusalKind::HeldByAnother);
        assert_eq!(refusal_kind(Action::Rate, br#"{"code":"FORBIDDEN"}"#), RefusalKind::Other);
        for body in [&b"not JSON"[..], br#"{"message":"CONVERSATION_CLOSED"}"#, br#"{"code":"NOT_FOUND"}"#] {
            assert_eq!(read(body), RefusalKind::Other);
        }
    }
}
