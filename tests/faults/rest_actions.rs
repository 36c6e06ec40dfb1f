//! What people ask for over REST, each written into the history with how it ended.
//!
//! A message whose outcome is not known is sent again under the same `client_message_id`, as apps do, and is one call.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use switchboard_loadtest::history::{Action, Call, Conversation, Outcome, Person, RefusalKind};

use super::run_state::World;

pub(crate) const SEND: &str = "/api/v1/support/chat/send";
pub(crate) const MINE: &str = "/api/v1/support/conversations";
pub(crate) const QUEUE: &str = "/api/v1/unified-admin/support/conversations";
const HANDOVERS: &str = "/api/v1/unified-admin/support/handovers";

/// An answer that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a message is sent whose outcome is not known.
const ATTEMPTS: u32 = 4;

/// Somebody who calls.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) world: Rc<World>,
    pub(crate) person: Person,
    token: String,
    /// Servers, or the proxies before them.
    at: Vec<String>,
    http: Client,
}

impl Caller {
    pub(crate) fn new(world: &Rc<World>, person: Person, token: String, at: Vec<String>) -> Self {
        let http = Client::builder().timeout(PATIENCE).no_proxy().build().unwrap();
        Self { world: Rc::clone(world), person, token, at, http }
    }

    /// The customer begins a conversation: what came of it.
    pub(crate) async fn open(&self) -> Outcome {
        let conversation = self.world.history.borrow_mut().add_conversation(self.person);
        let call = self.invoke(conversation, Action::Open);
        let (outcome, answer) = self.persist(SEND, message(call, None)).await;
        let opened = &answer["data"]["conversation"];
        let outcome = placed(outcome, &opened["messages"][0]);
        if let Some(id) = opened["id"].as_str() {
            self.world.history.borrow_mut().set_label(conversation, id);
            self.world.known.borrow_mut().push((conversation, id.to_owned(), self.person));
        }
        self.finish(call, outcome)
    }

    /// The customer writes: once, or twice at one moment, or once more afterwards under the same name.
    pub(crate) async fn send(&self, conversation: Conversation, id: &str) -> Outcome {
        let call = self.invoke(conversation, Action::Send);
        let body = message(call, Some(id));
        let (outcome, answer) = self.insist(SEND, body).await;
        self.finish(call, placed(outcome, &answer["data"]["message"]))
    }

    /// An agent replies, or writes a note.
    pub(crate) async fn reply(&self, conversation: Conversation, id: &str, is_note: bool) -> Outcome {
        let call = self.invoke(conversation, if is_note { Action::Note } else { Action::Reply });
        let mut body = message(call, None);
        body["is_internal"] = json!(is_note);
        let (outcome, answer) = self.insist(&format!("{QUEUE}/{id}/reply"), body).await;
        self.finish(call, placed(outcome, &answer["data"]))
    }

    /// An agent claims or closes, or the customer rates.
    pub(crate) async fn decide(&self, conversation: Conversation, id: &str, action: Action) -> Outcome {
        let (path, body) = match action {
            Action::Claim => (format!("{QUEUE}/{id}/claim"), Value::Null),
            Action::Close => (format!("{QUEUE}/{id}/close"), Value::Null),
            Action::Rate => (format!("{MINE}/{id}/rate"), json!({ "rating": 4 })),
            _ => panic!("{action:?} is asked for elsewhere"),
        };
        let call = self.invoke(conversation, action);
        let (outcome, _) = self.post(&path, &body).await;
        self.finish(call, outcome)
    }

    /// An agent offers a conversation to another.
    pub(crate) async fn offer(&self, conversation: Conversation, id: &str, to: Person) -> Outcome {
        let call = self.invoke(conversation, Action::Handover(to));
        let name = self.world.history.borrow()[to].name.clone();
        let (outcome, answer) = self.post(&format!("{QUEUE}/{id}/handover"), &json!({ "to_admin_id": name })).await;
        if let Some(handover) = answer["data"]["handover_id"].as_str() {
            self.world.offers.borrow_mut().push((conversation, call, handover.to_owned(), to));
        }
        self.finish(call, outcome)
    }

    /// An agent answers what was offered to them.
    pub(crate) async fn respond(&self, conversation: Conversation, offer: Call, id: &str, accept: bool) -> Outcome {
        let call = self.invoke(conversation, Action::Respond { handover: offer, accept });
        let status = if accept { "accepted" } else { "rejected" };
        let (outcome, _) = self.post(&format!("{HANDOVERS}/{id}/respond"), &json!({ "status": status })).await;
        self.finish(call, outcome)
    }

    /// Reads something that must be there, as often as it takes.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let mut last = String::new();
        for _ in 0..50 {
            match self.http.get(format!("{}{path}", self.at[0])).bearer_auth(&self.token).send().await {
                Ok(answer) if answer.status() == StatusCode::OK => match answer.json().await {
                    Ok(body) => return body,
                    Err(error) => last = error.to_string(),
                },
                // It will not come back: the checker says what is lost.
                Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                    self.world.is_odd(format!("{path} is not there though all is well again"));
                    return Value::Null;
                }
                Ok(answer) => last = format!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        self.world.is_odd(format!("{path} cannot be read though all is well again: {last}"));
        Value::Null
    }

