//! Every queue is bounded: a command that finds one full is refused at once, and accepted commands are not affected.

use futures_util::FutureExt;

use super::server::{Server, assert_seq_has_no_gap, posted, written};
use crate::conversation::CommandError;
use crate::testing::{BlockedRuntime, TestDatabase, customer, on_both_databases, send};

async fn in_flight_limits_the_commands_that_wait_for_a_commit(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.conversation.in_flight = 5).await;
    let id = server.opened().await;
    let blocked = BlockedRuntime::start(&server.database).await;
    let mut taken: Vec<_> =
        (0..6).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    let refused = taken.pop().unwrap();
    assert_eq!(refused.await.unwrap(), Err(CommandError::Overloaded));
    drop(blocked);
    for (number, answer) in taken.into_iter().enumerate() {
        assert_eq!(posted(answer.await.unwrap()).message.seq, Some(number as i64 + 2));
    }
    posted(server.ask(id, send(customer("ada"), "accepted again")).await);
}

async fn a_full_journal_queue_refuses_commands_and_leaves_no_gap(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.journal.queue_capacity = 3).await;
    let id = server.opened().await;
    let blocked = BlockedRuntime::start(&server.database).await;
    let mut taken: Vec<_> =
        (0..5).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    for refused in taken.split_off(3) {
        assert_eq!(refused.await.unwrap(), Err(CommandError::Overloaded));
    }
    drop(blocked);
    for answer in taken {
        posted(answer.await.unwrap());
    }
    assert_eq!(posted(server.ask(id, send(customer("ada"), "accepted again")).await).message.seq, Some(5));
    let written = written(&database, id).await;
    assert_seq_has_no_gap(&written);
    assert_eq!(written.len(), 5);
}

async fn mailbox_limits_the_commands_that_wait_for_an_actor(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.conversation.mailbox = 4).await;
    let id = server.opened().await;
    // The actor is blocked in publishing the first send until the test releases it.
    let (is_busy, release) = server.publisher.hold();
    let first = server.asking(id, send(customer("ada"), "first"));
    is_busy.await.unwrap();
    let mut waiting = Vec::new();
    let refused = loop {
        let mut answer = Box::pin(server.ask(id, send(customer("ada"), "x")));
        match answer.as_mut().now_or_never() {
            None => waiting.push(answer),
            Some(refused) => break refused,
        }
    };
    assert_eq!(refused, Err(CommandError::Overloaded));
    assert_eq!(waiting.len(), 4);
    drop(release);
    posted(first.await.unwrap());
    for answer in waiting {
        posted(answer.await);
    }
    posted(server.ask(id, send(customer("ada"), "accepted again")).await);
}

on_both_databases!(
    in_flight_limits_the_commands_that_wait_for_a_commit,
    a_full_journal_queue_refuses_commands_and_leaves_no_gap,
    mailbox_limits_the_commands_that_wait_for_an_actor,
);
