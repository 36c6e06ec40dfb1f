//! A participant's REST calls; each is recorded in the history with its outcome.
//!
//! A message of unknown outcome is sent again with the same `client_message_id`, as apps do, and counts as one call.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use switchboard_loadtest::history::{Action, Call, Conversation, Outcome, Person, RefusalKind};

use switchboard_testkit::paths::{HANDOVERS, MY_CONVERSATIONS, QUEUE, SEND};

use super::participants::Participant;
use super::run_state::RunState;

/// The outcome of a call whose answer takes longer counts as unknown.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a message of unknown outcome is sent altogether.
const SEND_ATTEMPTS: u32 = 4;
/// How often something is read that must be readable, and the pause between two attempts.
const READ_ATTEMPTS: u32 = 50;
const READ_PAUSE: Duration = Duration::from_millis(200);

/// A participant with an HTTP client.
#[derive(Clone)]
pub(crate) struct RestClient {
    pub(crate) state: Rc<RunState>,
    pub(crate) person: Person,
    token: String,
    /// URLs of servers, or of the proxies in front of them. Each call chooses one.
    servers: Vec<String>,
    http: Client,
}

impl RestClient {
    pub(crate) fn new(state: &Rc<RunState>, participant: &Participant, servers: Vec<String>) -> Self {
        let http = Client::builder().timeout(ANSWER_TIMEOUT).no_proxy().build().unwrap();
        let (person, token) = (participant.person, participant.token.clone());
        Self { state: Rc::clone(state), person, token, servers, http }
    }

    /// The customer opens a conversation.
    pub(crate) async fn open(&self) -> Outcome {
        let conversation = self.state.history.borrow_mut().add_conversation(self.person);
        let call = self.invoke(conversation, Action::Open);
        let (outcome, answer) = self.send_until_known(Action::Open, SEND, message(call, None)).await;
        let opened = &answer["data"]["conversation"];
        let outcome = with_seq(outcome, &opened["messages"][0]);
        if let Some(id) = opened["id"].as_str() {
            self.state.history.borrow_mut().set_label(conversation, id);
            self.state.conversations.borrow_mut().push((conversation, id.to_owned(), self.person));
        }
        self.finish(call, outcome)
    }

    /// The customer sends a message: once, twice concurrently, or again later with the same key.
    pub(crate) async fn send(&self, conversation: Conversation, id: &str) -> Outcome {
        let call = self.invoke(conversation, Action::Send);
        let body = message(call, Some(id));
        let (outcome, answer) = self.send_with_repeats(Action::Send, SEND, body).await;
        self.finish(call, with_seq(outcome, &answer["data"]["message"]))
    }

    /// The agent replies or writes a note.
    pub(crate) async fn reply(&self, conversation: Conversation, id: &str, is_note: bool) -> Outcome {
        let action = if is_note { Action::Note } else { Action::Reply };
        let call = self.invoke(conversation, action);
        let mut body = message(call, None);
        body["is_internal"] = json!(is_note);
        let (outcome, answer) = self.send_with_repeats(action, &format!("{QUEUE}/{id}/reply"), body).await;
        self.finish(call, with_seq(outcome, &answer["data"]))
    }

    /// The agent claims or closes, or the customer rates.
    pub(crate) async fn decide(&self, conversation: Conversation, id: &str, action: Action) -> Outcome {
        let (path, body) = match action {
            Action::Claim => (format!("{QUEUE}/{id}/claim"), Value::Null),
            Action::Close => (format!("{QUEUE}/{id}/close"), Value::Null),
            Action::Rate => (format!("{MY_CONVERSATIONS}/{id}/rate"), json!({ "rating": 4 })),
            _ => panic!("{action:?} has a method of its own"),
        };
        let call = self.invoke(conversation, action);
        let (outcome, _) = self.post(action, &path, &body).await;
        self.finish(call, outcome)
    }

    /// The agent requests a handover to another agent.
    pub(crate) async fn request_handover(&self, conversation: Conversation, id: &str, to: Person) -> Outcome {
        let action = Action::Handover(to);
        let call = self.invoke(conversation, action);
        let name = self.state.history.borrow()[to].name.clone();
        let (outcome, answer) =
            self.post(action, &format!("{QUEUE}/{id}/handover"), &json!({ "to_admin_id": name })).await;
        if let Some(handover) = answer["data"]["handover_id"].as_str() {
            self.state.pending_handovers.borrow_mut().push((conversation, call, handover.to_owned(), to));
        }
        self.finish(call, outcome)
    }

    /// The agent answers a handover that another agent has requested.
    pub(crate) async fn answer_handover(
        &self,
        conversation: Conversation,
        request: Call,
        id: &str,
        accept: bool,
    ) -> Outcome {
        let action = Action::Respond { handover: request, accept };
        let call = self.invoke(conversation, action);
        let status = if accept { "accepted" } else { "rejected" };
        let (outcome, _) = self.post(action, &format!("{HANDOVERS}/{id}/respond"), &json!({ "status": status })).await;
        self.finish(call, outcome)
    }

