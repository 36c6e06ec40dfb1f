//! Actors that nobody uses go, and nothing goes with them.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::server::{Server, assert_seq_has_no_gap, posted, written};
use crate::conversation::CommandError;
use crate::domain::{ConversationId, Refusal};
use crate::testing::{TestDatabase, customer, on_both_databases, send};

async fn retired(server: &Server) {
    // Nothing tells of it: it is looked for.
    while server.registry.live() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn an_actor_that_nobody_uses_retires_and_the_next_command_finds_another(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.idle_seconds = 1).await;
    let id = server.opened().await;
    assert_eq!(server.registry.live(), 1);
    retired(&server).await;
    assert_eq!(posted(server.ask(id, send(customer("ada"), "still there?")).await).message.seq, Some(2));
    assert_eq!(server.registry.live(), 1);
}

async fn an_id_that_names_nothing_costs_no_actor(place: TestDatabase) {
    let server = Server::start(&place).await;
    for _ in 0..100 {
        let unknown = ConversationId(uuid::Uuid::now_v7());
        assert_eq!(
            server.ask(unknown, send(customer("ada"), "x")).await,
            Err(CommandError::Refused(Refusal::NotFound))
        );
    }
    retired(&server).await;
}

/// Each conversation's second send is aimed at the moment at which its actor retires, some before, some behind. What
/// must hold does not depend on how well that is aimed.
async fn no_message_is_lost_when_sends_race_the_retirement(place: TestDatabase) {
    const CONVERSATIONS: usize = 1000;
    const ROUNDS: usize = 2;
    let server = Server::start_with(&place, |settings| settings.conversation.idle_seconds = 1).await;
    let mut racing = Vec::new();
    for number in 0..CONVERSATIONS {
        let registry = server.registry.clone();
        racing.push(actix::spawn(async move {
            let who = customer(&format!("customer-{number}"));
            let mut started = Instant::now();
            let (id, _) = registry.open(crate::testing::open(who.clone(), "Hello", "")).await.unwrap();
            for round in 0..ROUNDS {
                // In use in its first second, it retires at the end of its second, give or take.
                let spread = Duration::from_micros(100 * number as u64);
                sleep_until(started + Duration::from_millis(1960) + spread).await;
                started = Instant::now();
                let answer = registry.execute(id, send(who.clone(), &format!("{round}"))).await;
                assert_eq!(posted(answer).message.seq, Some(round as i64 + 2));
            }
            id
        }));
    }
    for race in racing {
        let id = race.await.unwrap();
        let state = server.stored(id).await.unwrap();
        assert_eq!((state.last_seq, state.version), (ROUNDS as i64 + 1, ROUNDS as i64 + 2));
    }
    let events = CONVERSATIONS * (2 + ROUNDS);
    assert_eq!(server.listener.heard_events(events).await.len(), events, "each is told of once");
    retired(&server).await;
}

async fn a_conversation_in_use_does_not_retire(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.idle_seconds = 1).await;
    let id = server.opened().await;
    let until = Instant::now() + Duration::from_secs(3);
    let mut sent = 1;
    while Instant::now() < until {
        assert_eq!(server.registry.live(), 1);
        posted(server.ask(id, send(customer("ada"), "x")).await);
        sent += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let written = written(&place, id).await;
    assert_seq_has_no_gap(&written);
    assert_eq!(written.len(), sent);
}

on_both_databases!(
    an_actor_that_nobody_uses_retires_and_the_next_command_finds_another,
    an_id_that_names_nothing_costs_no_actor,
    no_message_is_lost_when_sends_race_the_retirement,
    a_conversation_in_use_does_not_retire,
);
