//! Appends are committed in order and in large batches, and the queue is bounded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use entity::{conversation_events, messages};
use futures_util::FutureExt;
use parking_lot::Mutex;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, Statement};

use super::*;
use crate::database::Backend;
use crate::domain::EventId;
use crate::testing::{BlockedRuntime, close, guest, note, on_both_databases, reply, send};

const CONVERSATIONS: usize = 50;
const TASKS: usize = 16;
const APPENDS: usize = 1000;

async fn appends_from_many_tasks_are_stored_in_order_many_at_a_time(place: TestDatabase) {
    let server = Server::start(&place).await;
    let conversations: Vec<_> = server.opened_by(0..CONVERSATIONS).await.into_iter().map(Mutex::new).collect();
    let opened = server.journal.stats();
    let settled = Arc::new(Mutex::new(Vec::new()));

    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..TASKS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= APPENDS {
                        break;
                    }
                    // Locked until it is appended: an actor, too, appends one decision before it takes the next.
                    let mut conversation = conversations[number % CONVERSATIONS].lock();
                    let customer = format!("customer-{}", number % CONVERSATIONS);
                    let command = send(crate::testing::customer(&customer), &format!("message {number}"));
                    let (id, settled) = (conversation.story.id, Arc::clone(&settled));
                    let version = conversation.story.conversation().version + 1;
                    let append =
                        conversation.append_and(&command, move |outcome| settled.lock().push((id, version, outcome)));
                    server.append(append);
                }
            });
        }
    });
    server.journal.flush().await;

    let mut last = HashMap::new();
    let settled = std::mem::take(&mut *settled.lock());
    assert_eq!(settled.len(), APPENDS);
    for (id, version, outcome) in settled {
        assert!(matches!(outcome, AppendOutcome::Committed), "{outcome:?}");
        assert_eq!(last.insert(id, version).unwrap_or(2) + 1, version, "settled out of order");
    }
    let hand = place.connection().await;
    for conversation in conversations {
        let story = conversation.into_inner().story;
        assert_eq!(server.stored(story.id).await, story.state);
        assert_eq!(stored_history(&hand, story.id).await, expected_history(&story));
    }

    let stats = server.journal.stats();
    let (commits, appends) = (stats.commits - opened.commits, stats.appends - opened.appends);
    assert_eq!(appends, APPENDS as u64);
    assert!(commits <= appends / 4, "{commits} transactions for {appends} appends");
    if place.backend == Backend::Postgres {
        assert_eq!(transactions(&hand).await, stats.commits, "the journal counts what PostgreSQL saw");
    }
    println!("{:?}: {appends} appends in {commits} transactions", place.backend);
}

/// How many transactions have inserted messages, by the transaction ids in PostgreSQL's rows.
async fn transactions(hand: &DatabaseConnection) -> u64 {
    let question = "SELECT count(DISTINCT xmin::text) AS transactions FROM messages";
    let row = hand.query_one_raw(Statement::from_string(hand.get_database_backend(), question)).await.unwrap().unwrap();
    row.try_get::<i64>("", "transactions").unwrap().try_into().unwrap()
}

type History = Vec<(i64, EventId, Option<(Option<i64>, String)>)>;

/// A conversation's stored events: position, id, and a message's `seq` and text.
async fn stored_history(hand: &DatabaseConnection, id: ConversationId) -> History {
    let written = messages::Entity::find().filter(messages::Column::ConversationId.eq(id.0)).all(hand).await.unwrap();
    let happened = conversation_events::Entity::find()
        .filter(conversation_events::Column::ConversationId.eq(id.0))
        .all(hand)
        .await
        .unwrap();
    let written = written.into_iter().map(|row| (row.position, EventId(row.id), Some((row.seq, row.body))));
    let happened = happened.into_iter().map(|row| (row.position, EventId(row.id), None));
    let mut history: History = written.chain(happened).collect();
    history.sort_by_key(|(position, ..)| *position);
    history
}

fn expected_history(story: &InMemoryConversation) -> History {
    let message =
        |event: &Event| event.posted().map(|posted| (posted.message.seq, posted.message.text.as_str().to_owned()));
    story.log.iter().map(|event| (event.position, event.id, message(event))).collect()
}

