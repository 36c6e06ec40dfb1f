//! The rules of help-center conversations, in the order of `decisions.md`.

use crate::domain::*;
use crate::testing::{
    InMemoryConversation, ask_handover, claim, close, create_ticket, customer, enter, note, reply, send,
    set_ticket_status, write, write_as,
};

const POLICIES: [AutoReplyPolicy; 3] = [AutoReplyPolicy::Unassigned, AutoReplyPolicy::First, AutoReplyPolicy::Never];

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.change.kind()).collect()
}

/// The messages visible to the customer: `seq`, text, author.
fn visible_messages(chat: &InMemoryConversation) -> Vec<(i64, &str, &'static str)> {
    let visible = chat.log.iter().filter_map(|event| match &event.change {
        Change::Message(message) => message.seq.map(|seq| (seq, message)),
        _ => None,
    });
    visible
        .map(|(seq, message)| {
            let author = match message.author {
                Author::Customer(_) => "customer",
                Author::Agent(_) => "agent",
                Author::AutoReply { .. } => "auto-reply",
            };
            (seq, message.text.as_str(), author)
        })
        .collect()
}

/// Ada has entered and has written nothing.
fn entered() -> InMemoryConversation {
    InMemoryConversation::opened(&enter(customer("ada")))
}

/// Ada has written "Hello".
fn started(policy: AutoReplyPolicy) -> InMemoryConversation {
    let mut chat = entered();
    chat.execute(&write(customer("ada"), "Hello", policy)).unwrap();
    chat
}

fn refused(chat: &InMemoryConversation, command: &Command) -> Refusal {
    chat.clone().execute(command).unwrap_err()
}

#[test]
fn entering_creates_one_empty_conversation() {
    let mut chat = entered();
    assert_eq!(kinds(&chat.log), ["created"]);
    let conversation = chat.conversation();
    assert_eq!((conversation.channel, conversation.version), (Channel::HelpCenter, 1));
    assert_eq!((conversation.message_count, conversation.last_seq), (0, 0));
    assert_eq!(kinds(&chat.execute(&enter(customer("ada"))).unwrap()), [""; 0]);
}

#[test]
fn writing_before_entering_creates_the_conversation_too() {
    let mut chat = InMemoryConversation::empty();
    let events = chat.execute(&write(customer("ada"), "Hello", AutoReplyPolicy::Unassigned)).unwrap();
    assert_eq!(kinds(&events), ["created", "message", "message"]);
    assert_eq!(chat.conversation().channel, Channel::HelpCenter);
}

#[test]
fn an_empty_conversation_does_not_exist_for_agents() {
    let all = [
        claim("grace"),
        reply("grace", "Hi"),
        note("grace", "Hm"),
        close("grace"),
        create_ticket("grace"),
        ask_handover("grace", "edsger"),
    ];
    for command in all {
        assert_eq!(refused(&entered(), &command), Refusal::NotFound, "{command:?}");
    }
    assert_eq!(refused(&entered(), &set_ticket_status("grace", TicketStatus::Closed)), Refusal::TicketNotFound);
}

#[test]
fn the_support_app_cannot_reach_a_help_center_conversation() {
    let rate = |from| crate::testing::rate(Target::Conversation, from, 5.0);
    let mut chat = started(AutoReplyPolicy::Never);
    chat.execute(&close("grace")).unwrap();
    for command in [send(customer("ada"), "Hello"), rate(customer("ada")), send(customer("bob"), "x")] {
        assert_eq!(refused(&chat, &command), Refusal::NotFound, "{command:?}");
    }
    for account in ["ada", "bob"] {
        let permitted = chat.conversation().permit_customer(&crate::testing::account(account));
        assert_eq!(permitted, Err(Refusal::NotFound));
    }
}

#[test]
fn a_help_center_message_reaches_only_the_customers_own_help_center_conversation() {
    let chat = started(AutoReplyPolicy::Never);
    let bobs = write(customer("bob"), "x", AutoReplyPolicy::Never);
    assert_eq!(refused(&chat, &bobs), Refusal::NotFound);
    let support = InMemoryConversation::opened(&crate::testing::open(customer("ada"), "Hello", ""));
    assert_eq!(refused(&support, &write(customer("ada"), "x", AutoReplyPolicy::Never)), Refusal::NotFound);
}

