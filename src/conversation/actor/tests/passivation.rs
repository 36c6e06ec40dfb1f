//! Idle actors are passivated, and nothing is lost with them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until};

use super::server::{Server, assert_seq_has_no_gap, execute, open_with, posted, written};
use crate::conversation::CommandError;
use crate::domain::{ConversationId, Refusal, Status};
use crate::testing::{TestDatabase, claim, close, customer, on_both_databases, reply, send, send_as};

async fn wait_until_passivated(server: &Server) {
    // Passivation sends no notification, so poll.
    while server.registry.live() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn an_idle_actor_is_passivated_and_the_next_command_starts_another(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let id = server.opened().await;
    assert_eq!(server.registry.live(), 1);
    wait_until_passivated(&server).await;
    assert_eq!(posted(server.ask(id, send(customer("ada"), "still there?")).await).message.seq, Some(2));
    assert_eq!(server.registry.live(), 1);
}

async fn the_actor_used_last_is_passivated_last(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.conversation.passivate_after_seconds = 2).await;
    loop {
        let older = server.opened().await;
        // The time between uses is what this test is about, so it sleeps.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let younger = server.opened().await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let used = Instant::now();
        posted(server.ask(older, send(customer("ada"), "x")).await);
        while server.registry.is_live(younger) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // If the test machine stalled meanwhile, this round is inconclusive.
        if used.elapsed() < Duration::from_millis(1900) {
            assert!(server.registry.is_live(older));
            wait_until_passivated(&server).await;
            assert!(used.elapsed() >= Duration::from_secs(2));
            return;
        }
        wait_until_passivated(&server).await;
    }
}

async fn a_trimmed_actor_drops_its_idempotency_cache_and_still_answers_repeats(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.conversation.trim_after_seconds = 1).await;
    let id = server.opened().await;
    // The answer shares its message with the idempotency cache, so a weak reference shows when the cache drops it.
    let answered = posted(server.ask(id, send_as(customer("ada"), "x", "one")).await);
    let (kept, first) = (Arc::downgrade(&answered), answered.as_ref().clone());
    drop(answered);
    assert!(kept.upgrade().is_some());
    while kept.upgrade().is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(server.registry.is_live(id), "trimmed, not passivated");
    let repeated = posted(server.ask(id, send_as(customer("ada"), "x", "one")).await);
    assert_eq!((repeated.id, repeated.position, repeated.at), (first.id, first.position, first.at));
    assert_eq!(written(&database, id).await.len(), 2);
}

async fn closed_conversations_leave_no_actor(database: TestDatabase) {
    const CONVERSATIONS: usize = 200;
    let server = Server::start_with(&database, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let conversations = (0..CONVERSATIONS).map(|number| {
        let server = &server;
        async move {
            let who = customer(&format!("customer-{number}"));
            let (id, _) = open_with(&server.registry, crate::testing::open(who.clone(), "Hello", "")).await.unwrap();
            server.ask(id, claim("sarah")).await.unwrap();
            posted(server.ask(id, reply("sarah", "Hi")).await);
            posted(server.ask(id, send(who, "Thanks")).await);
            server.ask(id, close("sarah")).await.unwrap();
            id
        }
    });
    let ids = join_all(conversations).await;
    wait_until_passivated(&server).await;
    for id in ids {
        assert!(!server.registry.is_live(id));
        assert_eq!(server.stored(id).await.unwrap().status, Status::Closed);
    }
    // Every actor holds a reference to the registry; only the server has one left.
    while Arc::strong_count(&server.registry) > 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn an_unknown_id_keeps_no_actor(database: TestDatabase) {
    let server = Server::start(&database).await;
    for _ in 0..100 {
        let unknown = ConversationId(uuid::Uuid::now_v7());
        assert_eq!(
            server.ask(unknown, send(customer("ada"), "x")).await,
            Err(CommandError::Refused(Refusal::NotFound))
        );
    }
    wait_until_passivated(&server).await;
}

/// Each conversation's later sends are timed to its actor's passivation, some shortly before, some shortly after. The
/// assertions hold for any timing.
async fn no_message_is_lost_when_sends_race_passivation(database: TestDatabase) {
    const CONVERSATIONS: usize = 1000;
    const ROUNDS: usize = 2;
    let server = Server::start_with(&database, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let mut racing = Vec::new();
    for number in 0..CONVERSATIONS {
        let registry = server.registry.clone();
        racing.push(actix::spawn(async move {
            let who = customer(&format!("customer-{number}"));
            let mut started = Instant::now();
            let (id, _) = open_with(&registry, crate::testing::open(who.clone(), "Hello", "")).await.unwrap();
            for round in 0..ROUNDS {
                // Its actor is passivated about a second after its last use.
                let spread = Duration::from_micros(100 * number as u64);
                sleep_until(started + Duration::from_millis(960) + spread).await;
                started = Instant::now();
                let answer = execute(&registry, id, send(who.clone(), &format!("{round}"))).await;
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
    assert_eq!(server.publisher.wait_for_published(events).await.len(), events, "each is published once");
    wait_until_passivated(&server).await;
}

async fn an_actor_in_use_is_not_passivated(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let id = server.opened().await;
    let until = Instant::now() + Duration::from_secs(3);
    let mut sent = 1;
    while Instant::now() < until {
        assert_eq!(server.registry.live(), 1);
        posted(server.ask(id, send(customer("ada"), "x")).await);
        sent += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let written = written(&database, id).await;
    assert_seq_has_no_gap(&written);
    assert_eq!(written.len(), sent);
}

on_both_databases!(
    an_idle_actor_is_passivated_and_the_next_command_starts_another,
    the_actor_used_last_is_passivated_last,
    a_trimmed_actor_drops_its_idempotency_cache_and_still_answers_repeats,
    closed_conversations_leave_no_actor,
    an_unknown_id_keeps_no_actor,
    no_message_is_lost_when_sends_race_passivation,
    an_actor_in_use_is_not_passivated,
);
