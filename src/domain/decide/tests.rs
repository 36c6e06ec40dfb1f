//! The rules of the contract, by table. Texts stand here as `support-user.md` and `support-admin.md` spell them.

use crate::domain::*;
use crate::testing::{
    InMemoryConversation, account, agent, claim, close, customer, guest, note, note_as, open, reply, reply_as, send,
    send_as,
};

const ME: &str = "grace";
const ANOTHER: &str = "edsger";

const CLAIMED_BY_ANOTHER: &str =
    "This conversation is already assigned to another support agent. Use the handover flow to request a transfer.";
const ASSIGNED_TO_ANOTHER: &str =
    "This conversation is assigned to another support agent. Request a handover to take it over.";

/// What a command leads to: a row for each holder ([`HOLDERS`]), a column for each status ([`Status::ALL`]). A cell
/// names the events, or gives the refusal's words.
type Table = [[&'static str; 4]; 3];
const HOLDERS: [Option<&str>; 3] = [None, Some(ME), Some(ANOTHER)];

/// Ada's conversation, with one message in it, as if it had come to this status and holder.
fn conversation(status: Status, holder: Option<&str>) -> InMemoryConversation {
    let mut story = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    let now = story.now;
    let state = story.state.as_mut().unwrap();
    state.status = status;
    state.assignee = holder.map(|id| Assignee { id: account(id), name: agent(id).name, since: now });
    story.move_clock(1000);
    story
}

fn told(outcome: Result<Vec<Event>, Refusal>) -> String {
    match outcome {
        Ok(events) => events.iter().map(|event| event.change.kind()).collect::<Vec<_>>().join(", "),
        Err(refusal) => refusal.to_string(),
    }
}

fn check(command: &Command, table: Table) {
    for (holder, row) in HOLDERS.into_iter().zip(table) {
        for (status, expected) in Status::ALL.into_iter().zip(row) {
            let outcome = conversation(status, holder).execute(command);
            assert_eq!(told(outcome), expected, "{status:?}, held by {holder:?}");
        }
    }
}

#[test]
fn a_customer_writes_until_the_conversation_is_closed() {
    let row = ["message", "message", "message", "This conversation has been closed"];
    check(&send(customer("ada"), "And?"), [row; 3]);
}

/// Five stars of this customer.
fn rate(from: Customer) -> Command {
    SubmitRating {
        target: Target::Conversation,
        rate: Rate { from, rating: Rating::parse(5.0).unwrap(), feedback: Feedback::parse("quick").ok() },
    }
    .into()
}

#[test]
fn a_customer_rates_a_closed_conversation() {
    const OPEN: &str = "Can only rate closed conversations";
    check(&rate(customer("ada")), [[OPEN, OPEN, OPEN, "rated"]; 3]);
    check(&rate(customer("bob")), [["You can only rate your own conversations"; 4]; 3]);
}

#[test]
fn a_conversation_is_rated_once() {
    let mut story = conversation(Status::Closed, None);
    story.execute(&rate(customer("ada"))).unwrap();
    assert_eq!(told(story.execute(&rate(customer("ada")))), "Conversation already rated");
    assert_eq!(told(story.execute(&rate(customer("bob")))), "You can only rate your own conversations");
}

#[test]
fn an_agent_claims_what_nobody_holds() {
    check(
        &claim(ME),
        [
            ["claimed", "claimed", "claimed", "Cannot claim a closed conversation"],
            // The holder's claim succeeds and changes nothing: the contract lists this before "closed".
            [""; 4],
            [CLAIMED_BY_ANOTHER; 4],
        ],
    );
}

#[test]
fn a_reply_is_the_holders_and_claims_what_nobody_holds() {
    let closed = "Cannot reply to a closed conversation";
    check(
        &reply(ME, "Hi"),
        [
            ["claimed, message", "claimed, message", "claimed, message", closed],
            ["message", "message", "message", closed],
            [ASSIGNED_TO_ANOTHER; 4],
        ],
    );
}

#[test]
fn a_note_may_come_from_any_agent_until_the_conversation_is_closed() {
    check(&note(ME, "Hm"), [["note", "note", "note", "Cannot reply to a closed conversation"]; 3]);
}

#[test]
fn any_agent_closes_once() {
    check(&close(ME), [["closed", "closed", "closed", "Conversation is already closed"]; 3]);
}

#[test]
fn a_first_message_makes_the_conversation() {
    let mut story = InMemoryConversation::empty();
    let opening = open(customer("ada"), "Hello", "first");
    assert_eq!(told(story.execute(&opening)), "created, message");

    let conversation = story.conversation().clone();
    assert_eq!(conversation.id, story.id);
    assert_eq!(conversation.owner, Owner::Account(account("ada")));
    assert_eq!((conversation.channel, conversation.status), (Channel::Support, Status::Active));
    assert_eq!((conversation.version, conversation.last_seq, conversation.message_count), (2, 1, 1));
    assert_eq!((conversation.email.as_deref(), conversation.assignee), (Some("ada@example.com"), None));
    assert_eq!(conversation.phone_number.as_deref(), Some("+2348012345678"));
    assert_eq!(conversation.ip_address.as_deref(), Some("203.0.113.7"));
    assert_eq!(conversation.user_agent.as_deref(), Some("test"));
    assert_eq!(conversation.device_metadata.unwrap().as_object()["platform"], "ios");
    assert_eq!([conversation.created_at, conversation.updated_at, conversation.last_message_at], [story.now; 3]);

    let first = story.log[1].posted().unwrap();
    assert_eq!((first.position, first.message.seq), (2, Some(1)));
    assert_eq!(first.message.client_message_id, ClientMessageId::parse("first").ok());
    assert_eq!(first.message.author, Author::Customer(customer("ada")));
}

#[test]
fn what_does_not_exist_is_not_found_whatever_is_asked_of_it() {
    for command in [send(customer("ada"), "x"), claim(ME), reply(ME, "x"), note(ME, "x"), close(ME)] {
        assert_eq!(told(InMemoryConversation::empty().execute(&command)), "Conversation not found", "{command:?}");
    }
}

#[test]
fn a_conversation_is_not_opened_twice() {
    let mut story = InMemoryConversation::opened(&open(customer("ada"), "Hello", "first"));
    assert_eq!(
        told(story.execute(&open(customer("ada"), "Hello again", "first"))),
        "client_message_id was already used for another message"
    );
}

#[test]
fn only_its_owner_writes_as_the_customer() {
    for (owner, sender, expected) in [
        (customer("ada"), customer("ada"), "message"),
        (customer("ada"), customer("bob"), "Access denied"),
        // A guest learns of an account's conversation only that it is not theirs, even with the account's address.
        (customer("ada"), guest("ada@example.com"), "Access denied"),
        (guest("ada@example.com"), guest("ADA@Example.COM"), "message"),
        (guest("ada@example.com"), guest("bob@example.com"), "Email does not match the conversation owner"),
        // What belongs to an address belongs to no account, even where the account has that address.
        (guest("ada@example.com"), customer("ada"), "Access denied"),
    ] {
        let mut story = InMemoryConversation::opened(&open(owner.clone(), "Hello", ""));
        assert_eq!(told(story.execute(&send(sender.clone(), "x"))), expected, "{owner:?} {sender:?}");
    }
}

#[test]
fn whose_it_is_is_said_before_what_state_it_is_in() {
    let mut story = conversation(Status::Closed, Some(ANOTHER));
    assert_eq!(told(story.execute(&send(customer("bob"), "x"))), "Access denied");
    assert_eq!(told(story.execute(&send(guest("ada@example.com"), "x"))), "Access denied");
    assert_eq!(told(story.execute(&reply(ME, "x"))), ASSIGNED_TO_ANOTHER);
    assert_eq!(told(story.execute(&claim(ME))), CLAIMED_BY_ANOTHER);
}

#[test]
fn a_repeat_is_asked_for_behind_existence_and_ownership_and_before_the_state() {
    let closed = conversation(Status::Closed, Some(ANOTHER));
    for (command, permitted) in [
        (send_as(customer("ada"), "x", "name"), Ok(())),
        (send_as(customer("bob"), "x", "name"), Err(Refusal::AccessDenied)),
        (send_as(guest("bob@example.com"), "x", "name"), Err(Refusal::AccessDenied)),
        (reply(ANOTHER, "x"), Ok(())),
        (reply(ME, "x"), Err(Refusal::AssignedToAnother)),
        (note(ME, "x"), Ok(())),
        (claim(ME), Ok(())),
        (close(ME), Ok(())),
        (open(customer("ada"), "x", "name"), Ok(())),
    ] {
        assert_eq!(permit(closed.state.as_ref(), &command), permitted, "{command:?}");
        if let Err(refusal) = permitted {
            assert!(refusal.precedes_repeat());
        }
        if !matches!(command, Command::Open(_)) {
            assert_eq!(permit(None, &command), Err(Refusal::NotFound), "{command:?}");
        }
    }
}

#[test]
fn the_status_follows_what_happens() {
    // Of a conversation that nobody holds, in each status but closed.
    for status in [Status::Active, Status::WaitingSupport, Status::WaitingUser] {
        for (command, expected) in [
            (send(customer("ada"), "x"), Status::WaitingSupport),
            (claim(ME), Status::Active),
            (reply(ME, "x"), Status::WaitingUser),
            (note(ME, "x"), status),
            (close(ME), Status::Closed),
        ] {
            let mut story = conversation(status, None);
            story.execute(&command).unwrap();
            assert_eq!(story.conversation().status, expected, "{status:?} {command:?}");
        }
    }
}

#[test]
fn a_claim_says_who_holds_it_since_when() {
    let mut story = conversation(Status::WaitingSupport, None);
    story.execute(&claim(ME)).unwrap();
    let expected = Assignee { id: account(ME), name: "grace Agent".to_owned(), since: story.now };
    assert_eq!(story.conversation().assignee, Some(expected));
    assert_eq!(story.conversation().updated_at, story.now);
    assert!(
        story.conversation().is_held_by(&account(ME))
            && story.conversation().is_held_by_another_than(&account(ANOTHER))
    );
}

#[test]
fn the_holders_second_claim_changes_nothing() {
    let mut story = conversation(Status::Active, None);
    story.execute(&claim(ME)).unwrap();
    let before = story.clone();
    story.move_clock(1000);
    assert_eq!(story.execute(&claim(ME)), Ok(Vec::new()));
    assert_eq!((story.state, story.log), (before.state, before.log));
}

#[test]
fn a_reply_to_what_nobody_holds_claims_it_first() {
    let mut story = conversation(Status::WaitingSupport, None);
    let events = story.execute(&reply(ME, "Hi")).unwrap();
    assert_eq!(events[0].change, Change::Claimed(agent(ME)));
    assert_eq!(events[0].position + 1, events[1].position);
    let answer = events[1].posted().unwrap();
    assert_eq!((answer.message.seq, answer.message.author), (Some(2), Author::Agent(agent(ME))));
    assert!(story.conversation().is_held_by(&account(ME)));
    assert_eq!(story.conversation().status, Status::WaitingUser);
}

#[test]
fn a_note_touches_nothing_that_the_customer_can_see() {
    for status in [Status::Active, Status::WaitingSupport, Status::WaitingUser] {
        let mut story = conversation(status, None);
        let before = story.conversation().clone();
        let events = story.execute(&note(ME, "They are rude")).unwrap();
        assert_eq!(events[0].posted().unwrap().message.seq, None);
        // All of it but the place and the moment of the last event, and a count that only agents are shown.
        let expected =
            Conversation { version: before.version + 1, message_count: 2, last_event_at: story.now, ..before };
        assert_eq!(story.conversation(), &expected);
    }
}

#[test]
fn a_message_behind_a_note_takes_the_next_seq() {
    let mut story = conversation(Status::Active, None);
    story.execute(&note(ME, "Hm")).unwrap();
    let events = story.execute(&send(customer("ada"), "And?")).unwrap();
    let message = events[0].posted().unwrap();
    assert_eq!((message.position, message.message.seq), (4, Some(2)));
    assert_eq!((story.conversation().last_seq, story.conversation().message_count), (2, 3));
}

#[test]
fn the_last_visible_message_is_previewed_by_its_first_100_scalar_values() {
    let mut story = conversation(Status::Active, Some(ME));
    story.execute(&send(customer("ada"), &"é".repeat(101))).unwrap();
    let shown = story.conversation().last_message.clone().unwrap();
    assert_eq!((shown.preview, shown.is_from_user), ("é".repeat(100), true));
    assert_eq!(shown.sender_name.as_deref(), Some("ada Customer"));

    story.move_clock(1000);
    story.execute(&reply(ME, &"👋".repeat(100))).unwrap();
    let shown = story.conversation().last_message.clone().unwrap();
    assert_eq!((shown.preview, shown.is_from_user), ("👋".repeat(100), false));
    assert_eq!(shown.sender_name.as_deref(), Some("grace Agent"));
    assert_eq!([story.conversation().last_message_at, story.conversation().updated_at], [story.now; 2]);
}

#[test]
fn closing_and_claiming_leave_the_last_message_alone() {
    let mut story = conversation(Status::WaitingSupport, None);
    let before = story.conversation().clone();
    story.execute(&claim(ME)).unwrap();
    story.execute(&close(ANOTHER)).unwrap();
    let after = story.conversation();
    assert_eq!((&after.last_message, after.last_message_at), (&before.last_message, before.last_message_at));
    assert_eq!((after.last_seq, after.message_count, after.updated_at), (1, 1, story.now));
    assert!(after.is_held_by(&account(ME)), "who closes it does not take it");
    assert_eq!(story.log.last().unwrap().change, Change::Closed(agent(ANOTHER)));
}

#[test]
fn a_guests_message_bears_no_name() {
    let story = InMemoryConversation::opened(&open(guest("Ada@Example.com"), "Hello", ""));
    assert_eq!(story.conversation().last_message.as_ref().unwrap().sender_name, None);
    assert_eq!(story.conversation().email.as_deref(), Some("ada@example.com"));
    assert_eq!(story.conversation().owner.account(), None);
}

#[test]
fn a_conversation_is_shown_as_it_was_opened_however_much_has_happened_since() {
    let mut story = InMemoryConversation::opened(&open(customer("ada"), &"x".repeat(200), "first"));
    let opened = story.conversation().clone();
    let opening = story.log[1].posted().unwrap().message;
    assert_eq!(opened.as_opened(&opening), opened);

    story.move_clock(1000);
    for command in [note(ANOTHER, "Hm"), reply(ME, "Hi"), send(customer("ada"), "Thanks"), close(ME)] {
        story.execute(&command).unwrap();
    }
    story.execute(&rate(customer("ada"))).unwrap();
    assert_eq!(story.conversation().as_opened(&opening), opened);
}

#[test]
fn a_clock_that_was_set_back_does_not_turn_history_around() {
    let mut story = conversation(Status::Active, None);
    story.execute(&note(ME, "Hm")).unwrap();
    let noted = story.now;
    story.move_clock(-500);
    let events = story.execute(&send(customer("ada"), "And?")).unwrap();
    assert_eq!(events[0].at, noted, "a note too is something that happened");
}

#[test]
fn a_repeat_is_the_same_text_and_as_visible() {
    let mut story = conversation(Status::Active, Some(ME));
    let written = story.execute(&reply(ME, "Hi")).unwrap()[0].posted().unwrap().message;
    assert!(reply(ME, "Hi").would_write(&written));
    assert!(!reply(ME, "Ho").would_write(&written));
    assert!(!note(ME, "Hi").would_write(&written));
    assert!(!claim(ME).would_write(&written));
}

#[test]
fn a_name_is_the_senders_own() {
    let key = |command: Command| command.idempotency_key().map(|key| key.sender);
    assert_eq!(key(send_as(customer("ada"), "x", "n")).as_deref(), Some("account:ada"));
    assert_eq!(key(open(customer("ada"), "x", "n")).as_deref(), Some("account:ada"));
    assert_eq!(key(send_as(guest("Ada@Example.com"), "x", "n")).as_deref(), Some("guest:ada@example.com"));
    assert_eq!(key(reply_as(ME, "x", "n")).as_deref(), Some("account:grace"));
    assert_eq!(key(note_as(ME, "x", "n")).as_deref(), Some("account:grace"));
    for nameless in [send(customer("ada"), "x"), claim(ME), close(ME)] {
        assert_eq!(key(nameless), None);
    }
}
