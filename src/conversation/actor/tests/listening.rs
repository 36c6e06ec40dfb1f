//! Whoever begins to listen in the middle of a conversation misses nothing, hears nothing twice, and all in order.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::server::{Server, posted};
use crate::conversation::{Backlog, CommandError};
use crate::domain::{ConversationId, Event};
use crate::store::{self, MessageRange};
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
        let stretch = MessageRange::After { after, limit: MessageRange::ALL };
        let history = store::visible_messages(&database, &conversation, stretch).await?;
        Ok(history.messages)
    };
    let begun = move |missed: Backlog| Begun {
        missed: missed.messages.into_iter().filter_map(|posted| posted.message.seq).collect(),
        announced: listener.heard().len(),
    };
    server.registry.subscribe_with_backlog(id, 2, missed, begun).await
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
    let begun = begin(&here, id, 1).await.expect("begun");
    assert_eq!(begun.missed, [2, 3, 4]);
    assert_eq!(begun.announced, 5, "those who were there before are told too, and first");
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
    let begun = server.registry.subscribe_with_backlog(id, 2, fails, |_| ()).await;
    assert_eq!(begun, Err(CommandError::Unavailable));
    posted(server.ask(id, send(customer("ada"), "And?")).await);
}

async fn a_reader_that_does_not_end_is_given_up_and_the_conversation_goes_on(place: TestDatabase) {
    let server = Server::start_with(&place, |settings| settings.server.request_timeout_ms = 2_000).await;
    let id = server.opened().await;
    let begun = server.registry.subscribe_with_backlog(id, 2, std::future::pending(), |_| ()).await;
    assert_eq!(begun, Err(CommandError::Unavailable));
    // It may have to wait until the reader is given up, and is told of then, whatever its own caller heard.
    let _ = server.ask(id, send(customer("ada"), "And?")).await;
    server.listener.heard_events(3).await;
}

/// Somebody who reads until the test has them end; what they begin with.
struct Reader {
    end: oneshot::Sender<()>,
    begun: JoinHandle<Result<Begun, CommandError>>,
}

impl Reader {
    /// One who has read all there is, and has not come back with it.
    async fn start(server: &Server, id: ConversationId) -> Self {
        let (end, may_end) = oneshot::channel::<()>();
        let (has_read, reading) = oneshot::channel();
        let (database, listener) = (server.database.clone(), Arc::clone(&server.listener));
        let read = async move {
            let conversation = store::conversation(&database, id).await?.expect("it is there");
            let stretch = MessageRange::Last { limit: MessageRange::ALL };
            let history = store::visible_messages(&database, &conversation, stretch).await?;
            has_read.send(()).expect("the test waits for this");
            let _ = may_end.await;
            Ok(history.messages)
        };
        let begun = move |missed: Backlog| Begun {
            missed: missed.messages.into_iter().filter_map(|posted| posted.message.seq).collect(),
            announced: listener.heard().len(),
        };
        let registry = Arc::clone(&server.registry);
        let begun = actix::spawn(async move { registry.subscribe_with_backlog(id, 2, read, begun).await });
        reading.await.expect("read");
        Self { end, begun }
    }

    async fn end(self) -> Begun {
        self.end.send(()).expect("it reads");
        self.begun.await.unwrap().expect("begun")
    }
}

async fn nobody_waits_for_a_reader_who_gets_behind_what_they_read_what_was_announced_meanwhile(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let reader = Reader::start(&server, id).await;
    for number in 0..10 {
        posted(server.ask(id, send(customer("ada"), &format!("{number}"))).await);
    }
    server.listener.heard_events(12).await;
    let begun = reader.end().await;
    assert_eq!((begun.missed, begun.announced), ((1..=11).collect(), 12));
    posted(server.ask(id, send(customer("ada"), "And?")).await);
    assert_eq!(seqs(&server.listener.heard_events(13).await[12..]).collect::<Vec<_>>(), [12]);
}