async fn every_event_is_stored_with_its_place_and_text(place: TestDatabase) {
    let server = Server::start(&place).await;
    let hand = place.connection().await;
    for opening in
        [open(customer("ada"), "Hello\n👋 'quoted' \\ \"too\"", "name"), open(guest("ada@example.com"), "Hi", "")]
    {
        let mut conversation = server.opened(&opening).await;
        assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
        let Command::Open(opening) = opening else { unreachable!() };
        for command in [
            note("edsger", "Who is that?"),
            reply("grace", &"x".repeat(5000)),
            send(opening.origin.customer, "Thanks"),
            crate::testing::claim("grace"),
            close("edsger"),
        ] {
            conversation.story.move_clock(1234);
            let (append, outcome) = conversation.append(&command);
            if append.events.is_empty() {
                continue;
            }
            server.append(append);
            assert_committed(outcome.await);
            assert_eq!(server.stored(conversation.story.id).await, conversation.story.state, "{command:?}");
        }
        assert_eq!(stored_history(&hand, conversation.story.id).await, expected_history(&conversation.story));
    }
}

async fn the_queue_holds_its_configured_capacity_and_not_one_more(place: TestDatabase) {
    let settings = JournalSettings { queue_capacity: 7, ..journal_settings() };
    let server = Server::start_with(&place, &settings).await;
    let mut all = server.opened_by(0..8).await;

    let halt = BlockedRuntime::start(&server.database).await;
    let (mut outcomes, mut refused) = (Vec::new(), None);
    for (number, conversation) in all.iter_mut().enumerate() {
        let (append, outcome) = conversation.append(&note("grace", "Hm"));
        match server.journal.append(append) {
            Ok(()) => outcomes.push(outcome),
            Err(QueueFull) => refused = Some((number, outcome)),
        }
    }
    let (number, outcome) = refused.expect("one was refused");
    assert_eq!(number, settings.queue_capacity);
    assert!(outcome.await.is_err(), "what is not taken in is not settled either");
    drop(halt);

    for outcome in outcomes {
        assert_committed(outcome.await);
    }
    let mut again = all[number].clone();
    assert_eq!(server.stored(again.story.id).await.unwrap().version, 2);
    again.story.state = server.stored(again.story.id).await;
    let (append, outcome) = again.append(&note("grace", "Hm"));
    server.append(append);
    assert_committed(outcome.await);
}

async fn a_flush_waits_for_everything_appended_before(place: TestDatabase) {
    let server = Server::start_with(&place, &JournalSettings { writers: 3, batch: 2, ..journal_settings() }).await;
    let mut all = server.opened_by(0..12).await;

    let halt = BlockedRuntime::start(&server.database).await;
    let mut outcomes = Vec::new();
    for conversation in &mut all {
        let (append, outcome) = conversation.append(&note("grace", "Hm"));
        server.append(append);
        outcomes.push(outcome);
    }
    let mut flush = Box::pin(server.journal.flush());
    assert!(flush.as_mut().now_or_never().is_none(), "nothing can have been stored");
    drop(halt);
    flush.await;
    for mut outcome in outcomes {
        assert!(matches!(outcome.try_recv(), Ok(AppendOutcome::Committed)), "flushed, and not settled");
    }
    server.journal.flush().await;
}

async fn several_writers_store_every_conversation_in_order(place: TestDatabase) {
    let server = Server::start_with(&place, &JournalSettings { writers: 4, batch: 3, ..journal_settings() }).await;
    let mut all = server.opened_by(0..10).await;
    let mut outcomes = Vec::new();
    for round in 0..20 {
        for conversation in &mut all {
            let (append, outcome) = conversation.append(&note("grace", &format!("{round}")));
            server.append(append);
            outcomes.push(outcome);
        }
    }
    for outcome in outcomes {
        assert_committed(outcome.await);
    }
    for conversation in all {
        assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
    }
}

on_both_databases!(
    appends_from_many_tasks_are_stored_in_order_many_at_a_time,
    every_event_is_stored_with_its_place_and_text,
    the_queue_holds_its_configured_capacity_and_not_one_more,
    a_flush_waits_for_everything_appended_before,
    several_writers_store_every_conversation_in_order,
);
