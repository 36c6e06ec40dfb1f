//! Tickets, created and changed over REST.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Answer, ApiServer, CREATE_TICKET, QUEUE, REQUEST_SUPPORT, TICKETS, TestUser};

/// What identifies a ticket.
#[derive(Clone, Debug)]
pub(crate) struct TicketRef {
    pub(crate) id: String,
    pub(crate) number: String,
}

impl TicketRef {
    /// The ticket that this answer reports as created.
    pub(crate) fn from_answer(answer: &Answer) -> Self {
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let ticket = &answer.body["data"]["ticket"];
        let text = |key: &str| ticket[key].as_str().unwrap().to_owned();
        Self { id: text("id"), number: text("ticket_number") }
    }
}

/// The body of a request for a ticket.
pub(crate) fn ticket_body(subject: &str) -> Value {
    json!({ "subject": subject, "description": "It keeps failing" })
}

impl ApiServer {
    /// Creates a ticket of this customer, without a conversation.
    pub(crate) async fn create_ticket(&self, customer: &TestUser, subject: &str) -> TicketRef {
        TicketRef::from_answer(&self.post(customer, CREATE_TICKET, ticket_body(subject)).await)
    }

    /// Creates a ticket of a guest.
    pub(crate) async fn create_guest_ticket(&self, email: &str) -> TicketRef {
        let mut body = ticket_body("A guest's");
        body["email"] = json!(email);
        TicketRef::from_answer(&self.post(&TestUser::anonymous(), REQUEST_SUPPORT, body).await)
    }

    /// Has an agent create a ticket from a conversation.
    pub(crate) async fn create_ticket_from(&self, agent: &TestUser, conversation: &str) -> Answer {
        self.post(agent, &format!("{QUEUE}/{conversation}/create-ticket"), ticket_body("Of a conversation")).await
    }

    pub(crate) async fn put(&self, user: &TestUser, path: &str, body: Value) -> Answer {
        self.request(Method::PUT, user, path).send(Some(body)).await
    }

    /// Has an agent set a ticket's status.
    pub(crate) async fn set_status(&self, agent: &TestUser, ticket: &TicketRef, status: &str) -> Answer {
        let answer = self.put(agent, &format!("{TICKETS}/{}/status", ticket.id), json!({ "status": status })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer
    }
}
