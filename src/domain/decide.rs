//! The rules: what a command changes, or why it is refused (`support-user.md`, `support-admin.md`, `decisions.md`).

mod handover;
mod ownership;
mod target;
mod ticket;

#[cfg(test)]
mod tests;

use super::{
    AccountMove, AddNote, Agent, Author, Change, Channel, ClaimGuest, ClientMessageId, Command, Conversation, Message,
    MessageText, Open, Origin, Post, Refusal, SendMessage, SendReply, Status, help_center,
};

/// What a command changes, in order; nothing if it asks for what is so already.
///
/// `conversation` is the state as of the last event, `None` before the first.
///
/// # Errors
/// The first [`Refusal`] that applies: existence, ownership, state, in the contract's order. Repeats of a send are not
/// recognised here: the caller knows what was sent before, see [`permit`].
pub fn decide(conversation: Option<&Conversation>, command: &Command) -> Result<Vec<Change>, Refusal> {
    permit(conversation, command)?;
    let Some(conversation) = conversation else { return create(command) };
    match command {
        // A repeat of the send that created the conversation has been answered by now; this is another one.
        Command::Open(_) => Err(Refusal::ClientMessageIdReused),
        Command::EnterHelpCenter(_) => Ok(Vec::new()),
        Command::WriteToHelpCenter(post) => Ok(help_center::write(Some(conversation), post)),
        Command::ClaimGuest(claim) => claim_guest(conversation, claim),
        Command::Send(SendMessage(post)) => target::send(conversation, post),
        Command::Claim(claim) => self::claim(conversation, &claim.by),
        Command::Reply(SendReply(post)) => target::reply(conversation, post),
        Command::Note(AddNote(post)) => note(conversation, post),
        Command::Release(release) => ownership::release(conversation, release),
        Command::TakeOver(take_over) => ownership::take_over(conversation, take_over),
        Command::Assign(assign) => ownership::assign(conversation, assign),
        Command::Close(close) => ownership::close(conversation, &close.by),
        Command::Reopen(reopen) => ownership::reopen(conversation, reopen),
        Command::Rate(rating) => target::rate(conversation, rating),
        Command::RequestHandover(request) => handover::request(conversation, request),
        Command::AnswerHandover(answer) => handover::answer(conversation, answer),
        Command::WithdrawHandover(withdraw) => handover::withdraw(conversation, withdraw),
        Command::ExpireHandover(expire) => Ok(handover::expire(conversation, expire)),
        Command::CreateTicket(create) => ticket::create(conversation, create),
        Command::SetTicketStatus(set) => ticket::set_status(target::ticket(conversation)?, set),
        Command::AssignTicket(assign) if is_thread(conversation) => {
            ticket::assign(target::ticket(conversation)?, assign)
        }
        Command::AssignTicket(assign) => ownership::assign_ticket(conversation, assign),
        Command::PrioritiseTicket(prioritise) => ticket::prioritise(target::ticket(conversation)?, prioritise),
    }
}

/// Whether this caller may ask this of this conversation at all: existence and ownership. The repeat of a send is
/// answered after this check and before the conversation's state is considered.
///
/// # Errors
/// A [`Refusal`] that [`Refusal::precedes_repeat`].
pub fn permit(conversation: Option<&Conversation>, command: &Command) -> Result<(), Refusal> {
    if command.creates_conversation() {
        return Ok(());
    }
    let Some(conversation) = conversation else {
        let creates = matches!(command, Command::WriteToHelpCenter(_));
        return if creates { Ok(()) } else { Err(target::not_found(command.target())) };
    };
    target::find(conversation, command)?;
    match command {
        Command::WriteToHelpCenter(post) => help_center::permit(conversation, &post.origin.customer),
        Command::Send(SendMessage(post)) => target::permit_send(conversation, post),
        Command::Reply(SendReply(post)) => target::permit_reply(conversation, post),
        Command::Rate(rating) => target::permit_rating(conversation, rating),
        Command::AssignTicket(assign) if assign.to.is_none() => Err(Refusal::AssigneeUnknown),
        Command::Assign(assign) if assign.to.is_none() => Err(Refusal::AssigneeUnknown),
        Command::Open(_)
        | Command::EnterHelpCenter(_)
        | Command::ClaimGuest(_)
        | Command::Claim(_)
        | Command::Note(_)
        | Command::Release(_)
        | Command::TakeOver(_)
        | Command::Assign(_)
        | Command::Close(_)
        | Command::Reopen(_)
        | Command::RequestHandover(_)
        | Command::AnswerHandover(_)
        | Command::WithdrawHandover(_)
        | Command::ExpireHandover(_)
        | Command::CreateTicket(_)
        | Command::SetTicketStatus(_)
        | Command::AssignTicket(_)
        | Command::PrioritiseTicket(_) => Ok(()),
    }
}