    /// Reads what must exist, with several attempts. A failure of all is an anomaly.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let mut last = String::new();
        for _ in 0..READ_ATTEMPTS {
            match self.http.get(format!("{}{path}", self.servers[0])).bearer_auth(&self.token).send().await {
                Ok(answer) if answer.status() == StatusCode::OK => match answer.json().await {
                    Ok(body) => return body,
                    Err(error) => last = error.to_string(),
                },
                // Another attempt is pointless; the checker reports what is lost.
                Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                    self.state.report_anomaly(format!("{path} does not exist after the faults have ended"));
                    return Value::Null;
                }
                Ok(answer) => last = format!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(READ_PAUSE).await;
        }
        self.state.report_anomaly(format!("{path} cannot be read after the faults have ended: {last}"));
        Value::Null
    }

    /// As [`send_until_known`](Self::send_until_known), but sometimes sends again what was already answered: a repeat must
    /// create no second message, and its answer must name the first.
    async fn send_with_repeats(&self, action: Action, path: &str, body: Value) -> (Outcome, Value) {
        match self.state.random_in(0..8) {
            0 => {
                let (one, other) =
                    join(self.send_until_known(action, path, body.clone()), self.send_until_known(action, path, body))
                        .await;
                let ((Outcome::Ok { .. }, _), (Outcome::Ok { .. }, _)) = (&one, &other) else {
                    // If the two answers differ, the successful one counts; the other came too late.
                    let best = [one, other].into_iter().max_by_key(|(outcome, _)| match outcome {
                        Outcome::Ok { .. } => 2,
                        Outcome::Unknown => 1,
                        Outcome::Refused(_) => 0,
                    });
                    return best.unwrap();
                };
                self.check_same_message(path, &one.1, &other.1);
                one
            }
            1 => {
                let first = self.send_until_known(action, path, body.clone()).await;
                if let Outcome::Ok { .. } = first.0 {
                    let (again, answer) = self.send_until_known(action, path, body).await;
                    match again {
                        Outcome::Ok { .. } => self.check_same_message(path, &first.1, &answer),
                        // The server checks who holds the conversation before it looks for a repeat.
                        Outcome::Refused(RefusalKind::HeldByAnother) | Outcome::Unknown => {}
                        Outcome::Refused(why) => {
                            self.state.report_anomaly(format!(
                                "{path}: a repeat of what was acknowledged is refused: {why:?}"
                            ));
                        }
                    }
                }
                first
            }
            _ => self.send_until_known(action, path, body).await,
        }
    }

    fn check_same_message(&self, path: &str, one: &Value, other: &Value) {
        let id = |answer: &Value| {
            answer["data"]["message"]["id"].as_str().or(answer["data"]["id"].as_str()).map(str::to_owned)
        };
        if id(one) != id(other) {
            self.state.report_anomaly(format!("{path}: a repeat is answered with another message: {one} and {other}"));
        }
    }

    /// Sends until the outcome is known or the attempts are used up.
    async fn send_until_known(&self, action: Action, path: &str, body: Value) -> (Outcome, Value) {
        for attempt in 1..=SEND_ATTEMPTS {
            let (outcome, answer) = self.post(action, path, &body).await;
            match outcome {
                Outcome::Unknown if attempt < SEND_ATTEMPTS => self.state.pause(20..200).await,
                // An earlier attempt may have succeeded although this one is refused.
                Outcome::Refused(_) if attempt > 1 => return (Outcome::Unknown, Value::Null),
                _ => return (outcome, answer),
            }
        }
        (Outcome::Unknown, Value::Null)
    }

    async fn post(&self, action: Action, path: &str, body: &Value) -> (Outcome, Value) {
        let server = self.state.pick(&self.servers).clone();
        let request = self.http.post(format!("{server}{path}")).bearer_auth(&self.token);
        let request = if body.is_null() { request } else { request.json(body) };
        let answered = async {
            let answer = request.send().await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.text().await?))
        };
        let Ok((status, text)) = answered.await else {
            self.state.count("no answer");
            return (Outcome::Unknown, Value::Null);
        };
        self.state.count(status.as_str());
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let outcome = match status.as_u16() {
            200..300 => Outcome::Ok { seq: None },
            503 => Outcome::Unknown,
            400..500 => {
                let code = answer["code"].as_str().unwrap_or_default();
                Outcome::Refused(RefusalKind::from_code(code, action))
            }
            _ => Outcome::Unknown,
        };
        // An agent who has not called yet is unknown to the server.
        let is_unknown_target = answer["message"] == "Target admin not found";
        if (status.as_u16() == 500 && !self.state.actors_panic)
            || (outcome == Outcome::Refused(RefusalKind::Other) && !is_unknown_target)
        {
            self.state.report_anomaly(format!("{path} is answered {status}: {text}"));
        }
        (outcome, answer)
    }

    fn invoke(&self, conversation: Conversation, action: Action) -> Call {
        self.state.history.borrow_mut().invoke(conversation, self.person, action, self.state.now())
    }

    fn finish(&self, call: Call, outcome: Outcome) -> Outcome {
        self.state.history.borrow_mut().finish(call, outcome, self.state.now());
        self.state.count(match outcome {
            Outcome::Ok { .. } => "done",
            Outcome::Refused(_) => "refused",
            Outcome::Unknown => "unknown",
        });
        outcome
    }
}

/// The body of a message whose text, and idempotency key, name the call.
fn message(call: Call, conversation: Option<&str>) -> Value {
    let text = format!("call {}", call.0);
    match conversation {
        Some(id) => json!({ "message": text, "client_message_id": text, "conversation_id": id }),
        None => json!({ "message": text, "client_message_id": text }),
    }
}

fn with_seq(outcome: Outcome, message: &Value) -> Outcome {
    if outcome == (Outcome::Ok { seq: None }) { Outcome::Ok { seq: message["seq"].as_i64() } } else { outcome }
}
