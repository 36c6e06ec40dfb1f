//! A message or a note, as a row of `messages`.

use entity::messages;

use super::{DecodeError, Table};
use crate::domain::{
    AUTO_REPLY_KEY, Agent, Author, Change, ClientMessageId, ConversationId, Customer, EmailAddress, Event, EventId,
    Message, MessageText, Owner, Posted,
};

const TABLE: Table = Table("messages");

/// What a guest's sender key begins with; the e-mail address follows ([`Owner::sender_key`]).
const GUEST_KEY_PREFIX: &str = "guest:";

pub(super) fn encode_message(event: &Event, message: &Message) -> messages::Model {
    let phone_number = match &message.author {
        Author::Customer(customer) => customer.phone_number.clone(),
        Author::Agent(_) | Author::AutoReply { .. } => None,
    };
    messages::Model {
        conversation_id: event.conversation.0,
        position: event.position,
        id: event.id.0,
        seq: message.seq,
        body: message.text.as_str().to_owned(),
        is_internal: message.is_note(),
        is_from_user: message.author.is_customer(),
        sender: message.author.sender_key(),
        sender_id: message.author.account().map(|id| id.as_str().to_owned()),
        sender_name: message.author.name().map(ToOwned::to_owned),
        sender_email: message.author.email().map(ToOwned::to_owned),
        sender_phone_number: phone_number,
        client_message_id: message.client_message_id.as_ref().map(|id| id.as_str().to_owned()),
        created_at: event.at,
    }
}

/// The message of a row.
///
/// # Errors
/// [`DecodeError`].
pub(crate) fn decode_message(mut row: messages::Model) -> Result<Posted, DecodeError> {
    let author = decode_author(&mut row)?;
    Ok(Posted {
        id: EventId(row.id),
        conversation: ConversationId(row.conversation_id),
        position: row.position,
        at: row.created_at,
        message: Message {
            seq: row.seq,
            text: MessageText::stored(row.body),
            author,
            client_message_id: row
                .client_message_id
                .map(|id| ClientMessageId::parse(&id).map_err(|_| TABLE.invalid("client_message_id")))
                .transpose()?,
        },
    })
}

/// The event of a row.
///
/// # Errors
/// [`DecodeError`].
pub(crate) fn decode_message_event(row: messages::Model) -> Result<Event, DecodeError> {
    let Posted { id, conversation, position, at, message } = decode_message(row)?;
    Ok(Event { id, conversation, position, at, change: Change::Message(message) })
}

/// Takes the sender's columns out of the row.
fn decode_author(row: &mut messages::Model) -> Result<Author, DecodeError> {
    let account = row.sender_id.take().map(|id| TABLE.user_id("sender_id", &id)).transpose()?;
    let (name, email) = (row.sender_name.take(), row.sender_email.take());
    if row.is_from_user {
        let owner = match account {
            Some(id) => Owner::Account(id),
            None => {
                let address = row.sender.strip_prefix(GUEST_KEY_PREFIX).ok_or_else(|| TABLE.invalid("sender"))?;
                Owner::Guest(EmailAddress::stored(address))
            }
        };
        return Ok(Author::Customer(Customer { owner, name, email, phone_number: row.sender_phone_number.take() }));
    }
    match account {
        Some(id) => Ok(Author::Agent(Agent { id, name: name.unwrap_or_default(), email })),
        None if row.sender == AUTO_REPLY_KEY => Ok(Author::AutoReply { name: name.unwrap_or_default() }),
        None => Err(TABLE.invalid("sender")),
    }
}