/// Before the first event.
fn create(command: &Command) -> Result<Vec<Change>, Refusal> {
    match command {
        Command::Open(open) => Ok(self::open(open)),
        Command::EnterHelpCenter(enter) => Ok(vec![Change::Created(Box::new(enter.origin.clone()))]),
        Command::WriteToHelpCenter(post) => Ok(help_center::write(None, post)),
        Command::Send(_)
        | Command::ClaimGuest(_)
        | Command::Claim(_)
        | Command::Reply(_)
        | Command::Note(_)
        | Command::Release(_)
        | Command::TakeOver(_)
        | Command::Assign(_)
        | Command::Close(_)
        | Command::Reopen(_)
        | Command::Rate(_)
        | Command::RequestHandover(_)
        | Command::AnswerHandover(_)
        | Command::WithdrawHandover(_)
        | Command::ExpireHandover(_)
        | Command::CreateTicket(_)
        | Command::SetTicketStatus(_)
        | Command::AssignTicket(_)
        | Command::PrioritiseTicket(_) => Err(target::not_found(command.target())),
    }
}

fn open(open: &Open) -> Vec<Change> {
    let created = Change::Created(Box::new(open.origin.clone()));
    let ticket = open.ticket.as_deref().map(|draft| ticket::created(draft, None));
    let message = opening(&open.origin, open.text.clone(), open.client_message_id.clone());
    [Some(created), ticket, Some(message)].into_iter().flatten().collect()
}

fn opening(origin: &Origin, text: MessageText, client_message_id: Option<ClientMessageId>) -> Change {
    Change::Message(Message {
        seq: Some(1),
        text,
        author: Author::Customer(origin.customer.clone()),
        client_message_id,
    })
}

/// The guest's token is good for one account, the first one. For that account it changes nothing any more.
fn claim_guest(conversation: &Conversation, claim: &ClaimGuest) -> Result<Vec<Change>, Refusal> {
    let ClaimGuest { by, guest } = claim;
    if conversation.is_of_guest(guest) {
        return Ok(vec![Change::MovedToAccount(Box::new(AccountMove { by: by.clone(), guest: guest.clone() }))]);
    }
    let is_moved = conversation.owner == by.owner && conversation.guest_email.as_ref() == Some(guest);
    if is_moved { Ok(Vec::new()) } else { Err(Refusal::GuestTokenInvalid) }
}

fn claim(conversation: &Conversation, agent: &Agent) -> Result<Vec<Change>, Refusal> {
    if conversation.is_assigned_to_another(&agent.id) {
        return Err(Refusal::ClaimedByAnother);
    }
    if conversation.is_assigned_to(&agent.id) {
        return Ok(Vec::new());
    }
    if conversation.status == Status::Closed {
        return Err(Refusal::ClaimClosed);
    }
    Ok(vec![Change::Claimed(agent.clone())])
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

/// A message that the customer can see.
fn visible<Writer>(conversation: &Conversation, author: Author, post: &Post<Writer>) -> Change {
    Change::Message(Message {
        seq: Some(conversation.last_seq + 1),
        text: post.text.clone(),
        author,
        client_message_id: post.client_message_id.clone(),
    })
}

/// Whether the conversation is a ticket's thread, which only the ticket shows.
fn is_thread(conversation: &Conversation) -> bool {
    conversation.channel == Channel::Ticket
}
