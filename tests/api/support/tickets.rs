//! Tickets, made and looked at.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, Person, QUEUE, TestServer};

pub(crate) const TICKETS: &str = "/api/v1/unified-admin/support";
pub(crate) const REQUEST_SUPPORT: &str = "/api/v1/support/request-support";
pub(crate) const CREATE_TICKET: &str = "/api/v1/support/create-ticket";
pub(crate) const MY_TICKETS: &str = "/api/v1/support/my-tickets";
pub(crate) const TICKET: &str = "/api/v1/support/ticket";
pub(crate) const ADD_MESSAGE: &str = "/api/v1/support/ticket/add-message";

/// A ticket that was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) number: String,
}

impl Made {
    pub(crate) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let ticket = &answer.body["data"]["ticket"];
        let text = |key: &str| ticket[key].as_str().unwrap().to_owned();
        Self { id: text("id"), number: text("ticket_number") }
    }
}

pub(crate) fn about(subject: &str) -> Value {
    json!({ "subject": subject, "description": "It keeps failing" })
}

impl TestServer {
    /// A ticket of this customer, made without a conversation.
    pub(crate) async fn ticket(&self, customer: &Person, subject: &str) -> Made {
        Made::of(&self.post(customer, CREATE_TICKET, about(subject)).await)
    }

    /// A ticket of nobody's account.
    pub(crate) async fn guest_ticket(&self, email: &str) -> Made {
        let mut body = about("A guest's");
        body["email"] = json!(email);
        Made::of(&self.post(&Person::nobody(), REQUEST_SUPPORT, body).await)
    }

    /// Has an agent make a ticket of a conversation.
    pub(crate) async fn ticket_of(&self, agent: &Person, conversation: &str) -> Answer {
        self.post(agent, &format!("{QUEUE}/{conversation}/create-ticket"), about("Of a conversation")).await
    }

    pub(crate) async fn put(&self, person: &Person, path: &str, body: Value) -> Answer {
        self.request(Method::PUT, person, path).send(Some(body)).await
    }

    /// Has an agent say how far a ticket is.
    pub(crate) async fn set_status(&self, agent: &Person, ticket: &Made, status: &str) -> Answer {
        let answer = self.put(agent, &format!("{TICKETS}/{}/status", ticket.id), json!({ "status": status })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer
    }
}
