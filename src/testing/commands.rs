//! Customers and agents, and their commands. An empty `client_message_id` is none.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use crate::domain::{
    Absence, AddNote, Agent, AnswerHandover, AssignConversation, AssignTicket, AutoReply, AutoReplyPolicy, Channel,
    Claim, ClientMessageId, Close, Command, CreateTicket, Customer, CustomerRating, Description, DeviceMetadata,
    EmailAddress, EnterHelpCenter, ExpireHandover, HandoverId, HelpCenterPost, MessageText, Open, Origin, Owner, Party,
    Post, Rating, Reason, Release, Reopen, RequestHandover, SendMessage, SendReply, SetTicketStatus, Subject,
    SubmitRating, SupportType, TakeOver, Target, TicketDraft, TicketId, TicketPriority, TicketStatus, Timestamp,
    UserId, WithdrawHandover,
};

pub(crate) fn text(text: &str) -> MessageText {
    MessageText::parse(text).expect("a valid text")
}

pub(crate) fn account(id: &str) -> UserId {
    UserId::parse(id).expect("a valid id")
}

/// A customer with an account.
pub(crate) fn customer(id: &str) -> Customer {
    Customer {
        owner: Owner::Account(account(id)),
        name: Some(format!("{id} Customer")),
        email: Some(format!("{id}@example.com")),
        phone_number: Some("+2348012345678".to_owned()),
    }
}

/// A customer with an email address and no account.
pub(crate) fn guest(email: &str) -> Customer {
    Customer::guest(EmailAddress::parse(email).expect("a valid address"))
}

pub(crate) fn agent(id: &str) -> Agent {
    Agent { id: account(id), name: format!("{id} Agent"), email: Some(format!("{id}@support.example.com")) }
}

fn id(client_message_id: &str) -> Option<ClientMessageId> {
    (!client_message_id.is_empty()).then(|| ClientMessageId::parse(client_message_id).expect("a valid key"))
}

/// A first message.
pub(crate) fn open(customer: Customer, words: &str, client_message_id: &str) -> Command {
    let device = json!({ "platform": "ios", "app_version": "2.1.0" });
    let origin = Origin {
        channel: Channel::Support,
        customer,
        device_metadata: device.as_object().cloned().map(|device| DeviceMetadata::parse(device).expect("small")),
        ip_address: Some("203.0.113.7".to_owned()),
        user_agent: Some("test".to_owned()),
    };
    Open { origin, text: text(words), ticket: None, client_message_id: id(client_message_id) }.into()
}

pub(crate) fn send(from: Customer, words: &str) -> Command {
    send_as(from, words, "")
}

pub(crate) fn send_as(from: Customer, words: &str, client_message_id: &str) -> Command {
    SendMessage(post(Target::Conversation, from, words, client_message_id)).into()
}

pub(crate) fn send_to_ticket(from: Customer, words: &str) -> Command {
    SendMessage(post(Target::Ticket, from, words, "")).into()
}

fn post<Writer>(target: Target, from: Writer, words: &str, client_message_id: &str) -> Post<Writer> {
    Post { target, from, text: text(words), client_message_id: id(client_message_id) }
}

pub(crate) fn reply(from: &str, words: &str) -> Command {
    reply_as(from, words, "")
}

pub(crate) fn reply_as(from: &str, words: &str, client_message_id: &str) -> Command {
    SendReply(post(Target::Conversation, agent(from), words, client_message_id)).into()
}

pub(crate) fn reply_to_ticket(from: &str, words: &str) -> Command {
    SendReply(post(Target::Ticket, agent(from), words, "")).into()
}

pub(crate) fn note(from: &str, words: &str) -> Command {
    note_as(from, words, "")
}

pub(crate) fn note_as(from: &str, words: &str, client_message_id: &str) -> Command {
    AddNote(post(Target::Conversation, agent(from), words, client_message_id)).into()
}

pub(crate) fn note_on_ticket(from: &str, words: &str) -> Command {
    AddNote(post(Target::Ticket, agent(from), words, "")).into()
}

pub(crate) fn claim(by: &str) -> Command {
    Claim { by: agent(by) }.into()
}

/// A rating without feedback.
pub(crate) fn rate(target: Target, from: Customer, stars: f64) -> Command {
    let rating = Rating::parse(stars).expect("1 to 5");
    SubmitRating { target, rate: CustomerRating { from, rating, feedback: None } }.into()
}