/// Who reads no more than some bytes has left out the oldest: what was announced meanwhile and is older than what they
/// have does not come behind it.
async fn what_was_left_out_of_a_reading_does_not_come_behind_it(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let (end, read) = oneshot::channel();
    let registry = Arc::clone(&server.registry);
    let seqs_of =
        |missed: Backlog| -> Vec<_> { missed.messages.iter().filter_map(|posted| posted.message.seq).collect() };
    let newest = async { Ok(read.await.expect("the test sends it")) };
    let begun = actix::spawn(async move { registry.subscribe_with_backlog(id, 2, newest, seqs_of).await });
    tokio::task::yield_now().await;
    let mut sent = Vec::new();
    for number in 0..5 {
        sent.push(posted(server.ask(id, send(customer("ada"), &format!("{number}"))).await));
    }
    server.listener.heard_events(7).await;
    end.send(sent[2..4].iter().map(|posted| (**posted).clone()).collect()).unwrap();
    assert_eq!(begun.await.unwrap(), Ok(vec![4, 5, 6]));
}

/// More than is kept for a reader is not announced before they have read: it comes to them as to all others.
async fn what_is_more_than_is_kept_for_a_reader_waits_for_them_and_is_not_lost(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let reader = Reader::start(&server, id).await;
    let sent: Vec<_> = (0..200).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    server.listener.heard_events(2 + 64).await;
    while server.stored(id).await.unwrap().version < 202 {}
    let heard = server.listener.heard().len();
    assert!(heard < 202, "{heard} were announced");
    let begun = reader.end().await;
    for answer in sent {
        posted(answer.await.unwrap());
    }
    let heard = server.listener.heard_events(202).await;
    let all: Vec<i64> = begun.missed.iter().copied().chain(seqs(&heard[begun.announced..])).collect();
    assert_eq!(all, (1..=201).collect::<Vec<_>>(), "{} were announced when they began", begun.announced);
}

/// Whoever asks the actor looks at nothing: what another server has stored comes to them with what comes next.
async fn whoever_joins_by_what_the_actor_knows_hears_the_rest_with_what_comes_next(place: TestDatabase) {
    let (here, there) = (Server::start(&place).await, Server::start(&place).await);
    let id = here.opened().await;
    posted(there.ask(id, send(customer("ada"), "There")).await);
    let (_, version) = here.registry.peek(id).await.expect("its actor runs");
    let listener = Arc::clone(&here.listener);
    assert_eq!((version, here.registry.subscribe(id, version, move || listener.heard().len()).await), (2, Ok(2)));
    posted(here.ask(id, send(customer("ada"), "Here")).await);
    let positions: Vec<_> = here.listener.heard_events(4).await.iter().map(|event| event.position).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
}

async fn a_read_that_panics_costs_its_reader_alone(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let reader = Reader::start(&server, id).await;
    let panics = async { panic!("as the test wants") };
    let other = server.registry.subscribe_with_backlog(id, 2, panics, |_| ());
    let (begun, other) = tokio::join!(reader.end(), other);
    assert_eq!((begun.missed, other), (vec![1], Err(CommandError::Fault)));
    posted(server.ask(id, send(customer("ada"), "And?")).await);
    assert_eq!(server.listener.heard_events(3).await.len(), 3);
}

on_both_databases!(
    what_was_left_out_of_a_reading_does_not_come_behind_it,
    nobody_waits_for_a_reader_who_gets_behind_what_they_read_what_was_announced_meanwhile,
    what_is_more_than_is_kept_for_a_reader_waits_for_them_and_is_not_lost,
    whoever_joins_by_what_the_actor_knows_hears_the_rest_with_what_comes_next,
    a_read_that_panics_costs_its_reader_alone,
    nothing_is_missed_and_nothing_comes_twice_a_thousand_times,
    what_another_server_wrote_is_not_missed_either,
    an_avalanche_of_listeners_does_not_hold_up_the_conversation,
    a_read_that_fails_begins_nothing_and_holds_up_nobody,
    a_reader_that_does_not_end_is_given_up_and_the_conversation_goes_on,
);
