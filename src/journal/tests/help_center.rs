//! Help center conversations: without a message, with auto-replies, and reopened.

use entity::closed_counters;

use super::*;
use crate::domain::AutoReplyPolicy;
use crate::testing::{BlockedRuntime, claim, close, enter, on_both_databases, reply, write};

async fn closed(hand: &DatabaseConnection) -> i64 {
    closed_counters::Entity::find().all(hand).await.expect("read").iter().map(|shard| shard.closed).sum()
}

fn life() -> [Command; 6] {
    let write = |words| write(customer("ada"), words, AutoReplyPolicy::Unassigned);
    [write("Hello"), claim("grace"), write("And?"), reply("grace", "Hi"), close("grace"), write("Back")]
}

async fn a_help_center_conversation_is_loaded_as_it_was_stored(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut conversation = server.opened(&enter(customer("ada"))).await;
    assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);
    for command in &life() {
        let (append, outcome) = conversation.append(command);
        server.append(append);
        assert_committed(outcome.await);
        assert_eq!(server.stored(conversation.story.id).await, conversation.story.state, "{command:?}");
    }
    let history = store::visible_messages(
        &server.database,
        conversation.story.conversation(),
        store::MessageRange::Last { limit: store::MessageRange::MAX_LIMIT },
    );
    let written: Vec<_> = conversation.story.log.iter().filter_map(Event::posted).collect();
    let read = history.await.expect("read").messages;
    let authors = |posted: &crate::domain::Posted| (posted.message.text.clone(), posted.message.author.sender_key());
    assert_eq!(read.iter().map(authors).collect::<Vec<_>>(), written.iter().map(authors).collect::<Vec<_>>());
    assert_eq!(read.len(), 6);
}

async fn reopening_decrements_the_closed_counter_in_one_transaction_or_in_several(place: TestDatabase) {
    let server = Server::start(&place).await;
    let hand = place.connection().await;
    let mut conversation = server.opened(&enter(customer("ada"))).await;
    let mut closed_counters = Vec::new();
    for command in &life() {
        let (append, outcome) = conversation.append(command);
        server.append(append);
        assert_committed(outcome.await);
        closed_counters.push(closed(&hand).await);
    }
    assert_eq!(closed_counters, [0, 0, 0, 0, 1, 0]);

    let halt = BlockedRuntime::start(&server.database).await;
    let mut at_once = Speculating::begin(InMemoryConversation::empty());
    let mut outcomes = Vec::new();
    let bobs = write(customer("bob"), "Hello", AutoReplyPolicy::Never);
    for command in [bobs.clone(), close("grace"), bobs.clone(), close("grace"), bobs, close("grace")] {
        let (append, outcome) = at_once.append(&command);
        server.append(append);
        outcomes.push(outcome);
    }
    drop(halt);
    for outcome in outcomes {
        assert_committed(outcome.await);
    }
    assert_eq!(closed(&hand).await, 1);
}

/// Whatever its id: derived ids change with the server's secret.
async fn an_account_never_has_a_second_conversation(place: TestDatabase) {
    let server = Server::start(&place).await;
    server.opened(&enter(customer("ada"))).await;
    for again in [enter(customer("ada")), write(customer("ada"), "Hello", AutoReplyPolicy::First)] {
        let mut second = Speculating::begin(InMemoryConversation::empty());
        let (append, outcome) = second.append(&again);
        server.append(append);
        assert_conflict(outcome.await);
    }
    // It does not affect other conversations.
    server.opened(&enter(customer("bob"))).await;
    server.opened(&open(customer("ada"), "Hello", "")).await;
}

on_both_databases!(
    a_help_center_conversation_is_loaded_as_it_was_stored,
    reopening_decrements_the_closed_counter_in_one_transaction_or_in_several,
    an_account_never_has_a_second_conversation,
);
