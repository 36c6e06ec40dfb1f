//! Actors that nobody uses go, and nothing goes with them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until};

use super::server::{Server, assert_seq_has_no_gap, execute, open_with, posted, written};
use crate::conversation::CommandError;
use crate::domain::{ConversationId, Refusal, Status};
use crate::testing::{TestDatabase, claim, close, customer, on_both_databases, reply, send, send_as};

async fn retired(server: &Server) {
    // Nothing tells of it: it is looked for.
    while server.registry.live() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn an_actor_that_nobody_uses_retires_and_the_next_command_finds_another(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let id = server.opened().await;
    assert_eq!(server.registry.live(), 1);
    retired(&server).await;
    assert_eq!(posted(server.ask(id, send(customer("ada"), "still there?")).await).message.seq, Some(2));
    assert_eq!(server.registry.live(), 1);
}

async fn whoever_was_used_last_retires_last(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.passivate_after_seconds = 2).await;
    loop {
        let older = server.opened().await;
        // That time passes between uses is what this is about; nothing happens in it that could be waited for.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let younger = server.opened().await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let used = Instant::now();
        posted(server.ask(older, send(customer("ada"), "x")).await);
        while server.registry.is_live(younger) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Where the machine stood still meanwhile, this says nothing.
        if used.elapsed() < Duration::from_millis(1900) {
            assert!(server.registry.is_live(older));
            retired(&server).await;
            assert!(used.elapsed() >= Duration::from_secs(2));
            return;
        }
        retired(&server).await;
    }
}

async fn an_actor_at_rest_keeps_nothing_of_its_sends_and_answers_their_repeat_as_before(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.trim_after_seconds = 1).await;
    let id = server.opened().await;
    // What an answer holds is what the actor remembers.
    let answered = posted(server.ask(id, send_as(customer("ada"), "x", "one")).await);
    let (kept, first) = (Arc::downgrade(&answered), answered.as_ref().clone());
    drop(answered);
    assert!(kept.upgrade().is_some());
    while kept.upgrade().is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(server.registry.is_live(id), "it rests and has not retired");
    let repeated = posted(server.ask(id, send_as(customer("ada"), "x", "one")).await);
    assert_eq!((repeated.id, repeated.position, repeated.at), (first.id, first.position, first.at));
    assert_eq!(written(&place, id).await.len(), 2);
}

async fn many_conversations_that_are_over_leave_no_actor(place: TestDatabase) {
    const CONVERSATIONS: usize = 200;
    let server = Server::start_with(&place, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let talks = (0..CONVERSATIONS).map(|number| {
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
    let ids = join_all(talks).await;
    retired(&server).await;
    for id in ids {
        assert!(!server.registry.is_live(id));
        assert_eq!(server.stored(id).await.unwrap().status, Status::Closed);
    }
    // Every actor holds the registry: only the server does now.
    while Arc::strong_count(&server.registry) > 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
    let server = Server::start_with(&place, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let mut racing = Vec::new();
    for number in 0..CONVERSATIONS {
        let registry = server.registry.clone();
        racing.push(actix::spawn(async move {
            let who = customer(&format!("customer-{number}"));
            let mut started = Instant::now();
            let (id, _) = open_with(&registry, crate::testing::open(who.clone(), "Hello", "")).await.unwrap();
            for round in 0..ROUNDS {
                // It retires a second after its last use, give or take.
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
    assert_eq!(server.listener.heard_events(events).await.len(), events, "each is told of once");
    retired(&server).await;
}

async fn a_conversation_in_use_does_not_retire(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.conversation.passivate_after_seconds = 1).await;
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
    whoever_was_used_last_retires_last,
    an_actor_at_rest_keeps_nothing_of_its_sends_and_answers_their_repeat_as_before,
    many_conversations_that_are_over_leave_no_actor,
    an_id_that_names_nothing_costs_no_actor,
    no_message_is_lost_when_sends_race_the_retirement,
    a_conversation_in_use_does_not_retire,
);
