//! The rules of the contract as tables. Refusals are spelled as in `support-user.md` and `support-admin.md`.

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

/// The outcomes of a command: a row for each assignee ([`ASSIGNEES`]), a column for each status ([`Status::ALL`]). A cell
/// lists the kinds of events, or is the text of the refusal.
type Table = [[&'static str; 4]; 3];
const ASSIGNEES: [Option<&str>; 3] = [None, Some(ME), Some(ANOTHER)];

/// Ada's conversation with one message, in this status and with this assignee.
fn conversation(status: Status, assignee: Option<&str>) -> InMemoryConversation {
    let mut chat = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    let now = chat.now;
    let state = chat.state.as_mut().unwrap();
    state.status = status;
    state.assignee = assignee.map(|id| Assignee { id: account(id), name: agent(id).name, since: now });
    chat.move_clock(1000);
    chat
}

/// The kinds of the events, or the text of the refusal.
fn outcome(result: Result<Vec<Event>, Refusal>) -> String {
    match result {
        Ok(events) => events.iter().map(|event| event.change.kind()).collect::<Vec<_>>().join(", "),
        Err(refusal) => refusal.to_string(),
    }
}

fn check(command: &Command, table: Table) {
    for (assignee, row) in ASSIGNEES.into_iter().zip(table) {
        for (status, expected) in Status::ALL.into_iter().zip(row) {
            let result = conversation(status, assignee).execute(command);
            assert_eq!(outcome(result), expected, "{status:?}, assigned to {assignee:?}");
        }
    }
}

#[test]
fn a_customer_writes_until_the_conversation_is_closed() {
    let row = ["message", "message", "message", "This conversation has been closed"];
    check(&send(customer("ada"), "And?"), [row; 3]);
}

/// A five-star rating by this customer.
fn rate(from: Customer) -> Command {
    SubmitRating {
        target: Target::Conversation,
        rate: CustomerRating { from, rating: Rating::parse(5.0).unwrap(), feedback: Feedback::parse("quick").ok() },
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
    let mut chat = conversation(Status::Closed, None);
    chat.execute(&rate(customer("ada"))).unwrap();
    assert_eq!(outcome(chat.execute(&rate(customer("ada")))), "Conversation already rated");
    assert_eq!(outcome(chat.execute(&rate(customer("bob")))), "You can only rate your own conversations");
}

#[test]
fn an_agent_claims_an_unassigned_conversation() {
    check(
        &claim(ME),
        [
            ["claimed", "claimed", "claimed", "Cannot claim a closed conversation"],
            // A claim by the assignee succeeds and changes nothing; the contract lists this rule before "closed".
            [""; 4],
            [CLAIMED_BY_ANOTHER; 4],
        ],
    );
}

#[test]
fn only_the_assignee_replies_and_a_reply_claims_an_unassigned_conversation() {
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
fn any_agent_adds_notes_until_the_conversation_is_closed() {
    check(&note(ME, "Hm"), [["note", "note", "note", "Cannot reply to a closed conversation"]; 3]);
}

#[test]
fn any_agent_closes_a_conversation_once() {
    check(&close(ME), [["closed", "closed", "closed", "Conversation is already closed"]; 3]);
}

#[test]
fn a_first_message_creates_the_conversation() {
    let mut chat = InMemoryConversation::empty();
    let opening = open(customer("ada"), "Hello", "first");
    assert_eq!(outcome(chat.execute(&opening)), "created, message");

    let conversation = chat.conversation().clone();
    assert_eq!(conversation.id, chat.id);
    assert_eq!(conversation.owner, Owner::Account(account("ada")));
    assert_eq!((conversation.channel, conversation.status), (Channel::Support, Status::Active));
    assert_eq!((conversation.version, conversation.last_seq, conversation.message_count), (2, 1, 1));
    assert_eq!((conversation.email.as_deref(), conversation.assignee), (Some("ada@example.com"), None));
    assert_eq!(conversation.phone_number.as_deref(), Some("+2348012345678"));
    assert_eq!(conversation.ip_address.as_deref(), Some("203.0.113.7"));
    assert_eq!(conversation.user_agent.as_deref(), Some("test"));
    assert_eq!(conversation.device_metadata.unwrap().as_object()["platform"], "ios");
    assert_eq!([conversation.created_at, conversation.updated_at, conversation.last_message_at], [chat.now; 3]);

    let first = chat.log[1].posted().unwrap();
    assert_eq!((first.position, first.message.seq), (2, Some(1)));
    assert_eq!(first.message.client_message_id, ClientMessageId::parse("first").ok());
    assert_eq!(first.message.author, Author::Customer(customer("ada")));
}

#[test]
fn every_command_on_a_missing_conversation_is_refused_as_not_found() {
    for command in [send(customer("ada"), "x"), claim(ME), reply(ME, "x"), note(ME, "x"), close(ME)] {
        assert_eq!(outcome(InMemoryConversation::empty().execute(&command)), "Conversation not found", "{command:?}");
    }
}

#[test]
fn a_conversation_is_not_opened_twice() {
    let mut chat = InMemoryConversation::opened(&open(customer("ada"), "Hello", "first"));
    assert_eq!(
        outcome(chat.execute(&open(customer("ada"), "Hello again", "first"))),
        "client_message_id was already used for another message"
    );
}

#[test]
fn only_its_owner_writes_as_the_customer() {
    for (owner, sender, expected) in [
        (customer("ada"), customer("ada"), "message"),
        (customer("ada"), customer("bob"), "Access denied"),
        // A guest is denied an account's conversation, even with the account's address.
        (customer("ada"), guest("ada@example.com"), "Access denied"),
        (guest("ada@example.com"), guest("ADA@Example.COM"), "message"),
        (guest("ada@example.com"), guest("bob@example.com"), "Email does not match the conversation owner"),
        // A guest's conversation belongs to no account, even if the account has that address.
        (guest("ada@example.com"), customer("ada"), "Access denied"),
    ] {
        let mut chat = InMemoryConversation::opened(&open(owner.clone(), "Hello", ""));
        assert_eq!(outcome(chat.execute(&send(sender.clone(), "x"))), expected, "{owner:?} {sender:?}");
    }
}

#[test]
fn ownership_is_checked_before_state() {
    let mut chat = conversation(Status::Closed, Some(ANOTHER));
    assert_eq!(outcome(chat.execute(&send(customer("bob"), "x"))), "Access denied");
    assert_eq!(outcome(chat.execute(&send(guest("ada@example.com"), "x"))), "Access denied");
    assert_eq!(outcome(chat.execute(&reply(ME, "x"))), ASSIGNED_TO_ANOTHER);
    assert_eq!(outcome(chat.execute(&claim(ME))), CLAIMED_BY_ANOTHER);
}

#[test]
fn a_repeat_is_recognised_after_existence_and_ownership_and_before_state() {
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
fn each_command_sets_the_documented_status() {
    // An unassigned conversation in each status except closed.
    for status in [Status::Active, Status::WaitingSupport, Status::WaitingUser] {
        for (command, expected) in [
            (send(customer("ada"), "x"), Status::WaitingSupport),
            (claim(ME), Status::Active),
            (reply(ME, "x"), Status::WaitingUser),
            (note(ME, "x"), status),
            (close(ME), Status::Closed),
        ] {
            let mut chat = conversation(status, None);
            chat.execute(&command).unwrap();
            assert_eq!(chat.conversation().status, expected, "{status:?} {command:?}");
        }
    }
}

#[test]
fn a_claim_records_the_assignee_and_the_time() {
    let mut chat = conversation(Status::WaitingSupport, None);
    chat.execute(&claim(ME)).unwrap();
    let expected = Assignee { id: account(ME), name: "grace Agent".to_owned(), since: chat.now };
    assert_eq!(chat.conversation().assignee, Some(expected));
    assert_eq!(chat.conversation().updated_at, chat.now);
    assert!(
        chat.conversation().is_assigned_to(&account(ME))
            && chat.conversation().is_assigned_to_another(&account(ANOTHER))
    );
}

#[test]
fn a_second_claim_by_the_assignee_changes_nothing() {
    let mut chat = conversation(Status::Active, None);
    chat.execute(&claim(ME)).unwrap();
    let before = chat.clone();
    chat.move_clock(1000);
    assert_eq!(chat.execute(&claim(ME)), Ok(Vec::new()));
    assert_eq!((chat.state, chat.log), (before.state, before.log));
}

#[test]
fn a_reply_to_an_unassigned_conversation_claims_it_first() {
    let mut chat = conversation(Status::WaitingSupport, None);
    let events = chat.execute(&reply(ME, "Hi")).unwrap();
    assert_eq!(events[0].change, Change::Claimed(agent(ME)));
    assert_eq!(events[0].position + 1, events[1].position);
    let answer = events[1].posted().unwrap();
    assert_eq!((answer.message.seq, answer.message.author), (Some(2), Author::Agent(agent(ME))));
    assert!(chat.conversation().is_assigned_to(&account(ME)));
    assert_eq!(chat.conversation().status, Status::WaitingUser);
}

#[test]
fn a_note_changes_only_the_version_and_the_message_count() {
    for status in [Status::Active, Status::WaitingSupport, Status::WaitingUser] {
        let mut chat = conversation(status, None);
        let before = chat.conversation().clone();
        let events = chat.execute(&note(ME, "They are rude")).unwrap();
        assert_eq!(events[0].posted().unwrap().message.seq, None);
        // Only the position and time of the last event change, and a count that only agents see.
        let expected =
            Conversation { version: before.version + 1, message_count: 2, last_event_at: chat.now, ..before };
        assert_eq!(chat.conversation(), &expected);
    }
}

#[test]
fn a_note_does_not_consume_a_seq() {
    let mut chat = conversation(Status::Active, None);
    chat.execute(&note(ME, "Hm")).unwrap();
    let events = chat.execute(&send(customer("ada"), "And?")).unwrap();
    let message = events[0].posted().unwrap();
    assert_eq!((message.position, message.message.seq), (4, Some(2)));
    assert_eq!((chat.conversation().last_seq, chat.conversation().message_count), (2, 3));
}

#[test]
fn the_last_visible_message_is_previewed_by_its_first_100_scalar_values() {
    let mut chat = conversation(Status::Active, Some(ME));
    chat.execute(&send(customer("ada"), &"é".repeat(101))).unwrap();
    let shown = chat.conversation().last_message.clone().unwrap();
    assert_eq!((shown.preview, shown.is_from_user), ("é".repeat(100), true));
    assert_eq!(shown.sender_name.as_deref(), Some("ada Customer"));

    chat.move_clock(1000);
    chat.execute(&reply(ME, &"👋".repeat(100))).unwrap();
    let shown = chat.conversation().last_message.clone().unwrap();
    assert_eq!((shown.preview, shown.is_from_user), ("👋".repeat(100), false));
    assert_eq!(shown.sender_name.as_deref(), Some("grace Agent"));
    assert_eq!([chat.conversation().last_message_at, chat.conversation().updated_at], [chat.now; 2]);
}

#[test]
fn claiming_and_closing_do_not_change_the_last_message() {
    let mut chat = conversation(Status::WaitingSupport, None);
    let before = chat.conversation().clone();
    chat.execute(&claim(ME)).unwrap();
    chat.execute(&close(ANOTHER)).unwrap();
    let after = chat.conversation();
    assert_eq!((&after.last_message, after.last_message_at), (&before.last_message, before.last_message_at));
    assert_eq!((after.last_seq, after.message_count, after.updated_at), (1, 1, chat.now));
    assert!(after.is_assigned_to(&account(ME)), "closing does not change the assignee");
    assert_eq!(chat.log.last().unwrap().change, Change::Closed { by: agent(ANOTHER), open_ticket: None });
}

#[test]
fn a_message_from_a_guest_has_no_sender_name() {
    let chat = InMemoryConversation::opened(&open(guest("Ada@Example.com"), "Hello", ""));
    assert_eq!(chat.conversation().last_message.as_ref().unwrap().sender_name, None);
    assert_eq!(chat.conversation().email.as_deref(), Some("ada@example.com"));
    assert_eq!(chat.conversation().owner.account(), None);
}

#[test]
fn as_opened_restores_the_state_after_the_first_message() {
    let mut chat = InMemoryConversation::opened(&open(customer("ada"), &"x".repeat(200), "first"));
    let opened = chat.conversation().clone();
    let opening = chat.log[1].posted().unwrap().message;
    assert_eq!(opened.as_opened(&opening), opened);

    chat.move_clock(1000);
    for command in [note(ANOTHER, "Hm"), reply(ME, "Hi"), send(customer("ada"), "Thanks"), close(ME)] {
        chat.execute(&command).unwrap();
    }
    chat.execute(&rate(customer("ada"))).unwrap();
    assert_eq!(chat.conversation().as_opened(&opening), opened);
}

#[test]
fn a_clock_that_is_set_back_does_not_reorder_history() {
    let mut chat = conversation(Status::Active, None);
    chat.execute(&note(ME, "Hm")).unwrap();
    let noted = chat.now;
    chat.move_clock(-500);
    let events = chat.execute(&send(customer("ada"), "And?")).unwrap();
    assert_eq!(events[0].at, noted, "a note is an event too");
}

#[test]
fn a_repeat_has_the_same_text_and_visibility() {
    let mut chat = conversation(Status::Active, Some(ME));
    let written = chat.execute(&reply(ME, "Hi")).unwrap()[0].posted().unwrap().message;
    assert!(reply(ME, "Hi").would_write(&written));
    assert!(!reply(ME, "Ho").would_write(&written));
    assert!(!note(ME, "Hi").would_write(&written));
    assert!(!claim(ME).would_write(&written));
}

#[test]
fn a_client_message_id_is_scoped_to_its_sender() {
    let key = |command: Command| command.idempotency_key().map(|key| key.sender);
    assert_eq!(key(send_as(customer("ada"), "x", "n")).as_deref(), Some("account:ada"));
    assert_eq!(key(open(customer("ada"), "x", "n")).as_deref(), Some("account:ada"));
    assert_eq!(key(send_as(guest("Ada@Example.com"), "x", "n")).as_deref(), Some("guest:ada@example.com"));
    assert_eq!(key(reply_as(ME, "x", "n")).as_deref(), Some("account:grace"));
    assert_eq!(key(note_as(ME, "x", "n")).as_deref(), Some("account:grace"));
    for without_id in [send(customer("ada"), "x"), claim(ME), close(ME)] {
        assert_eq!(key(without_id), None);
    }
}
