//! The examples of `support-user.md`, with the fields that our answers have in addition (`decisions.md`, "Beyond the
//! contract").

#![expect(
    clippy::indexing_slicing,
    reason = "by key into JSON objects made here: reading an absent key gives null, writing one inserts it"
)]

use serde_json::{Value, json};

const CONVERSATION: &str = "019c9432-7a10-7c3e-8a51-5d2f3b8c0a01";
const ANOTHER: &str = "019c8f07-1f40-7b22-9c10-0c6a2f1e7b02";
const FIRST: &str = "019c9432-7a10-7c3e-8a51-5d2f3b8c0b01";
const SECOND: &str = "019c9434-4ee0-7d10-9b3a-1f4e5d6c0b02";
const TICKET: &str = "019c9450-2b80-7aa1-8f00-9e8d7c6b0c01";

pub(super) fn send() -> Value {
    json!({
        "message": "Hi, I tried sending money to @janedoe but it keeps failing. Can you help?",
        "device_metadata": {
            "device_id": "abc123", "device_model": "iPhone 14 Pro", "platform": "ios", "app_version": "2.1.0",
        },
    })
}

pub(super) fn guest_send() -> Value {
    json!({
        "message": "I'm stuck on the registration page. It keeps saying my phone number is invalid.",
        "email": "john@example.com",
        "phone_number": "08012345678",
    })
}

pub(super) fn ticket_request() -> Value {
    json!({
        "subject": "Registration fails",
        "description": "It keeps saying my phone number is invalid.",
        "support_type": "REGISTRATION_ISSUE",
        "email": "john@example.com",
    })
}

pub(super) fn ticket_message() -> Value {
    json!({ "ticket_number": "SMI-2026-001234", "message": "It works now.", "email": "john@example.com" })
}

fn message(id: &str, seq: u32, text: &str, at: &str) -> Value {
    json!({
        "id": id, "seq": seq, "message": text, "is_from_user": true, "sender_name": "John Doe",
        "sender_email": "john@example.com", "attachments": null, "created_at": at,
    })
}

fn conversation_with(messages: &[Value], ticket: &Value) -> Value {
    json!({
        "id": CONVERSATION, "status": "active", "email": "john@example.com", "phone_number": "+2348012345678",
        "assigned_admin_name": null, "satisfaction_rating": null, "feedback": null,
        "last_message_at": "2026-02-25T10:30:00.000Z", "created_at": "2026-02-25T10:30:00.000Z",
        "updated_at": "2026-02-25T10:30:00.000Z", "messages": messages, "total_messages": messages.len(), "ticket": ticket,
    })
}

fn first_message() -> Value {
    let text = "Hi, I tried sending money to @janedoe but it keeps failing. Can you help?";
    message(FIRST, 1, text, "2026-02-25T10:30:00.000Z")
}

pub(super) fn opened() -> Value {
    let mut message = first_message();
    message["createdAt"] = json!("2026-02-25T10:30:00.000Z");
    json!({ "conversation": conversation_with(&[message], &Value::Null), "is_new": true })
}

pub(super) fn sent() -> Value {
    let mut message = message(SECOND, 2, "Thanks, can you also check my balance?", "2026-02-25T10:35:00.000Z");
    message["createdAt"] = json!("2026-02-25T10:35:00.000Z");
    json!({ "conversation_id": CONVERSATION, "message": message, "is_new": false })
}

pub(super) fn conversation() -> Value {
    let mut conversation = conversation_with(&[first_message()], &ticket());
    conversation["has_more"] = json!(false);
    conversation["read_up_to"] = json!({ "customer": 1, "agent": null });
    conversation["unread_count"] = json!(0);
    json!({ "conversation": conversation })
}

fn ticket() -> Value {
    json!({
        "id": TICKET, "ticket_number": "SMI-2026-001234", "subject": "Failed transfer to @janedoe",
        "status": "in_progress", "priority": "medium", "support_type": "TRANSACTION_ISSUE",
    })
}

pub(super) fn conversations() -> Value {
    json!({
        "conversations": [
            {
                "id": CONVERSATION, "status": "active", "assigned_admin_name": "Sarah Johnson", "message_count": 8,
                "last_message": {
                    "message": "I've resolved the transfer issue. Your funds should be available now.",
                    "is_from_user": false, "sender_name": "Sarah Johnson", "createdAt": "2026-02-25T11:15:00.000Z",
                },
                "has_unread": true, "unread_count": 2, "read_up_to": { "customer": 6, "agent": 8 }, "ticket": ticket(), "last_message_at": "2026-02-25T11:15:00.000Z",
                "created_at": "2026-02-25T10:30:00.000Z", "updated_at": "2026-02-25T11:15:00.000Z",
                "satisfaction_rating": null,
            },
            {
                "id": ANOTHER, "status": "closed", "assigned_admin_name": "Admin Mike", "message_count": 3,
                "last_message": {
                    "message": "Glad I could help! Anything else?",
                    "is_from_user": false, "sender_name": "Admin Mike", "createdAt": "2026-02-24T14:00:00.000Z",
                },
                "has_unread": true, "unread_count": 0, "read_up_to": { "customer": 3, "agent": 3 }, "ticket": null, "last_message_at": "2026-02-24T14:00:00.000Z",
                "created_at": "2026-02-24T13:00:00.000Z", "updated_at": "2026-02-24T14:00:00.000Z",
                "satisfaction_rating": 5,
            },
        ],
        "total": 2,
    })
}