#[test]
fn an_auto_reply_follows_according_to_the_policy() {
    // Two messages, a claim, a message, a close, a message. `c` is the customer, `a` an auto-reply.
    for (policy, expected) in
        [(AutoReplyPolicy::Unassigned, "cacacca"), (AutoReplyPolicy::First, "caccc"), (AutoReplyPolicy::Never, "cccc")]
    {
        let mut chat = started(policy);
        chat.execute(&write(customer("ada"), "2", policy)).unwrap();
        chat.execute(&claim("grace")).unwrap();
        chat.execute(&write(customer("ada"), "3", policy)).unwrap();
        chat.execute(&close("grace")).unwrap();
        chat.execute(&write(customer("ada"), "4", policy)).unwrap();
        let authors: String = visible_messages(&chat).iter().map(|(_, _, author)| &author[..1]).collect();
        assert_eq!(authors, expected, "{policy:?}");
        let seqs: Vec<i64> = visible_messages(&chat).iter().map(|(seq, _, _)| *seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
    }
}

#[test]
fn an_auto_reply_has_a_sender_name_and_no_account() {
    let chat = started(AutoReplyPolicy::Unassigned);
    assert_eq!(visible_messages(&chat), [(1, "Hello", "customer"), (2, "We are coming", "auto-reply")]);
    let reply = chat.log.last().unwrap().posted().unwrap().message;
    assert_eq!((reply.author.is_customer(), reply.author.is_agent()), (false, false));
    assert_eq!((reply.author.account(), reply.author.email(), reply.author.name()), (None, None, Some("Support")));
    assert_eq!(reply.client_message_id, None);
}

#[test]
fn an_auto_reply_changes_no_status_and_leaves_the_customers_message_unread() {
    for texts in [&["1"][..], &["1", "2"]] {
        let [mut with, mut without] = [AutoReplyPolicy::Unassigned, AutoReplyPolicy::Never].map(|policy| {
            let mut chat = entered();
            for text in texts {
                chat.execute(&write(customer("ada"), text, policy)).unwrap();
            }
            chat.state.unwrap()
        });
        assert!(with.last_message.as_ref().unwrap().is_from_user);
        let replies = texts.len() as i64;
        assert_eq!(with.version, without.version + replies);
        // Auto-replies change only the counters; apart from those the states are equal.
        for state in [&mut with, &mut without] {
            state.id = ConversationId(uuid::Uuid::nil());
            (state.version, state.last_seq, state.message_count) = (0, 0, 0);
        }
        assert_eq!(with, without);
    }
}

#[test]
fn an_auto_reply_does_not_count_as_a_response_to_a_ticket() {
    let mut chat = started(AutoReplyPolicy::Unassigned);
    chat.execute(&create_ticket("grace")).unwrap();
    chat.move_clock(1000);
    let events = chat.execute(&write(customer("ada"), "And?", AutoReplyPolicy::Unassigned)).unwrap();
    assert_eq!(kinds(&events), ["message", "message"]);
    let ticket = chat.conversation().ticket.as_ref().unwrap();
    assert_eq!((ticket.first_response_at, ticket.last_response_at, ticket.updated_at), (None, None, chat.now));
}

#[test]
fn the_status_changes_as_in_any_other_conversation() {
    let mut chat = started(AutoReplyPolicy::Unassigned);
    assert_eq!(chat.conversation().status, Status::Active);
    chat.execute(&write(customer("ada"), "And?", AutoReplyPolicy::Unassigned)).unwrap();
    assert_eq!(chat.conversation().status, Status::WaitingSupport);
    chat.execute(&reply("grace", "Hi")).unwrap();
    assert_eq!(chat.conversation().status, Status::WaitingUser);
    chat.execute(&close("grace")).unwrap();
    assert_eq!(chat.conversation().status, Status::Closed);
}

#[test]
fn a_message_to_a_closed_conversation_reopens_it_unassigned() {
    for policy in POLICIES {
        let mut chat = started(policy);
        chat.execute(&claim("grace")).unwrap();
        chat.execute(&close("grace")).unwrap();
        let events = chat.execute(&write(customer("ada"), "Still there?", policy)).unwrap();
        assert_eq!(kinds(&events)[..2], ["reopened", "message"]);
        assert_eq!((chat.conversation().status, &chat.conversation().assignee), (Status::WaitingSupport, &None));
        chat.execute(&claim("edsger")).unwrap();
        assert!(chat.conversation().is_assigned_to(&crate::testing::account("edsger")));
    }
}

#[test]
fn only_the_customers_message_is_stored_under_the_idempotency_key() {
    let mut chat = entered();
    let send = write_as(customer("ada"), "Hello", AutoReplyPolicy::Unassigned, "one");
    let events = chat.execute(&send).unwrap();
    let key = send.idempotency_key().unwrap();
    let stored: Vec<_> = events
        .iter()
        .filter_map(Event::posted)
        .filter(|posted| posted.message.client_message_id.as_ref() == Some(&key.client_message_id))
        .collect();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].message.author.sender_key(), key.sender);
    assert!(send.would_write(&stored[0].message));
    assert!(!send.would_write(&events.last().unwrap().posted().unwrap().message));
    assert!(!write_as(customer("ada"), "Bye", AutoReplyPolicy::Never, "one").would_write(&stored[0].message));
}
