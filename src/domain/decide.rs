//! The one place where it is decided what happens to a conversation (`support-user.md`, `support-admin.md`,
//! `decisions.md`).

use super::{
    Agent, Author, Change, Channel, ClientMessageId, Command, Conversation, Customer, Message, MessageText, Origin,
    Owner, Post, Rate, Refusal, Resolution, Status, decide_handover, decide_ticket, help_center,
};

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
            first(&open.origin, open.text.clone(), open.client_message_id.clone()),
        ]),
        (None, Command::OpenTicket(open)) => Ok(vec![
            Change::Created(Box::new(open.origin.clone())),
            decide_ticket::made(&open.draft, None),
            first(&open.origin, MessageText::from(&open.draft.description), open.client_message_id.clone()),
        ]),
        (conversation, Command::EnterHelpCenter(origin)) => Ok(help_center::enter(conversation, origin)),
        (conversation, Command::WriteToHelpCenter(post)) => Ok(help_center::write(conversation, post)),
        // Only a repeated first send meets the conversation that it made; and this one is no repeat.
        (Some(_), Command::Open(_) | Command::OpenTicket(_)) => Err(Refusal::ClientMessageIdReused),
        (None, _) => Err(Refusal::NotFound),
        (Some(conversation), Command::Send(post)) => send(conversation, post),
        (Some(conversation), Command::Claim(agent)) => claim(conversation, agent),
        (Some(conversation), Command::Reply(post)) => reply(conversation, post),
        (Some(conversation), Command::Note(post)) => note(conversation, post),
        (Some(conversation), Command::Close(agent)) => close(conversation, agent),
        (Some(conversation), Command::Rate(rate)) => self::rate(conversation, rate),
        (Some(conversation), Command::AskHandover(ask)) => decide_handover::ask(conversation, ask),
        (Some(conversation), Command::AnswerHandover(answer)) => decide_handover::answer(conversation, answer),
        (Some(conversation), Command::CreateTicket { by, draft }) => decide_ticket::create(conversation, by, draft),
        (Some(conversation), of_ticket) => {
            let ticket = conversation.ticket.as_deref().ok_or(Refusal::TicketNotFound)?;
            decide_ticket::change(conversation, ticket, of_ticket)
        }
    }
}

/// Whether this caller may ask this of this conversation at all: existence and ownership. A repeated send is answered
/// behind this and before the conversation's state is looked at.
///
/// # Errors
/// A [`Refusal`] that [`Refusal::stands_before_a_repeat`].
pub fn permit(conversation: Option<&Conversation>, command: &Command) -> Result<(), Refusal> {
    let conversation = match conversation {
        _ if command.begins() => return Ok(()),
        None if matches!(command, Command::WriteToHelpCenter(_)) => return Ok(()),
        None if command.is_of_ticket() => return Err(Refusal::TicketNotFound),
        None => return Err(Refusal::NotFound),
        Some(conversation) if command.is_of_ticket() => return decide_ticket::permit(conversation, command),
        // A ticket's own thread is no conversation to anybody.
        Some(conversation) if conversation.channel == Channel::Ticket => return Err(Refusal::NotFound),
        Some(conversation) => conversation,
    };
    if conversation.channel == Channel::HelpCenter {
        match command {
            Command::WriteToHelpCenter(_) => {}
            // Its customer comes to it by the help center alone: anywhere else it is not there.
            Command::Send(_) | Command::Rate(_) => return Err(Refusal::NotFound),
            // Nobody has written in it yet: to agents it is not there.
            _ if conversation.message_count == 0 => return Err(Refusal::NotFound),
            _ => {}
        }
    }
    match command {
        Command::WriteToHelpCenter(post) => help_center::permit(conversation, &post.origin.customer),
        Command::Send(post) => owns(conversation, &post.from),
        Command::Reply(post) if conversation.is_held_by_another_than(&post.from.id) => Err(Refusal::AssignedToAnother),
        Command::Rate(rate) if conversation.owner != rate.from.owner => Err(Refusal::RateNotOwn),
        _ => Ok(()),
    }
}

/// The message that a conversation begins with.
fn first(origin: &Origin, text: MessageText, client_message_id: Option<ClientMessageId>) -> Change {
    Change::Message(Message {
        seq: Some(1),
        text,
        author: Author::Customer(origin.customer.clone()),
        client_message_id,
    })
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

pub(super) fn send(conversation: &Conversation, post: &Post<Customer>) -> Result<Vec<Change>, Refusal> {
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

pub(super) fn reply(conversation: &Conversation, post: &Post<Agent>) -> Result<Vec<Change>, Refusal> {
    if conversation.status == Status::Closed {
        return Err(Refusal::ReplyToClosed);
    }
    let claimed = (!conversation.is_held_by(&post.from.id)).then(|| Change::Claimed(post.from.clone()));
    let answer = visible(conversation, Author::Agent(post.from.clone()), post);
    Ok(claimed.into_iter().chain([answer]).chain(decide_ticket::begun(conversation, &post.from)).collect())
}

pub(super) fn note(conversation: &Conversation, post: &Post<Agent>) -> Result<Vec<Change>, Refusal> {
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
    // A handover that nobody has answered ends with the conversation.
    let rejected = conversation.pending_handover.as_ref().map(|handover| Change::HandoverResolved {
        handover: handover.clone(),
        by: agent.clone(),
        resolution: Resolution::Closed,
    });
    Ok(rejected.into_iter().chain([Change::Closed(agent.clone())]).collect())
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

pub(super) fn visible<Writer>(conversation: &Conversation, author: Author, post: &Post<Writer>) -> Change {
    Change::Message(Message {
        seq: Some(conversation.last_seq + 1),
        text: post.text.clone(),
        author,
        client_message_id: post.client_message_id.clone(),
    })
}
