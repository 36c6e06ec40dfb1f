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

/// The path on which customers send.
pub(super) const SEND: &str = "/api/v1/support/chat/send";
/// The customer's conversations.
pub(super) const MINE: &str = "/api/v1/support/conversations";
/// The agents' conversations.
pub(super) const QUEUE: &str = "/api/v1/unified-admin/support/conversations";

/// How often a message of unknown outcome is sent.
const ATTEMPTS: u32 = 3;
/// The pause before it is sent again.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(250);
/// The longest `Retry-After` that is respected.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The text of each message after its prefix.
const TEXT: &str = "my order has not arrived yet, can you look?";

/// Parses the path of a request. Every path of this crate is valid.
pub(super) fn path(text: &str) -> Uri {
    text.parse::<PathAndQuery>().map(Uri::from).unwrap_or_default()
}

/// An account that makes REST calls over a connection of its own.
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
    message: Option<StoredMessage>,
}

#[derive(Deserialize)]
struct Opened<'a> {
    id: &'a str,
    messages: Vec<StoredMessage>,
}

#[derive(Deserialize)]
struct StoredMessage {
    seq: Option<i64>,
}

#[derive(Deserialize)]
struct Replied {
    data: StoredMessage,
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

    /// Opens a conversation with its first message. Returns its key and the server's id.
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
            self.run_state.set_id(conversation, id);
        }
        self.finish(call, with_seq(outcome, seq), Operation::Open, due);
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
        let outcome = with_seq(outcome, seq);
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
        let outcome = with_seq(outcome, answer.and_then(|answer| answer.data.seq));
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
        self.run_state.set_due(call, due);
        call
    }

    fn finish(&self, call: Call, outcome: Outcome, operation: Operation, due: Elapsed) {
        let conversation = {
            let mut history = self.run_state.history.borrow_mut();
            history.finish(call, outcome, self.run_state.now());
            history[call].conversation
        };
        if let Outcome::Ok { seq } = outcome {
            self.run_state.record_acknowledged(conversation, seq.unwrap_or(0));
        }
        // A claim that lost has a complete answer, so it counts too.
        if !matches!(outcome, Outcome::Unknown | Outcome::Refused(RefusalKind::Other)) {
            self.run_state.record(operation, due);
        }
    }

    /// Writes the message's text and its idempotency key.
    fn write_message(&self, body: &mut String, call: Call) {
        let prefix = self.run_state.message_prefix();
        let number = call.0;
        let _ = write!(body, "{{\"message\":\"{prefix}{number}- {TEXT}\",\"client_message_id\":\"{prefix}{number}\"");
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
                // An earlier attempt may have taken effect although this one is refused.
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

fn with_seq(outcome: Outcome, seq: Option<i64>) -> Outcome {
    if outcome == (Outcome::Ok { seq: None }) { Outcome::Ok { seq } } else { outcome }
}

/// The kind of a refusal, by the code of its answer.
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
