//! A subscriber that joins in the middle of a conversation misses nothing and receives everything once, in order.

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

/// What a subscriber got when it was attached: the `seq`s of its backlog, and how many events were published by then.
struct Attached {
    backlog: Vec<i64>,
    published: usize,
}

async fn subscribe(server: &Server, id: ConversationId, after: u32) -> Result<Attached, CommandError> {
    let (database, publisher) = (server.database.clone(), Arc::clone(&server.publisher));
    let backlog = async move {
        let conversation = store::conversation(&database, id).await?.expect("stored");
        let range = MessageRange::After { after, limit: MessageRange::ALL };
        let history = store::visible_messages(&database, &conversation, range).await?;
        Ok(history.messages)
    };
    let attach = move |backlog: Backlog| Attached {
        backlog: backlog.messages.into_iter().filter_map(|posted| posted.message.seq).collect(),
        published: publisher.published().len(),
    };
    server.registry.subscribe_with_backlog(id, 2, backlog, attach).await
}

fn seqs(events: &[Event]) -> impl Iterator<Item = i64> {
    events.iter().filter_map(Event::posted).filter_map(|posted| posted.message.seq)
}

async fn a_thousand_subscribers_miss_nothing_and_receive_nothing_twice(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let mut last = 1;
    for round in 0..ROUNDS / 10 {
        // Ten sends, one note, and ten subscribers at any point between them.
        let sends = join_all((0..10).map(|number| write(&server, id, round, number)));
        let subscriptions = join_all((0..10).map(|_| subscribe(&server, id, last)));
        let (_, attached) = tokio::join!(sends, subscriptions);
        last += 10;
        let published = server.publisher.wait_for_published((last as usize - 1) + 2 + (round + 1)).await;
        for attached in attached {
            let attached = attached.expect("attached");
            let all: Vec<i64> =
                attached.backlog.iter().copied().chain(seqs(&published[attached.published..])).collect();
            let expected: Vec<i64> = (i64::from(last) - 9..=i64::from(last)).collect();
            assert_eq!(all, expected, "round {round}: a backlog of {}", attached.backlog.len());
        }
    }
}

async fn write(server: &Server, id: ConversationId, round: usize, number: usize) {
    if number == 5 {
        posted(server.ask(id, note("grace", "Hm")).await);
    }
    posted(server.ask(id, send(customer("ada"), &format!("{round} {number}"))).await);
}

async fn a_backlog_contains_the_messages_of_another_server(database: TestDatabase) {
    let (first, second) = (Server::start(&database).await, Server::start(&database).await);
    let id = first.opened().await;
    for number in 0..3 {
        posted(second.ask(id, send(customer("ada"), &format!("{number}"))).await);
    }
    let attached = subscribe(&first, id, 1).await.expect("attached");
    assert_eq!(attached.backlog, [2, 3, 4]);
    assert_eq!(attached.published, 5, "existing subscribers receive them too, and first");
}

async fn five_hundred_simultaneous_subscribers_do_not_block_the_conversation(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let subscriptions = join_all((0..500).map(|_| subscribe(&server, id, 0)));
    let sent = join_all((0..50).map(|number| server.ask(id, send(customer("ada"), &format!("{number}")))));
    let (attached, sent) = tokio::join!(subscriptions, sent);
    sent.into_iter().for_each(|answer| drop(posted(answer)));
    let published = server.publisher.wait_for_published(52).await;
    for attached in attached {
        let attached = attached.expect("attached");
        let all: Vec<i64> = attached.backlog.iter().copied().chain(seqs(&published[attached.published..])).collect();
        assert_eq!(all, (1..=51).collect::<Vec<_>>());
    }
}

async fn a_failed_backlog_read_attaches_no_subscriber_and_blocks_nothing(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let fails = async { Err(crate::database::DatabaseError::Unavailable("as the test wants".to_owned())) };
    let attached = server.registry.subscribe_with_backlog(id, 2, fails, |_| ()).await;
    assert_eq!(attached, Err(CommandError::Unavailable));
    posted(server.ask(id, send(customer("ada"), "And?")).await);
}

async fn a_backlog_read_that_hangs_times_out_and_the_conversation_continues(database: TestDatabase) {
    let server = Server::start_with(&database, |settings| settings.server.request_timeout_ms = 2_000).await;
    let id = server.opened().await;
    let attached = server.registry.subscribe_with_backlog(id, 2, std::future::pending(), |_| ()).await;
    assert_eq!(attached, Err(CommandError::Unavailable));
    // The send may wait for the read to time out, so its caller may time out too; the message is published in any case.
    let _ = server.ask(id, send(customer("ada"), "And?")).await;
    server.publisher.wait_for_published(3).await;
}

/// A subscriber that reads its backlog until the test ends the read.
struct Reader {
    end: oneshot::Sender<()>,
    attached: JoinHandle<Result<Attached, CommandError>>,
}

impl Reader {
    /// Has read every message, but has not returned the backlog.
    async fn start(server: &Server, id: ConversationId) -> Self {
        let (end, may_end) = oneshot::channel::<()>();
        let (has_read, reading) = oneshot::channel();
        let (database, publisher) = (server.database.clone(), Arc::clone(&server.publisher));
        let read = async move {
            let conversation = store::conversation(&database, id).await?.expect("stored");
            let range = MessageRange::Last { limit: MessageRange::ALL };
            let history = store::visible_messages(&database, &conversation, range).await?;
            has_read.send(()).expect("the test waits for this");
            let _ = may_end.await;
            Ok(history.messages)
        };
        let attach = move |backlog: Backlog| Attached {
            backlog: backlog.messages.into_iter().filter_map(|posted| posted.message.seq).collect(),
            published: publisher.published().len(),
        };
        let registry = Arc::clone(&server.registry);
        let attached = actix::spawn(async move { registry.subscribe_with_backlog(id, 2, read, attach).await });
        reading.await.expect("read");
        Self { end, attached }
    }

