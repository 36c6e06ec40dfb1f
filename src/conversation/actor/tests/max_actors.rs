//! At `conversation.max_actors` the longest idle actor gives way to a newcomer; only while none is idle is a newcomer
//! refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::server::{Answer, Server, assert_seq_has_no_gap, execute, open_with, posted, written};
use crate::conversation::{CommandError, Registry};
use crate::domain::ConversationId;
use crate::testing::{
    BlockedRuntime, TestDatabase, claim, close, customer, on_both_databases, open, reply, send, send_as,
};

const RETRY_AFTER: Duration = Duration::from_millis(10);

async fn start(database: &TestDatabase, max_actors: usize) -> Server {
    Server::start_with(database, |settings| settings.conversation.max_actors = max_actors).await
}

/// An answer leaves before its actor reports that it is idle, and that sends no notification, so poll.
async fn wait_until_idle(server: &Server, actors: usize) {
    while server.registry.idle() != actors {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn the_longest_idle_actor_gives_way_and_its_conversation_continues(database: TestDatabase) {
    let server = start(&database, 3).await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(server.opened().await);
        wait_until_idle(&server, number).await;
    }
    // The first is used once more, so the second has been idle for the longest time.
    posted(server.ask(ids[0], send(customer("ada"), "again")).await);
    wait_until_idle(&server, 3).await;
    ids.push(server.opened().await);
    wait_until_idle(&server, 3).await;
    let live = |server: &Server| ids.iter().map(|id| server.registry.is_live(*id)).collect::<Vec<_>>();
    assert_eq!((live(&server), server.registry.live()), (vec![true, false, true, true], 3));
    assert_eq!(posted(server.ask(ids[1], send(customer("ada"), "back")).await).message.seq, Some(2));
    wait_until_idle(&server, 3).await;
    assert_eq!((live(&server), server.registry.live()), (vec![true, true, false, true], 3));
}

async fn any_message_counts_as_use_and_a_refusal_too(database: TestDatabase) {
    let server = start(&database, 2).await;
    let (used, unused) = (server.opened().await, server.opened().await);
    wait_until_idle(&server, 2).await;
    // Mallory is refused; the claim, the reply and the close are not.
    for command in [send(customer("mallory"), "x"), claim("sarah"), reply("sarah", "x"), close("sarah")] {
        let _ = server.ask(used, command).await;
    }
    wait_until_idle(&server, 2).await;
    let newcomer = server.opened().await;
    assert!(server.registry.is_live(used) && server.registry.is_live(newcomer) && !server.registry.is_live(unused));
}

async fn a_newcomer_is_refused_while_every_actor_is_busy_and_never_a_running_one(database: TestDatabase) {
    let server = start(&database, 2).await;
    let ids = [server.opened().await, server.opened().await];
    wait_until_idle(&server, 2).await;
    let blocked = BlockedRuntime::start(&server.database).await;
    let waiting = ids.map(|id| server.asking(id, send(customer("ada"), "waits for its commit")));
    wait_until_idle(&server, 0).await;
    assert_eq!(open_with(&server.registry, open(customer("bob"), "x", "")).await, Err(CommandError::Overloaded));
    let more = ids.map(|id| server.asking(id, send(customer("ada"), "waits, too")));
    drop(blocked);
    for answer in waiting.into_iter().chain(more) {
        posted(answer.await.unwrap());
    }
    wait_until_idle(&server, 2).await;
    open_with(&server.registry, open(customer("bob"), "x", "")).await.expect("there is room again");
    assert_eq!(server.registry.live(), 2);
}

async fn an_actor_that_ends_by_itself_leaves_room(database: TestDatabase) {
    let server = start(&database, 1).await;
    let unknown = || ConversationId(uuid::Uuid::now_v7());
    for _ in 0..50 {
        // No actor stays for an id that does not exist; each leaves its only slot to the next.
        let answer = repeat_while_busy(&server.registry, unknown(), "x").await;
        assert!(matches!(answer, Err(CommandError::Refused(_))), "{answer:?}");
    }
    while server.registry.live() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.registry.idle(), 0);
}

/// As a client does that is answered 503: it sends the same message again, a little later.
async fn repeat_while_busy(registry: &Arc<Registry>, id: ConversationId, text: &str) -> Answer {
    loop {
        match execute(registry, id, send_as(customer("ada"), text, text)).await {
            Err(CommandError::Overloaded) => tokio::time::sleep(RETRY_AFTER).await,
            answer => return answer,
        }
    }
}

async fn nothing_is_lost_when_newcomers_and_senders_compete_for_few_actors(database: TestDatabase) {
    const CONVERSATIONS: usize = 30;
    const MESSAGES: usize = 6;
    const ACTORS: usize = 5;
    let server = start(&database, ACTORS).await;
    let most = Arc::new(AtomicUsize::new(0));
    let clients = (0..CONVERSATIONS).map(|number| {
        let (registry, most) = (server.registry.clone(), Arc::clone(&most));
        actix::spawn(async move {
            let id = loop {
                match open_with(&registry, open(customer("ada"), "Hello", &format!("open {number}"))).await {
                    Ok((id, _)) => break id,
                    Err(CommandError::Overloaded) => tokio::time::sleep(RETRY_AFTER).await,
                    Err(other) => panic!("{other:?}"),
                }
            };
            for message in 1..MESSAGES {
                // Two at once: one of them may meet an actor that is just giving way.
                let (first, second) = (format!("{number} {message} a"), format!("{number} {message} b"));
                let both = [first, second];
                for answer in join_all(both.iter().map(|text| repeat_while_busy(&registry, id, text))).await {
                    posted(answer);
                }
                most.fetch_max(registry.live(), Ordering::Relaxed);
            }
            id
        })
    });
    let events = CONVERSATIONS * (2 + 2 * (MESSAGES - 1));
    for client in join_all(clients).await {
        let id = client.unwrap();
        let written = written(&database, id).await;
        assert_seq_has_no_gap(&written);
        assert_eq!(written.len(), 1 + 2 * (MESSAGES - 1));
    }
    assert_eq!(server.publisher.wait_for_published(events).await.len(), events, "each is published once");
    assert!(most.load(Ordering::Relaxed) <= ACTORS, "{most:?} actors");
    // Of two that made room for one conversation, one has left its slot free.
    while server.registry.idle() < server.registry.live() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_both_databases!(
    the_longest_idle_actor_gives_way_and_its_conversation_continues,
    any_message_counts_as_use_and_a_refusal_too,
    a_newcomer_is_refused_while_every_actor_is_busy_and_never_a_running_one,
    an_actor_that_ends_by_itself_leaves_room,
    nothing_is_lost_when_newcomers_and_senders_compete_for_few_actors,
);