pub(crate) fn close(by: &str) -> Command {
    Close { by: agent(by) }.into()
}

/// Requests a handover to `to`, an agent of the directory.
pub(crate) fn ask_handover(from: &str, to: &str) -> Command {
    RequestHandover {
        id: HandoverId(Uuid::now_v7()),
        from: agent(from),
        to: Some(account(to)),
        to_name: Some(agent(to).name),
        reason: Reason::parse("lunch").ok(),
        is_target_online: true,
    }
    .into()
}

pub(crate) fn answer_handover(by: &str, handover: HandoverId, accept: bool) -> Command {
    Command::AnswerHandover(AnswerHandover { by: agent(by), handover, accept })
}

pub(crate) fn withdraw_handover(by: &str, handover: HandoverId) -> Command {
    WithdrawHandover { by: agent(by), handover }.into()
}

pub(crate) fn expire_handover(handover: HandoverId) -> Command {
    ExpireHandover { handover }.into()
}

pub(crate) fn release(by: &str) -> Command {
    Release { by: agent(by) }.into()
}

/// Takes over from this agent, who has been absent since this time; `None` if the assignee is present.
pub(crate) fn take_over(by: &str, absent: Option<(&str, Timestamp)>) -> Command {
    let absence = absent.map(|(id, since)| Absence { agent: account(id), since });
    TakeOver { by: agent(by), reason: Reason::parse("They left").ok(), absence }.into()
}

pub(crate) fn assign(by: &str, to: &str) -> Command {
    AssignConversation { by: agent(by), to: Some(Party::from(&agent(to))) }.into()
}

pub(crate) fn reopen(by: &str) -> Command {
    Reopen { by: agent(by) }.into()
}

/// Assigns the ticket, as an agent who is no supervisor and whose conversation's holder is present.
pub(crate) fn assign_ticket(by: &str, to: &str) -> AssignTicket {
    AssignTicket { by: agent(by), to: Some(Party::from(&agent(to))), is_supervisor: false, absence: None }
}

pub(crate) fn draft(subject: &str) -> TicketDraft {
    TicketDraft {
        id: TicketId(Uuid::now_v7()),
        subject: Subject::parse(subject).expect("a valid subject"),
        description: Description::parse("It does not work").expect("a valid description"),
        support_type: SupportType::GeneralInquiry,
        priority: TicketPriority::Medium,
        related_transaction_id: None,
        session_id: None,
    }
}

pub(crate) fn create_ticket(by: &str) -> Command {
    CreateTicket { by: agent(by), draft: draft("Broken") }.into()
}

/// A customer creates a ticket without a conversation.
pub(crate) fn open_ticket(customer: Customer, client_message_id: &str) -> Command {
    let origin =
        Origin { channel: Channel::Ticket, customer, device_metadata: None, ip_address: None, user_agent: None };
    let draft = draft("Broken");
    let text = MessageText::from(&draft.description);
    Open { origin, text, ticket: Some(Box::new(draft)), client_message_id: id(client_message_id) }.into()
}

pub(crate) fn set_ticket_status(by: &str, status: TicketStatus) -> Command {
    SetTicketStatus { by: agent(by), status, notes: None }.into()
}

fn in_help_center(customer: Customer) -> Origin {
    Origin { channel: Channel::HelpCenter, customer, device_metadata: None, ip_address: None, user_agent: None }
}

/// A customer opens the help center.
pub(crate) fn enter(customer: Customer) -> Command {
    EnterHelpCenter { origin: in_help_center(customer) }.into()
}

/// A customer writes in the help center, where the auto-reply is "We are coming".
pub(crate) fn write(from: Customer, words: &str, policy: AutoReplyPolicy) -> Command {
    write_as(from, words, policy, "")
}

pub(crate) fn write_as(from: Customer, words: &str, policy: AutoReplyPolicy, client_message_id: &str) -> Command {
    let auto_reply = AutoReply { policy, text: text("We are coming"), sender_name: "Support".to_owned() };
    HelpCenterPost {
        origin: in_help_center(from),
        text: text(words),
        client_message_id: id(client_message_id),
        auto_reply: Arc::new(auto_reply),
    }
    .into()
}
