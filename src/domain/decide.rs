//! The one place where it is decided what happens to a conversation (`support-user.md`, `support-admin.md`,
//! `decisions.md`).

use super::{Agent, Author, Change, Command, Conversation, Customer, Message, Owner, Post, Rate, Refusal, Status};

/// What a command makes happen, in order; nothing, where what it asks for is so already.
///
/// `conversation` is its state as of the last event, `None` before the first.
///
/// # Errors
/// The first [`Refusal`] that applies: existence, ownership, state, in the contract's order. That a named send is a
/// repeat is not looked at here: who calls knows what was sent before, see [`permit`].
pub fn decide(conversation: Option<&Conversation>, command: &Command) -> Result<Vec<Change>, Refusal> {
    permit(conversation, command)?;
    match (conversation, command) {
        (None, Command::Open(open)) => Ok(vec![
            Change::Created(Box::new(open.origin.clone())),
            Change::Message(Message {
                seq: Some(1),
                text: open.text.clone(),
                author: Author::Customer(open.origin.customer.clone()),
                client_message_id: open.client_message_id.clone(),
            }),
        ]),
        // Only a repeated first send meets the conversation that it made; and this one is no repeat.
        (Some(_), Command::Open(_)) => Err(Refusal::ClientMessageIdReused),
        (None, _) => Err(Refusal::NotFound),
        (Some(conversation), Command::Send(post)) => send(conversation, post),
        (Some(conversation), Command::Claim(agent)) => claim(conversation, agent),
        (Some(conversation), Command::Reply(post)) => reply(conversation, post),
        (Some(conversation), Command::Note(post)) => note(conversation, post),
        (Some(conversation), Command::Close(agent)) => close(conversation, agent),
        (Some(conversation), Command::Rate(rate)) => self::rate(conversation, rate),
    }
}

/// Whether this caller may ask this of this conversation at all: existence and ownership. A repeated send is answered
/// behind this and before the conversation's state is looked at.
///
/// # Errors
/// A [`Refusal`] that [`Refusal::stands_before_a_repeat`].
pub fn permit(conversation: Option<&Conversation>, command: &Command) -> Result<(), Refusal> {
    match (conversation, command) {
        (_, Command::Open(_)) => Ok(()),
        (None, _) => Err(Refusal::NotFound),
        (Some(conversation), Command::Send(post)) => owns(conversation, &post.from),
        (Some(conversation), Command::Reply(post)) if conversation.is_held_by_another_than(&post.from.id) => {
            Err(Refusal::AssignedToAnother)
        }
        (Some(conversation), Command::Rate(rate)) if conversation.owner != rate.from.owner => Err(Refusal::RateNotOwn),
        (Some(_), Command::Rate(_) | Command::Reply(_) | Command::Note(_) | Command::Claim(_) | Command::Close(_)) => {
            Ok(())
        }
    }
}

/// An account continues its own; a guest continues what belongs to their address, and learns of an account's
/// conversation only that it is not theirs.
fn owns(conversation: &Conversation, customer: &Customer) -> Result<(), Refusal> {
    match (&conversation.owner, &customer.owner) {
        (owner, sender) if owner == sender => Ok(()),
        (Owner::Guest(_), Owner::Guest(_)) => Err(Refusal::EmailMismatch),
        (Owner::Account(_), _) | (Owner::Guest(_), Owner::Account(_)) => Err(Refusal::AccessDenied),
    }
}

fn send(conversation: &Conversation, post: &Post<Customer>) -> Result<Vec<Change>, Refusal> {
    if conversation.status == Status::Closed {
        return Err(Refusal::SendToClosed);
    }
    Ok(vec![visible(conversation, Author::Customer(post.from.clone()), post)])
}

fn claim(conversation: &Conversation, agent: &Agent) -> Result<Vec<Change>, Refusal> {
    if conversation.is_held_by_another_than(&agent.id) {
        return Err(Refusal::ClaimedByAnother);
    }
    if conversation.is_held_by(&agent.id) {
        return Ok(Vec::new());
    }
    if conversation.status == Status::Closed {
        return Err(Refusal::ClaimClosed);
    }
    Ok(vec![Change::Claimed(agent.clone())])
}

fn reply(conversation: &Conversation, post: &Post<Agent>) -> Result<Vec<Change>, Refusal> {
    if conversation.status == Status::Closed {
        return Err(Refusal::ReplyToClosed);
    }
    let answer = visible(conversation, Author::Agent(post.from.clone()), post);
    if conversation.is_held_by(&post.from.id) {
        return Ok(vec![answer]);
    }
    Ok(vec![Change::Claimed(post.from.clone()), answer])
}

fn note(conversation: &Conversation, post: &Post<Agent>) -> Result<Vec<Change>, Refusal> {
    if conversation.status == Status::Closed {
        return Err(Refusal::ReplyToClosed);
    }
    Ok(vec![Change::Message(Message {
        seq: None,
        text: post.text.clone(),
        author: Author::Agent(post.from.clone()),
        client_message_id: post.client_message_id.clone(),
    })])
}

fn close(conversation: &Conversation, agent: &Agent) -> Result<Vec<Change>, Refusal> {
    if conversation.status == Status::Closed {
        return Err(Refusal::AlreadyClosed);
    }
    Ok(vec![Change::Closed(agent.clone())])
}

fn rate(conversation: &Conversation, rate: &Rate) -> Result<Vec<Change>, Refusal> {
    if conversation.rating.is_some() {
        return Err(Refusal::AlreadyRated);
    }
    if conversation.status != Status::Closed {
        return Err(Refusal::RateOpen);
    }
    Ok(vec![Change::Rated(rate.clone())])
}

fn visible<Writer>(conversation: &Conversation, author: Author, post: &Post<Writer>) -> Change {
    Change::Message(Message {
        seq: Some(conversation.last_seq + 1),
        text: post.text.clone(),
        author,
        client_message_id: post.client_message_id.clone(),
    })
}
