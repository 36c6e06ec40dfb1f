//! Where something is full, who comes next is told so at once, and nothing else suffers.

use futures_util::FutureExt;

use super::server::{Server, assert_seq_has_no_gap, open_with, posted, written};
use crate::conversation::CommandError;
use crate::testing::{BlockedRuntime, TestDatabase, customer, on_both_databases, open, send};

async fn no_more_actors_live_than_the_configuration_says(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.max_actors = 3).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(server.opened().await);
    }
    assert_eq!(open_with(&server.registry, open(customer("ada"), "x", "")).await, Err(CommandError::Overloaded));
    assert_eq!(server.registry.live(), 3);
    for id in ids {
        posted(server.ask(id, send(customer("ada"), "those who are in go on")).await);
    }
}

async fn no_more_commands_wait_for_the_disk_than_the_configuration_says(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.in_flight = 5).await;
    let id = server.opened().await;
    let halt = BlockedRuntime::start(&server.database).await;
    let mut taken: Vec<_> =
        (0..6).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    let refused = taken.pop().unwrap();
    assert_eq!(refused.await.unwrap(), Err(CommandError::Overloaded));
    drop(halt);
    for (number, answer) in taken.into_iter().enumerate() {
        assert_eq!(posted(answer.await.unwrap()).message.seq, Some(number as i64 + 2));
    }
    posted(server.ask(id, send(customer("ada"), "there is room again")).await);
}

async fn a_full_journal_refuses_and_leaves_no_gap(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.journal.queue_capacity = 3).await;
    let id = server.opened().await;
    let halt = BlockedRuntime::start(&server.database).await;
    let mut taken: Vec<_> =
        (0..5).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    for refused in taken.split_off(3) {
        assert_eq!(refused.await.unwrap(), Err(CommandError::Overloaded));
    }
    drop(halt);
    for answer in taken {
        posted(answer.await.unwrap());
    }
    assert_eq!(posted(server.ask(id, send(customer("ada"), "there is room again")).await).message.seq, Some(5));
    let written = written(&place, id).await;
    assert_seq_has_no_gap(&written);
    assert_eq!(written.len(), 5);
}

async fn no_more_commands_wait_for_an_actor_than_the_configuration_says(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.mailbox = 4).await;
    let id = server.opened().await;
    // The actor is busy: it tells of the first send until the test lets go.
    let (is_busy, letting_go) = server.listener.hold();
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
    drop(letting_go);
    posted(first.await.unwrap());
    for answer in waiting {
        posted(answer.await);
    }
    posted(server.ask(id, send(customer("ada"), "there is room again")).await);
}

on_both_databases!(
    no_more_actors_live_than_the_configuration_says,
    no_more_commands_wait_for_the_disk_than_the_configuration_says,
    a_full_journal_refuses_and_leaves_no_gap,
    no_more_commands_wait_for_an_actor_than_the_configuration_says,
);