    /// As [`Self::persist`], and now and then more often than needed: a repeat must make no second message, and its
    /// answer must be the first one's.
    async fn insist(&self, path: &str, body: Value) -> (Outcome, Value) {
        match self.world.dice(0..8) {
            0 => {
                let (one, other) = join(self.persist(path, body.clone()), self.persist(path, body)).await;
                let ((Outcome::Ok { .. }, _), (Outcome::Ok { .. }, _)) = (&one, &other) else {
                    // Of two that say different things the one that was done counts; the other came too late.
                    let best = [one, other].into_iter().max_by_key(|(outcome, _)| match outcome {
                        Outcome::Ok { .. } => 2,
                        Outcome::Unknown => 1,
                        Outcome::Refused(_) => 0,
                    });
                    return best.unwrap();
                };
                self.are_one(path, &one.1, &other.1);
                one
            }
            1 => {
                let first = self.persist(path, body.clone()).await;
                if let Outcome::Ok { .. } = first.0 {
                    let (again, answer) = self.persist(path, body).await;
                    match again {
                        Outcome::Ok { .. } => self.are_one(path, &first.1, &answer),
                        // Whose it is comes before what was said.
                        Outcome::Refused(RefusalKind::HeldByAnother) | Outcome::Unknown => {}
                        Outcome::Refused(why) => {
                            self.world.is_odd(format!("{path}: a repeat of what was acknowledged is refused: {why:?}"));
                        }
                    }
                }
                first
            }
            _ => self.persist(path, body).await,
        }
    }

    fn are_one(&self, path: &str, one: &Value, other: &Value) {
        let id = |answer: &Value| {
            answer["data"]["message"]["id"].as_str().or(answer["data"]["id"].as_str()).map(str::to_owned)
        };
        if id(one) != id(other) {
            self.world.is_odd(format!("{path}: a repeat is answered with another message: {one} and {other}"));
        }
    }

    /// Sends until the outcome is known, a few times.
    async fn persist(&self, path: &str, body: Value) -> (Outcome, Value) {
        for attempt in 1..=ATTEMPTS {
            let (outcome, answer) = self.post(path, &body).await;
            match outcome {
                Outcome::Unknown if attempt < ATTEMPTS => self.world.pause(20..200).await,
                // What an earlier attempt did is not undone by a later one's refusal.
                Outcome::Refused(_) if attempt > 1 => return (Outcome::Unknown, Value::Null),
                _ => return (outcome, answer),
            }
        }
        (Outcome::Unknown, Value::Null)
    }

    async fn post(&self, path: &str, body: &Value) -> (Outcome, Value) {
        let at = self.world.pick(&self.at).clone();
        let request = self.http.post(format!("{at}{path}")).bearer_auth(&self.token);
        let request = if body.is_null() { request } else { request.json(body) };
        let answered = async {
            let answer = request.send().await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.text().await?))
        };
        let Ok((status, text)) = answered.await else {
            self.world.count("no answer");
            return (Outcome::Unknown, Value::Null);
        };
        self.world.count(status.as_str());
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let outcome = match status.as_u16() {
            200..300 => Outcome::Ok { seq: None },
            503 => Outcome::Unknown,
            400..500 => Outcome::Refused(refusal(&answer)),
            _ => Outcome::Unknown,
        };
        // Whom the server has never seen nothing can be handed to.
        let is_stranger = answer["message"] == "Target admin not found";
        if (status.as_u16() == 500 && !self.world.actors_panic)
            || (outcome == Outcome::Refused(RefusalKind::Other) && !is_stranger)
        {
            self.world.is_odd(format!("{path} is answered {status}: {text}"));
        }
        (outcome, answer)
    }

    fn invoke(&self, conversation: Conversation, action: Action) -> Call {
        self.world.history.borrow_mut().invoke(conversation, self.person, action, self.world.now())
    }

    fn finish(&self, call: Call, outcome: Outcome) -> Outcome {
        self.world.history.borrow_mut().finish(call, outcome, self.world.now());
        self.world.count(match outcome {
            Outcome::Ok { .. } => "done",
            Outcome::Refused(_) => "refused",
            Outcome::Unknown => "unknown",
        });
        outcome
    }
}

/// The text says which call it is.
fn message(call: Call, conversation: Option<&str>) -> Value {
    let text = format!("call {}", call.0);
    match conversation {
        Some(id) => json!({ "message": text, "client_message_id": text, "conversation_id": id }),
        None => json!({ "message": text, "client_message_id": text }),
    }
}

fn placed(outcome: Outcome, message: &Value) -> Outcome {
    if outcome == (Outcome::Ok { seq: None }) { Outcome::Ok { seq: message["seq"].as_i64() } } else { outcome }
}

fn refusal(answer: &Value) -> RefusalKind {
    let text = answer["message"].as_str().unwrap_or_default();
    match answer["code"].as_str().unwrap_or_default() {
        "CONVERSATION_CLOSED" => RefusalKind::Closed,
        "ALREADY_ASSIGNED" => RefusalKind::HeldByAnother,
        "FORBIDDEN" if text.contains("assigned") => RefusalKind::HeldByAnother,
        "CONVERSATION_OPEN" => RefusalKind::NotClosed,
        "ALREADY_RATED" => RefusalKind::AlreadyRated,
        "HANDOVER_PENDING" => RefusalKind::HandoverPending,
        "HANDOVER_RESOLVED" => RefusalKind::HandoverResolved,
        _ => RefusalKind::Other,
    }
}