    async fn end(self) -> Attached {
        self.end.send(()).expect("still reading");
        self.attached.await.unwrap().expect("attached")
    }
}

async fn a_subscriber_that_reads_delays_no_other_and_gets_the_events_published_meanwhile(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let reader = Reader::start(&server, id).await;
    for number in 0..10 {
        posted(server.ask(id, send(customer("ada"), &format!("{number}"))).await);
    }
    server.publisher.wait_for_published(12).await;
    let attached = reader.end().await;
    assert_eq!((attached.backlog, attached.published), ((1..=11).collect(), 12));
    posted(server.ask(id, send(customer("ada"), "And?")).await);
    assert_eq!(seqs(&server.publisher.wait_for_published(13).await[12..]).collect::<Vec<_>>(), [12]);
}

/// A backlog is limited in bytes, so its oldest messages may be missing. Recorded events older than its last message
/// must not be appended.
async fn older_events_left_out_of_a_backlog_are_not_appended_to_it(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let (end, read) = oneshot::channel();
    let registry = Arc::clone(&server.registry);
    let seqs_of =
        |backlog: Backlog| -> Vec<_> { backlog.messages.iter().filter_map(|posted| posted.message.seq).collect() };
    let newest = async { Ok(read.await.expect("the test sends it")) };
    let attached = actix::spawn(async move { registry.subscribe_with_backlog(id, 2, newest, seqs_of).await });
    tokio::task::yield_now().await;
    let mut sent = Vec::new();
    for number in 0..5 {
        sent.push(posted(server.ask(id, send(customer("ada"), &format!("{number}"))).await));
    }
    server.publisher.wait_for_published(7).await;
    end.send(sent[2..4].iter().map(|posted| (**posted).clone()).collect()).unwrap();
    assert_eq!(attached.await.unwrap(), Ok(vec![4, 5, 6]));
}

/// Events beyond the recording limit are not published before the read ends; then the subscriber gets them live.
async fn events_beyond_the_recording_limit_are_held_until_the_read_ends(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let reader = Reader::start(&server, id).await;
    let sent: Vec<_> = (0..200).map(|number| server.asking(id, send(customer("ada"), &format!("{number}")))).collect();
    server.publisher.wait_for_published(2 + 64).await;
    while server.stored(id).await.unwrap().version < 202 {}
    let published = server.publisher.published().len();
    assert!(published < 202, "{published} were published");
    let attached = reader.end().await;
    for answer in sent {
        posted(answer.await.unwrap());
    }
    let published = server.publisher.wait_for_published(202).await;
    let all: Vec<i64> = attached.backlog.iter().copied().chain(seqs(&published[attached.published..])).collect();
    assert_eq!(all, (1..=201).collect::<Vec<_>>(), "{} were published when it was attached", attached.published);
}

/// Subscribing at the cached version reads nothing: events of another server arrive with the next event.
async fn a_subscriber_at_the_cached_version_receives_the_rest_with_the_next_event(database: TestDatabase) {
    let (first, second) = (Server::start(&database).await, Server::start(&database).await);
    let id = first.opened().await;
    posted(second.ask(id, send(customer("ada"), "There")).await);
    let (_, version) = first.registry.peek(id).await.expect("its actor runs");
    let publisher = Arc::clone(&first.publisher);
    assert_eq!((version, first.registry.subscribe(id, version, move || publisher.published().len()).await), (2, Ok(2)));
    posted(first.ask(id, send(customer("ada"), "Here")).await);
    let positions: Vec<_> = first.publisher.wait_for_published(4).await.iter().map(|event| event.position).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
}

async fn a_backlog_read_that_panics_fails_only_its_subscriber(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let reader = Reader::start(&server, id).await;
    let panics = async { panic!("as the test wants") };
    let other = server.registry.subscribe_with_backlog(id, 2, panics, |_| ());
    let (attached, other) = tokio::join!(reader.end(), other);
    assert_eq!((attached.backlog, other), (vec![1], Err(CommandError::Fault)));
    posted(server.ask(id, send(customer("ada"), "And?")).await);
    assert_eq!(server.publisher.wait_for_published(3).await.len(), 3);
}

on_both_databases!(
    older_events_left_out_of_a_backlog_are_not_appended_to_it,
    a_subscriber_that_reads_delays_no_other_and_gets_the_events_published_meanwhile,
    events_beyond_the_recording_limit_are_held_until_the_read_ends,
    a_subscriber_at_the_cached_version_receives_the_rest_with_the_next_event,
    a_backlog_read_that_panics_fails_only_its_subscriber,
    a_thousand_subscribers_miss_nothing_and_receive_nothing_twice,
    a_backlog_contains_the_messages_of_another_server,
    five_hundred_simultaneous_subscribers_do_not_block_the_conversation,
    a_failed_backlog_read_attaches_no_subscriber_and_blocks_nothing,
    a_backlog_read_that_hangs_times_out_and_the_conversation_continues,
);
