//! Rows inserted past the server, for what would take thousands of requests or has no endpoint yet.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{conversations, messages, tickets, users};
use uuid::Uuid;

/// A timestamp, this many minutes after the first.
pub(crate) fn minute(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_772_000_000_000).unwrap() + TimeDelta::minutes(minutes)
}

/// A conversation of this customer with one message, both at that minute.
pub(crate) fn conversation_row(customer: &str, minutes: i64) -> conversations::Model {
    let at = minute(minutes);
    conversations::Model {
        id: Uuid::now_v7(),
        channel: "support".to_owned(),
        user_id: Some(customer.to_owned()),
        email: Some(format!("{customer}@example.com")),
        phone_number: None,
        status: "active".to_owned(),
        assigned_to: None,
        assigned_name: None,
        assigned_at: None,
        version: 2,
        last_seq: 1,
        message_count: 1,
        last_message: Some("Hello".to_owned()),
        last_message_is_from_user: Some(true),
        last_message_sender_name: Some("John Doe".to_owned()),
        last_message_at: at,
        rating: None,
        feedback: None,
        is_rating_replaceable: false,
        device_metadata: None,
        ip_address: None,
        user_agent: None,
        ticket_id: None,
        pending_handover_id: None,
        guest_email: None,
        created_at: at,
        updated_at: at,
        last_event_at: at,
    }
}

/// A message of the customer at this position.
pub(crate) fn message_row(conversation: &conversations::Model, position: i64, body: &str) -> messages::Model {
    let customer = conversation.user_id.clone().unwrap();
    messages::Model {
        conversation_id: conversation.id,
        position,
        id: Uuid::now_v7(),
        seq: Some(position - 1),
        body: body.to_owned(),
        is_internal: false,
        is_from_user: true,
        sender: format!("account:{customer}"),
        sender_id: Some(customer),
        sender_name: Some("John Doe".to_owned()),
        sender_email: conversation.email.clone(),
        sender_phone_number: None,
        client_message_id: None,
        created_at: conversation.created_at,
    }
}

/// The ticket of this conversation.
pub(crate) fn ticket_row(conversation: &conversations::Model, number: &str) -> tickets::Model {
    tickets::Model {
        id: conversation.ticket_id.unwrap(),
        ticket_number: number.to_owned(),
        conversation_id: conversation.id,
        is_of_conversation: true,
        user_id: conversation.user_id.clone(),
        email: conversation.email.clone(),
        phone_number: None,
        subject: "Failed transfer".to_owned(),
        description: "It keeps failing".to_owned(),
        support_type: "TRANSACTION_ISSUE".to_owned(),
        status: "in_progress".to_owned(),
        priority: "medium".to_owned(),
        priority_rank: 2,
        assigned_to: Some("sarah".to_owned()),
        assigned_name: Some("Sarah Johnson".to_owned()),
        resolved_at: None,
        resolved_by: None,
        resolved_by_name: None,
        resolution_notes: None,
        related_transaction_id: Some("tx-1".to_owned()),
        session_id: None,
        first_response_at: None,
        last_response_at: None,
        response_time_seconds: None,
        rating: None,
        feedback: None,
        created_at: conversation.created_at,
        updated_at: conversation.updated_at,
    }
}

/// A user in the directory.
pub(crate) fn user_row(id: &str, is_agent: bool) -> users::Model {
    users::Model {
        id: id.to_owned(),
        is_agent,
        role: if is_agent { "admin" } else { "user" }.to_owned(),
        email: Some(format!("{id}@example.com")),
        first_name: Some("John".to_owned()),
        last_name: Some("Doe".to_owned()),
        name: None,
        phone_number: None,
        smipay_tag: None,
        picture: None,
        token_issued_at: 0,
        created_at: minute(0),
        last_seen_at: minute(0),
    }
}
