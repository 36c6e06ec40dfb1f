//! People who write and help in tests, and what they ask.

use serde_json::json;

use crate::domain::{
    Agent, Channel, ClientMessageId, Command, Customer, DeviceMetadata, EmailAddress, MessageText, Open, Origin, Owner,
    Post, UserId,
};

pub(crate) fn text(text: &str) -> MessageText {
    MessageText::parse(text).expect("a valid text")
}

pub(crate) fn account(id: &str) -> UserId {
    UserId::parse(id).expect("a valid id")
}

/// Somebody with an account.
pub(crate) fn customer(id: &str) -> Customer {
    Customer {
        owner: Owner::Account(account(id)),
        name: Some(format!("{id} Customer")),
        email: Some(format!("{id}@example.com")),
        phone_number: Some("+2348012345678".to_owned()),
    }
}

/// Somebody with an address and no account.
pub(crate) fn guest(email: &str) -> Customer {
    let address = EmailAddress::parse(email).expect("a valid address");
    Customer { email: Some(address.to_string()), owner: Owner::Guest(address), name: None, phone_number: None }
}

pub(crate) fn agent(id: &str) -> Agent {
    Agent { id: account(id), name: format!("{id} Agent"), email: Some(format!("{id}@support.example.com")) }
}

fn id(client_message_id: &str) -> Option<ClientMessageId> {
    (!client_message_id.is_empty()).then(|| ClientMessageId::parse(client_message_id).expect("a valid name"))
}

/// A first message; an empty `client_message_id` is none, here and below.
pub(crate) fn open(customer: Customer, words: &str, client_message_id: &str) -> Command {
    let device = json!({ "platform": "ios", "app_version": "2.1.0" });
    let origin = Origin {
        channel: Channel::Support,
        customer,
        device_metadata: device.as_object().cloned().map(|device| DeviceMetadata::parse(device).expect("small")),
        ip_address: Some("203.0.113.7".to_owned()),
        user_agent: Some("test".to_owned()),
    };
    Command::Open(Box::new(Open { origin, text: text(words), client_message_id: id(client_message_id) }))
}

pub(crate) fn send(from: Customer, words: &str) -> Command {
    send_as(from, words, "")
}

pub(crate) fn send_as(from: Customer, words: &str, client_message_id: &str) -> Command {
    Command::Send(Post { from, text: text(words), client_message_id: id(client_message_id) })
}

pub(crate) fn reply(from: &str, words: &str) -> Command {
    reply_as(from, words, "")
}

pub(crate) fn reply_as(from: &str, words: &str, client_message_id: &str) -> Command {
    Command::Reply(Post { from: agent(from), text: text(words), client_message_id: id(client_message_id) })
}

pub(crate) fn note(from: &str, words: &str) -> Command {
    note_as(from, words, "")
}

pub(crate) fn note_as(from: &str, words: &str, client_message_id: &str) -> Command {
    Command::Note(Post { from: agent(from), text: text(words), client_message_id: id(client_message_id) })
}

pub(crate) fn close(by: &str) -> Command {
    Command::Close(agent(by))
}
