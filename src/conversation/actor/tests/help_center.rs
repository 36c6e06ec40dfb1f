//! Conversations of the help center: one per account even if several clients connect at the same time, no actor while
//! it is empty, and idempotent sends together with their auto-replies.

use std::time::Duration;

use futures_util::future::{Either, join_all, select};

use super::server::{Answer, Outcome, Server, assert_seq_has_no_gap, open_with, posted, written};
use crate::conversation::CommandError;
use crate::domain::{AUTO_REPLY_KEY, AutoReplyPolicy, ConversationId, Refusal};
use crate::store;
use crate::testing::{
    TestDatabase, account, claim, close, customer, enter, note, on_both_databases, reply, send, write, write_as,
};

const POLICIES: [AutoReplyPolicy; 3] = [AutoReplyPolicy::Unassigned, AutoReplyPolicy::First, AutoReplyPolicy::Never];

fn ada(server: &Server) -> ConversationId {
    server.registry.help_center_id(&account("ada"))
}

#[track_caller]
fn entered(answer: Answer) -> i64 {
    match answer {
        Ok(Outcome::Entered(conversation)) => conversation.message_count,
        other => panic!("not entered: {other:?}"),
    }
}

async fn wait_until_passivated(server: &Server) {
    // Passivation sends no notification, so poll. These tests are too short for passivation by age.
    while server.registry.live() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn simultaneous_first_connections_to_two_servers_create_one_conversation(database: TestDatabase) {
    let servers = [Server::start(&database).await, Server::start(&database).await];
    assert_eq!(ada(&servers[0]), ada(&servers[1]));
    let enters =
        servers.iter().flat_map(|server| (0..10).map(move |_| server.ask(ada(server), enter(customer("ada")))));
    assert_eq!(join_all(enters).await.into_iter().map(entered).collect::<Vec<_>>(), [0; 20]);
    let id = ada(&servers[0]);
    let stored = servers[0].stored(id).await.expect("stored");
    assert_eq!((stored.version, stored.message_count), (1, 0));
    for server in &servers {
        wait_until_passivated(server).await;
    }
    let published = servers.iter().map(|server| server.publisher.published().len()).sum::<usize>();
    assert_eq!(published, 1, "created and published once");
}

async fn an_empty_conversation_keeps_no_actor(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = ada(&server);
    entered(server.ask(id, enter(customer("ada"))).await);
    wait_until_passivated(&server).await;
    entered(server.ask(id, enter(customer("ada"))).await);
    wait_until_passivated(&server).await;
    for command in [claim("grace"), note("grace", "Hm"), close("grace"), send(customer("ada"), "x")] {
        assert_eq!(server.ask(id, command).await, Err(CommandError::Refused(Refusal::NotFound)));
    }
    wait_until_passivated(&server).await;
    let nothing = async { Ok(Vec::new()) };
    server.registry.subscribe_with_backlog(id, 1, nothing, |_| ()).await.expect("subscribed");
    wait_until_passivated(&server).await;
    posted(server.ask(id, write(customer("ada"), "Hello", AutoReplyPolicy::Never)).await);
    assert_eq!(server.registry.live(), 1, "it has a message now");
}

async fn ten_concurrent_sends_are_followed_by_the_auto_replies_of_the_policy(database: TestDatabase) {
    for (policy, expected) in POLICIES.into_iter().zip([10, 1, 0]) {
        let server = Server::start(&database).await;
        let who = customer(&format!("{policy:?}"));
        let id = server.registry.help_center_id(&account(&format!("{policy:?}")));
        let sends = (0..10).map(|number| server.ask(id, write(who.clone(), &format!("{number}"), policy)));
        for answer in join_all(sends).await {
            assert!(posted(answer).message.author.is_customer());
        }
        let written = written(&database, id).await;
        assert_seq_has_no_gap(&written);
        let (automatic, customers): (Vec<_>, Vec<_>) = written.iter().partition(|row| row.sender == AUTO_REPLY_KEY);
        assert_eq!((customers.len(), automatic.len()), (10, expected), "{policy:?}");
        // Each directly follows the message that it answers.
        for reply in automatic {
            assert!(customers.iter().any(|message| message.position == reply.position - 1));
            assert_eq!((reply.is_from_user, &reply.sender_id), (false, &None));
        }
    }
}

async fn a_claim_between_sends_ends_the_auto_replies(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = ada(&server);
    posted(server.ask(id, write(customer("ada"), "1", AutoReplyPolicy::Unassigned)).await);
    let mut asking = vec![server.asking(id, claim("grace"))];
    asking.extend((0..5).map(|_| server.asking(id, write(customer("ada"), "2", AutoReplyPolicy::Unassigned))));
    for asked in asking {
        asked.await.expect("no panic").expect("not refused");
    }
    let written = written(&database, id).await;
    assert_eq!(written.iter().filter(|row| row.sender == AUTO_REPLY_KEY).count(), 1);
}

async fn a_repeated_send_is_stored_once_with_one_auto_reply(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = ada(&server);
    let send = || write_as(customer("ada"), "Hello", AutoReplyPolicy::Unassigned, "one");
    let answers = join_all((0..10).map(|_| server.ask(id, send()))).await;
    let first = posted(answers[0].clone());
    assert_eq!(first.message.seq, Some(1));
    for answer in answers {
        assert_eq!(posted(answer), first);
    }
    let other = server.ask(id, write_as(customer("ada"), "Bye", AutoReplyPolicy::Unassigned, "one")).await;
    assert_eq!(other, Err(CommandError::Refused(Refusal::ClientMessageIdReused)));
    // A repeat is answered the same after later events, and on another server.
    posted(server.ask(id, reply("grace", "Hi")).await);
    server.ask(id, close("grace")).await.expect("closed");
    let another = Server::start(&database).await;
    for server in [&server, &another] {
        let repeated = posted(server.ask(id, send()).await);
        assert_eq!((repeated.id, repeated.message.seq), (first.id, Some(1)));
    }
    assert_eq!(written(&database, id).await.len(), 3);
    let stored = server.stored(id).await.expect("stored");
    assert_eq!(stored.status, crate::domain::Status::Closed, "a repeat does not reopen it");
}

async fn a_client_message_id_used_in_the_support_app_is_refused(database: TestDatabase) {
    let server = Server::start(&database).await;
    let opening = crate::testing::open(customer("ada"), "Hello", "one");
    open_with(&server.registry, opening.clone()).await.expect("opened");
    let send = write_as(customer("ada"), "Hello", AutoReplyPolicy::Unassigned, "one");
    let taken = Err(CommandError::Refused(Refusal::ClientMessageIdReused));
    assert_eq!(server.ask(ada(&server), send).await, taken);
    let send = write_as(customer("ada"), "Hello", AutoReplyPolicy::Unassigned, "two");
    posted(server.ask(ada(&server), send).await);
    let opening = crate::testing::open(customer("ada"), "Hello", "two");
    assert_eq!(open_with(&server.registry, opening).await.map(drop), taken.map(drop));
}

async fn an_account_finds_only_its_own_conversation(database: TestDatabase) {
    let server = Server::start(&database).await;
    entered(server.ask(ada(&server), enter(customer("ada"))).await);
    server.opened_by(customer("bob")).await;
    let found = store::help_center_of(&server.database, account("ada")).await.expect("read").expect("stored");
    assert_eq!(found.id, ada(&server));
    assert_eq!(store::help_center_of(&server.database, account("bob")).await.expect("read"), None);
    // It is visible to others only once it has a message.
    assert_eq!(store::conversation(&server.database, found.id).await.expect("read"), None);
}

/// However long the publisher takes: its sender has the message and the auto-reply before the answer.
async fn a_send_is_answered_after_its_events_are_published(database: TestDatabase) {
    let server = Server::start(&database).await;
    for round in 1..=3 {
        let (is_publishing, release) = server.publisher.hold();
        let asked = server.asking(ada(&server), write(customer("ada"), "Hello", AutoReplyPolicy::Unassigned));
        // The answer is polled first: had it been sent before the publication, it would be found.
        let Either::Right((publishing, asked)) = select(asked, is_publishing).await else {
            panic!("answered before the events were published");
        };
        publishing.expect("the publisher runs");
        drop(release);
        posted(asked.await.expect("no panic"));
        let messages = server.publisher.published();
        let messages = messages.iter().filter(|event| event.posted().is_some()).count();
        assert_eq!(messages, 2 * round, "each message and its auto-reply");
    }
}

on_both_databases!(
    a_send_is_answered_after_its_events_are_published,
    simultaneous_first_connections_to_two_servers_create_one_conversation,
    an_empty_conversation_keeps_no_actor,
    ten_concurrent_sends_are_followed_by_the_auto_replies_of_the_policy,
    a_claim_between_sends_ends_the_auto_replies,
    a_repeated_send_is_stored_once_with_one_auto_reply,
    a_client_message_id_used_in_the_support_app_is_refused,
    an_account_finds_only_its_own_conversation,
);
