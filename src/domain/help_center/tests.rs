//! The help center's conversation, rule by rule of `decisions.md`.

use crate::domain::*;
use crate::testing::{
    InMemoryConversation, ask_handover, claim, close, create_ticket, customer, enter, note, reply, send,
    set_ticket_status, write, write_as,
};

const POLICIES: [AutoReplyPolicy; 3] = [AutoReplyPolicy::Unassigned, AutoReplyPolicy::First, AutoReplyPolicy::Never];

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.change.kind()).collect()
}

/// Who wrote what, of what the customer can see.
fn seen(story: &InMemoryConversation) -> Vec<(i64, &str, &'static str)> {
    let visible = story.log.iter().filter_map(|event| match &event.change {
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

/// Ada has come, and has written nothing.
fn entered() -> InMemoryConversation {
    InMemoryConversation::opened(&enter(customer("ada")))
}

/// Ada has written "Hello".
fn begun(policy: AutoReplyPolicy) -> InMemoryConversation {
    let mut story = entered();
    story.execute(&write(customer("ada"), "Hello", policy)).unwrap();
    story
}

fn refused(story: &InMemoryConversation, command: &Command) -> Refusal {
    story.clone().execute(command).unwrap_err()
}

#[test]
fn who_comes_gets_an_empty_conversation_once() {
    let mut story = entered();
    assert_eq!(kinds(&story.log), ["created"]);
    let conversation = story.conversation();
    assert_eq!((conversation.channel, conversation.version), (Channel::HelpCenter, 1));
    assert_eq!((conversation.message_count, conversation.last_seq), (0, 0));
    assert_eq!(kinds(&story.execute(&enter(customer("ada"))).unwrap()), [""; 0]);
}

#[test]
fn who_writes_before_they_come_begins_it_too() {
    let mut story = InMemoryConversation::empty();
    let events = story.execute(&write(customer("ada"), "Hello", AutoReplyPolicy::Unassigned)).unwrap();
    assert_eq!(kinds(&events), ["created", "message", "message"]);
    assert_eq!(story.conversation().channel, Channel::HelpCenter);
}

#[test]
fn to_agents_it_is_not_there_before_somebody_has_written_in_it() {
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
fn the_support_apps_ways_do_not_lead_to_it() {
    let rate = |from| crate::testing::rate(Target::Conversation, from, 5.0);
    let mut story = begun(AutoReplyPolicy::Never);
    story.execute(&close("grace")).unwrap();
    for command in [send(customer("ada"), "Hello"), rate(customer("ada")), send(customer("bob"), "x")] {
        assert_eq!(refused(&story, &command), Refusal::NotFound, "{command:?}");
    }
    for account in ["ada", "bob"] {
        let permitted = story.conversation().permit_customer(&crate::testing::account(account));
        assert_eq!(permitted, Err(Refusal::NotFound));
    }
}

#[test]
fn nobody_else_writes_in_it_and_nobody_writes_elsewhere_by_it() {
    let story = begun(AutoReplyPolicy::Never);
    let bobs = write(customer("bob"), "x", AutoReplyPolicy::Never);
    assert_eq!(refused(&story, &bobs), Refusal::NotFound);
    let support = InMemoryConversation::opened(&crate::testing::open(customer("ada"), "Hello", ""));
    assert_eq!(refused(&support, &write(customer("ada"), "x", AutoReplyPolicy::Never)), Refusal::NotFound);
}

#[test]
fn an_auto_reply_follows_as_the_policy_says() {
    // A message; another; a claim and a message; closed and a message.
    for (policy, expected) in
        [(AutoReplyPolicy::Unassigned, "cacacca"), (AutoReplyPolicy::First, "caccc"), (AutoReplyPolicy::Never, "cccc")]
    {
        let mut story = begun(policy);
        story.execute(&write(customer("ada"), "2", policy)).unwrap();
        story.execute(&claim("grace")).unwrap();
        story.execute(&write(customer("ada"), "3", policy)).unwrap();
        story.execute(&close("grace")).unwrap();
        story.execute(&write(customer("ada"), "4", policy)).unwrap();
        let authors: String = seen(&story).iter().map(|(_, _, author)| &author[..1]).collect();
        assert_eq!(authors, expected, "{policy:?}");
        let seqs: Vec<i64> = seen(&story).iter().map(|(seq, _, _)| *seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
    }
}

#[test]
fn an_auto_reply_is_a_message_of_support_without_an_account() {
    let story = begun(AutoReplyPolicy::Unassigned);
    assert_eq!(seen(&story), [(1, "Hello", "customer"), (2, "We are coming", "auto-reply")]);
    let reply = story.log.last().unwrap().posted().unwrap().message;
    assert_eq!((reply.author.is_customer(), reply.author.is_agent()), (false, false));
    assert_eq!((reply.author.account(), reply.author.email(), reply.author.name()), (None, None, Some("Support")));
    assert_eq!(reply.client_message_id, None);
}

#[test]
fn an_auto_reply_changes_no_status_and_leaves_the_customers_message_unread() {
    for words in [&["1"][..], &["1", "2"]] {
        let [mut with, mut without] = [AutoReplyPolicy::Unassigned, AutoReplyPolicy::Never].map(|policy| {
            let mut story = entered();
            for words in words {
                story.execute(&write(customer("ada"), words, policy)).unwrap();
            }
            story.state.unwrap()
        });
        assert!(with.last_message.as_ref().unwrap().is_from_user);
        let replies = words.len() as i64;
        assert_eq!(with.version, without.version + replies);
        // It is counted, and nothing else: but for that, both are the same.
        for state in [&mut with, &mut without] {
            state.id = ConversationId(uuid::Uuid::nil());
            (state.version, state.last_seq, state.message_count) = (0, 0, 0);
        }
        assert_eq!(with, without);
    }
}

#[test]
fn an_auto_reply_is_no_answer_to_a_ticket() {
    let mut story = begun(AutoReplyPolicy::Unassigned);
    story.execute(&create_ticket("grace")).unwrap();
    story.move_clock(1000);
    let events = story.execute(&write(customer("ada"), "And?", AutoReplyPolicy::Unassigned)).unwrap();
    assert_eq!(kinds(&events), ["message", "message"]);
    let ticket = story.conversation().ticket.as_ref().unwrap();
    assert_eq!((ticket.first_response_at, ticket.last_response_at, ticket.updated_at), (None, None, story.now));
}

#[test]
fn a_status_is_what_it_is_in_any_conversation() {
    let mut story = begun(AutoReplyPolicy::Unassigned);
    assert_eq!(story.conversation().status, Status::Active);
    story.execute(&write(customer("ada"), "And?", AutoReplyPolicy::Unassigned)).unwrap();
    assert_eq!(story.conversation().status, Status::WaitingSupport);
    story.execute(&reply("grace", "Hi")).unwrap();
    assert_eq!(story.conversation().status, Status::WaitingUser);
    story.execute(&close("grace")).unwrap();
    assert_eq!(story.conversation().status, Status::Closed);
}

#[test]
fn a_message_into_a_closed_one_opens_it_again_and_it_is_nobodys() {
    for policy in POLICIES {
        let mut story = begun(policy);
        story.execute(&claim("grace")).unwrap();
        story.execute(&close("grace")).unwrap();
        let events = story.execute(&write(customer("ada"), "Still there?", policy)).unwrap();
        assert_eq!(kinds(&events)[..2], ["reopened", "message"]);
        assert_eq!((story.conversation().status, &story.conversation().assignee), (Status::WaitingSupport, &None));
        story.execute(&claim("edsger")).unwrap();
        assert!(story.conversation().is_held_by(&crate::testing::account("edsger")));
    }
}

#[test]
fn only_the_sends_own_message_stands_under_its_name() {
    let mut story = entered();
    let named = write_as(customer("ada"), "Hello", AutoReplyPolicy::Unassigned, "one");
    let events = story.execute(&named).unwrap();
    let key = named.idempotency_key().unwrap();
    let named_messages: Vec<_> = events
        .iter()
        .filter_map(Event::posted)
        .filter(|posted| posted.message.client_message_id.as_ref() == Some(&key.client_message_id))
        .collect();
    assert_eq!(named_messages.len(), 1);
    assert_eq!(named_messages[0].message.author.sender_key(), key.sender);
    assert!(named.would_write(&named_messages[0].message));
    assert!(!named.would_write(&events.last().unwrap().posted().unwrap().message));
    assert!(!write_as(customer("ada"), "Bye", AutoReplyPolicy::Never, "one").would_write(&named_messages[0].message));
}
