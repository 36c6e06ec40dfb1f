//! A send with a `client_message_id` is stored once, however often and on whichever server it is repeated.

use std::time::Duration;

use super::server::{Answer, Outcome, Server, assert_seq_has_no_gap, open_with, posted, written};
use crate::conversation::CommandError;
use crate::domain::{Author, Command, Conversation, Posted, Refusal};
use crate::testing::{
    BlockedRuntime, TestDatabase, close, customer, guest, note_as, on_both_databases, open, reply_as, send, send_as,
};

const REUSED: Answer = Err(CommandError::Refused(Refusal::ClientMessageIdReused));

/// A server without an idempotency cache: it knows the keys of the sends in flight, and looks up all others in the
/// database.
async fn start_without_cache(database: &TestDatabase) -> Server {
    Server::start_with(database, |settings| settings.conversation.idempotency_cache_size = 0).await
}

/// The parts of an answer that a repeat must reproduce; a phone number is not stored with a message.
#[track_caller]
fn shown(answer: Answer) -> (Option<Conversation>, Posted) {
    let (conversation, message) = match answer {
        Ok(Outcome::Opened { conversation, message }) => (Some(conversation.as_ref().clone()), message),
        Ok(Outcome::Posted(message)) => (None, message),
        other => panic!("no message: {other:?}"),
    };
    let mut message = message.as_ref().clone();
    if let Author::Customer(author) = &mut message.message.author {
        author.phone_number = None;
    }
    (conversation, message)
}

#[track_caller]
fn assert_equal(answers: Vec<Answer>) -> Posted {
    assert_eq!(answers.len(), 20);
    let mut answers = answers.into_iter().map(shown);
    let first = answers.next().unwrap();
    answers.for_each(|answer| assert_eq!(answer, first));
    first.1
}

async fn twenty_equal_sends_store_one_message_and_get_one_answer(database: TestDatabase) {
    for server in [Server::start(&database).await, start_without_cache(&database).await] {
        let id = server.opened().await;
        for command in [
            send_as(customer("ada"), "once", &format!("{id}")),
            reply_as("grace", "once", &format!("{id} reply")),
            note_as("edsger", "once", &format!("{id} note")),
        ] {
            let before = written(&database, id).await.len();
            let mut asking = Vec::new();
            for _ in 0..20 {
                asking.push(server.asking(id, command.clone()));
                // Other sends in between, which the repeats must neither delay nor affect.
                asking.push(server.asking(id, send(customer("ada"), "often")));
            }
            let (mut answers, mut others) = (Vec::new(), Vec::new());
            for (number, answer) in asking.into_iter().enumerate() {
                if number % 2 == 0 { &mut answers } else { &mut others }.push(answer.await.unwrap());
            }
            let once = assert_equal(answers);
            others.into_iter().for_each(|answer| assert_ne!(posted(answer).id, once.id));
            // Once more when nothing is in flight.
            assert_eq!(shown(server.ask(id, command).await).1, once);
            let written = written(&database, id).await;
            assert_seq_has_no_gap(&written);
            assert_eq!(written.len(), before + 21);
        }
    }
}

async fn twenty_equal_sends_to_two_servers_store_one_message_and_get_one_answer(database: TestDatabase) {
    for servers in [
        [Server::start(&database).await, Server::start(&database).await],
        [start_without_cache(&database).await, start_without_cache(&database).await],
    ] {
        let id = servers[0].opened().await;
        for round in 0..10 {
            let command = send_as(customer("ada"), "once", &format!("{id} {round}"));
            let asking: Vec<_> = (0..20).map(|number| servers[number % 2].asking(id, command.clone())).collect();
            let mut answers = Vec::new();
            for answer in asking {
                answers.push(answer.await.unwrap());
            }
            assert_eq!(assert_equal(answers).message.seq, Some(round + 2));
        }
        assert_eq!(written(&database, id).await.len(), 11);
    }
}

async fn twenty_equal_first_messages_create_one_conversation(database: TestDatabase) {
    for servers in [
        [Server::start(&database).await, Server::start(&database).await],
        [start_without_cache(&database).await, start_without_cache(&database).await],
    ] {
        for sender in [customer("ada"), guest("ada@example.com")] {
            let command = open(sender, "Hello", &format!("{}", uuid::Uuid::now_v7()));
            let asking: Vec<_> = (0..20)
                .map(|number| {
                    let (registry, command) = (servers[number % 2].registry.clone(), command.clone());
                    actix::spawn(async move { open_with(&registry, command).await })
                })
                .collect();
            let (mut ids, mut answers) = (Vec::new(), Vec::new());
            for answer in asking {
                let (id, outcome) = answer.await.unwrap().unwrap();
                ids.push(id);
                answers.push(Ok(outcome));
            }
            assert!(ids.iter().all(|id| *id == ids[0]));
            assert_equal(answers);
            assert_eq!(written(&database, ids[0]).await.len(), 1);
        }
    }
}

