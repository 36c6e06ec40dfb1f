//! Whoever begins to listen in the middle of a conversation misses nothing, hears nothing twice, and all in order.

use std::sync::Arc;

use futures_util::future::join_all;

use super::server::{Server, posted};
use crate::conversation::CommandError;
use crate::domain::{ConversationId, Event, Posted};
use crate::store::{self, Stretch};
use crate::testing::{TestDatabase, customer, note, on_both_databases, send};

const ROUNDS: usize = 1000;

/// What somebody got who began in the middle: what they had missed, and how much had been announced then.
struct Begun {
    missed: Vec<i64>,
    announced: usize,
}

async fn begin(server: &Server, id: ConversationId, after: u32) -> Result<Begun, CommandError> {
    let (database, listener) = (server.database.clone(), Arc::clone(&server.listener));
    let missed = async move {
        let conversation = store::conversation(&database, id).await?.expect("it is there");
        let stretch = Stretch::After { after, limit: Stretch::ALL };
        store::visible_messages(&database, &conversation, stretch).await.map(|history| history.messages)
    };
    let begun = move |missed: Vec<Posted>| Begun {
        missed: missed.into_iter().filter_map(|posted| posted.message.seq).collect(),
        announced: listener.heard().len(),
    };
    server.registry.listen(id, missed, begun).await
}

fn seqs(events: &[Event]) -> impl Iterator<Item = i64> {
    events.iter().filter_map(Event::posted).filter_map(|posted| posted.message.seq)
}

async fn nothing_is_missed_and_nothing_comes_twice_a_thousand_times(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let mut last = 1;
    for round in 0..ROUNDS / 10 {
        // Ten sends, notes among them, and ten who begin somewhere between them.
        let sends = join_all((0..10).map(|number| write(&server, id, round, number)));
        let begins = join_all((0..10).map(|_| begin(&server, id, last)));
        let (_, begun) = tokio::join!(sends, begins);
        last += 10;
        let heard = server.listener.heard_events((last as usize - 1) + 2 + (round + 1)).await;
        for begun in begun {
            let begun = begun.expect("begun");
            let all: Vec<i64> = begun.missed.iter().copied().chain(seqs(&heard[begun.announced..])).collect();
            let expected: Vec<i64> = (i64::from(last) - 9..=i64::from(last)).collect();
            assert_eq!(all, expected, "round {round}: {} were missed", begun.missed.len());
        }
    }
}

async fn write(server: &Server, id: ConversationId, round: usize, number: usize) {
    if number == 5 {
        posted(server.ask(id, note("grace", "Hm")).await);
    }
    posted(server.ask(id, send(customer("ada"), &format!("{round} {number}"))).await);
}

async fn what_another_server_wrote_is_not_missed_either(place: TestDatabase) {
    let (here, there) = (Server::start(&place).await, Server::start(&place).await);
    let id = here.opened().await;
    for number in 0..3 {
        posted(there.ask(id, send(customer("ada"), &format!("{number}"))).await);
    }
    assert_eq!(begin(&here, id, 1).await.expect("begun").missed, [2, 3, 4]);
}

async fn an_avalanche_of_listeners_does_not_hold_up_the_conversation(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let begins = join_all((0..500).map(|_| begin(&server, id, 0)));
    let sent = join_all((0..50).map(|number| server.ask(id, send(customer("ada"), &format!("{number}")))));
    let (begun, sent) = tokio::join!(begins, sent);
    sent.into_iter().for_each(|answer| drop(posted(answer)));
    let heard = server.listener.heard_events(52).await;
    for begun in begun {
        let begun = begun.expect("begun");
        let all: Vec<i64> = begun.missed.iter().copied().chain(seqs(&heard[begun.announced..])).collect();
        assert_eq!(all, (1..=51).collect::<Vec<_>>());
    }
}

async fn a_read_that_fails_begins_nothing_and_holds_up_nobody(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let fails = async { Err(crate::database::DatabaseError::Unavailable("as the test wants".to_owned())) };
    let begun = server.registry.listen(id, fails, |_| ()).await;
    assert_eq!(begun, Err(CommandError::Unavailable));
    posted(server.ask(id, send(customer("ada"), "And?")).await);
}

async fn a_reader_that_does_not_end_is_given_up_and_the_conversation_goes_on(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.server.request_timeout_ms = 2_000).await;
    let id = server.opened().await;
    let begun = server.registry.listen(id, std::future::pending(), |_| ()).await;
    assert_eq!(begun, Err(CommandError::Unavailable));
    // It may have to wait until the reader is given up, and is told of then, whatever its own caller heard.
    let _ = server.ask(id, send(customer("ada"), "And?")).await;
    server.listener.heard_events(3).await;
}

on_both_databases!(
    nothing_is_missed_and_nothing_comes_twice_a_thousand_times,
    what_another_server_wrote_is_not_missed_either,
    an_avalanche_of_listeners_does_not_hold_up_the_conversation,
    a_read_that_fails_begins_nothing_and_holds_up_nobody,
    a_reader_that_does_not_end_is_given_up_and_the_conversation_goes_on,
);
