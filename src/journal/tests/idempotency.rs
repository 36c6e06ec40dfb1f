//! A sender's `client_message_id` is stored once, across all conversations and servers.

use super::*;
use crate::testing::{BlockedRuntime, on_both_databases, send_as};

async fn of_two_messages_with_one_idempotency_key_in_one_batch_the_first_is_stored(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut first = server.opened(&open(customer("ada"), "Hello", "")).await;
    let mut second = server.opened(&open(customer("ada"), "Hello", "")).await;
    let unmoved = second.story.state.clone();

    let halt = BlockedRuntime::start(&server.database).await;
    let (append, first_outcome) = first.append(&send_as(customer("ada"), "x", "name"));
    server.append(append);
    let (append, second_outcome) = second.append(&send_as(customer("ada"), "x", "name"));
    server.append(append);
    // Then another one of the same epoch, and another sender's with the same id.
    let (append, third_outcome) = second.append(&send_as(customer("ada"), "y", "another name"));
    server.append(append);
    let mut stranger = Speculating::begin(InMemoryConversation::empty());
    let (append, stranger_outcome) = stranger.append(&open(customer("bob"), "x", "name"));
    server.append(append);
    drop(halt);

    assert_committed(first_outcome.await);
    assert_conflict(second_outcome.await);
    assert_conflict(third_outcome.await);
    assert_committed(stranger_outcome.await);
    assert_eq!(server.stored(first.story.id).await, first.story.state);
    assert_eq!(server.stored(second.story.id).await, unmoved);
    assert_eq!(server.stored(stranger.story.id).await, stranger.story.state);
}

async fn a_used_idempotency_key_stays_used(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut conversation = server.opened(&open(customer("ada"), "Hello", "name")).await;
    let before = conversation.story.state.clone();
    let (append, outcome) = conversation.append(&send_as(customer("ada"), "Hello", "name"));
    server.append(append);
    assert_conflict(outcome.await);
    assert_eq!(server.stored(conversation.story.id).await, before);

    let mut another = Speculating::begin(InMemoryConversation::empty());
    let (append, outcome) = another.append(&open(customer("ada"), "Hello", "name"));
    server.append(append);
    assert_conflict(outcome.await);
    assert_eq!(server.stored(another.story.id).await, None);
}

/// Neither sees the other's message until one has committed: the loser retries and then sees it.
async fn of_two_servers_with_one_idempotency_key_one_message_is_stored(place: TestDatabase) {
    let servers = [Server::start(&place).await, Server::start(&place).await];
    let mut conversations = Vec::new();
    for server in &servers {
        conversations.push(server.opened(&open(customer("ada"), "Hello", "")).await);
    }
    let mut won = [0, 0];
    for round in 0..100 {
        let mut attempts = Vec::new();
        // They take turns in going first.
        for turn in [round % 2, (round + 1) % 2] {
            let mut mine = conversations[turn].reloaded();
            let (append, outcome) = mine.append(&send_as(customer("ada"), "x", &format!("name {round}")));
            servers[turn].append(append);
            attempts.push((turn, mine, outcome));
        }
        let mut stored = Vec::new();
        for (turn, mine, outcome) in attempts {
            match outcome.await.unwrap() {
                AppendOutcome::Committed => stored.push((turn, mine)),
                AppendOutcome::Conflict => {}
                AppendOutcome::Failed(error) => panic!("round {round}: {error}"),
            }
        }
        assert_eq!(stored.len(), 1, "round {round}");
        let (turn, mine) = stored.remove(0);
        conversations[turn] = mine;
        won[turn] += 1;
    }
    for conversation in conversations {
        assert_eq!(servers[0].stored(conversation.story.id).await, conversation.story.state);
    }
    println!("{:?}: won {won:?}", place.backend);
}

on_both_databases!(
    of_two_messages_with_one_idempotency_key_in_one_batch_the_first_is_stored,
    a_used_idempotency_key_stays_used,
    of_two_servers_with_one_idempotency_key_one_message_is_stored,
);