async fn a_repeat_gets_the_first_answer_after_the_conversation_was_closed(database: TestDatabase) {
    let servers = [Server::start(&database).await, start_without_cache(&database).await];
    let opening = open(customer("ada"), "Hello", "opening");
    let (id, opened) = open_with(&servers[0].registry, opening.clone()).await.unwrap();
    let opened = shown(Ok(opened));
    let (sending, replying) = (send_as(customer("ada"), "x", "send"), reply_as("grace", "x", "reply"));
    let sent = shown(servers[0].ask(id, sending.clone()).await);
    let replied = shown(servers[0].ask(id, replying.clone()).await);
    servers[0].ask(id, close("grace")).await.unwrap();
    for server in &servers {
        assert_eq!(shown(server.ask(id, sending.clone()).await), sent);
        assert_eq!(shown(server.ask(id, replying.clone()).await), replied);
        let (again, outcome) = open_with(&server.registry, opening.clone()).await.unwrap();
        assert_eq!((again, shown(Ok(outcome))), (id, opened.clone()));
        // Other sends are refused.
        for command in [send(customer("ada"), "y"), send_as(customer("ada"), "y", "new")] {
            assert_eq!(server.ask(id, command).await, Err(CommandError::Refused(Refusal::SendToClosed)));
        }
        // Ownership is checked before repeats are recognised.
        assert_eq!(
            server.ask(id, send_as(customer("bob"), "x", "send")).await,
            Err(CommandError::Refused(Refusal::AccessDenied))
        );
        assert_eq!(
            server.ask(id, reply_as("edsger", "x", "reply")).await,
            Err(CommandError::Refused(Refusal::AssignedToAnother))
        );
    }
    assert_eq!(written(&database, id).await.len(), 3);
}

async fn a_client_message_id_reused_for_another_send_is_refused(database: TestDatabase) {
    for server in [Server::start(&database).await, start_without_cache(&database).await] {
        let unique_id = |what: &str| format!("{what} {:p}", &raw const server);
        let (id, _) = open_with(&server.registry, open(customer("ada"), "Hello", &unique_id("open"))).await.unwrap();
        let another = server.opened().await;
        posted(server.ask(id, send_as(customer("ada"), "x", &unique_id("send"))).await);
        posted(server.ask(id, reply_as("grace", "x", &unique_id("reply"))).await);
        for (target, command) in [
            (id, send_as(customer("ada"), "y", &unique_id("send"))),
            (id, send_as(customer("ada"), "y", &unique_id("open"))),
            (another, send_as(customer("ada"), "x", &unique_id("send"))),
            (another, send_as(customer("ada"), "Hello", &unique_id("open"))),
            (another, reply_as("grace", "x", &unique_id("reply"))),
            (id, reply_as("grace", "y", &unique_id("reply"))),
            (id, note_as("grace", "x", &unique_id("reply"))),
        ] {
            assert_eq!(server.ask(target, command.clone()).await, REUSED, "{command:?}");
        }
        for command in [
            open(customer("ada"), "Hello again", &unique_id("open")),
            // The key of a later message: no conversation has the id that is derived from it.
            open(customer("ada"), "x", &unique_id("send")),
            open(customer("ada"), "y", &unique_id("send")),
        ] {
            assert_eq!(
                open_with(&server.registry, command.clone()).await.map(|(_, outcome)| outcome),
                REUSED,
                "{command:?}"
            );
        }
        assert_eq!(written(&database, id).await.len(), 3);
        assert_eq!(written(&database, another).await.len(), 1);
    }
}

/// Two senders may use the same `client_message_id`.
async fn a_client_message_id_is_scoped_to_its_sender(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    posted(server.ask(id, send_as(customer("ada"), "x", "name")).await);
    posted(server.ask(id, reply_as("grace", "y", "name")).await);
    posted(server.ask(id, note_as("edsger", "z", "name")).await);
    assert_eq!(written(&database, id).await.len(), 4);
}

/// Before it refuses, the actor looks up the key in the database. The lookup takes longer than an idle actor lives.
async fn an_actor_is_not_passivated_during_a_send_lookup(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| {
        settings.conversation.passivate_after_seconds = 1;
        settings.conversation.idempotency_cache_size = 0;
    })
    .await;
    let id = server.opened().await;
    let sending = send_as(customer("ada"), "x", "name");
    let sent = shown(server.ask(id, sending.clone()).await);
    server.ask(id, close("grace")).await.unwrap();
    let blocked = BlockedRuntime::start(&server.database).await;
    let mut repeating = server.asking(id, sending);
    // The wait is the test: an actor without work is passivated after two seconds at most.
    let early = tokio::time::timeout(Duration::from_millis(2500), &mut repeating).await;
    assert!(early.is_err(), "answered without the database: {early:?}");
    assert_eq!(server.registry.live(), 1);
    drop(blocked);
    assert_eq!(shown(repeating.await.unwrap()), sent);
}

async fn in_flight_limits_send_lookups_too(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.conversation.in_flight = 5).await;
    let id = server.opened().await;
    server.ask(id, close("grace")).await.unwrap();
    let blocked = BlockedRuntime::start(&server.database).await;
    let asking = |number: usize| -> Command { send_as(customer("ada"), "x", &format!("{number}")) };
    let mut looking: Vec<_> = (0..6).map(|number| server.asking(id, asking(number))).collect();
    assert_eq!(looking.pop().unwrap().await.unwrap(), Err(CommandError::Overloaded));
    drop(blocked);
    for answer in looking {
        assert_eq!(answer.await.unwrap(), Err(CommandError::Refused(Refusal::SendToClosed)));
    }
}

on_both_databases!(
    twenty_equal_sends_store_one_message_and_get_one_answer,
    twenty_equal_sends_to_two_servers_store_one_message_and_get_one_answer,
    twenty_equal_first_messages_create_one_conversation,
    a_repeat_gets_the_first_answer_after_the_conversation_was_closed,
    a_client_message_id_reused_for_another_send_is_refused,
    a_client_message_id_is_scoped_to_its_sender,
    an_actor_is_not_passivated_during_a_send_lookup,
    in_flight_limits_send_lookups_too,
);
