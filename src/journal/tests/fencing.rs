//! An append to a version that is no longer stored is refused, and only that one.

use super::*;
use crate::testing::{BlockedRuntime, note, on_both_databases};

async fn a_conflict_rejects_only_its_own_conversation(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut all = server.opened_by(0..10).await;
    // Another server continues one conversation, and creates one that ours is about to create.
    let other = Server::start(&place).await;
    let mut outdated = all[4].reloaded();
    let (append, outcome) = outdated.append(&note("edsger", "I was first"));
    other.append(append);
    assert_committed(outcome.await);
    let made = other.opened(&open(customer("ada"), "Hello", "")).await;

    let before = server.journal.stats();
    let halt = BlockedRuntime::start(&server.database).await;
    let mut outcomes = Vec::new();
    let mut unmade = Speculating::begin(InMemoryConversation { id: made.story.id, ..InMemoryConversation::empty() });
    let (append, made_again) = unmade.append(&open(customer("ada"), "Hello, hello", ""));
    server.append(append);
    for conversation in &mut all {
        // Two each: both are stored or neither.
        for words in ["one", "two"] {
            let (append, outcome) = conversation.append(&note("grace", words));
            server.append(append);
            outcomes.push(outcome);
        }
    }
    drop(halt);

    assert_conflict(made_again.await);
    assert_eq!(server.stored(made.story.id).await, made.story.state);
    for (number, outcome) in outcomes.into_iter().enumerate() {
        match number / 2 {
            4 => assert_conflict(outcome.await),
            _ => assert_committed(outcome.await),
        }
    }
    for (number, conversation) in all.iter().enumerate() {
        let expected = if number == 4 { &outdated } else { conversation };
        assert_eq!(server.stored(conversation.story.id).await, expected.story.state, "{number}");
        assert_eq!(conversation.epoch.is_broken(), number == 4, "{number}");
    }
    let stats = server.journal.stats();
    assert_eq!((stats.commits - before.commits, stats.appends - before.appends), (1, 18), "one transaction for all");
}

/// The version that the second append expects is stored, but it is another server's event instead of the first
/// append's. Only the aborted epoch tells them apart.
async fn an_aborted_epoch_is_refused_even_if_the_version_matches(place: TestDatabase) {
    let server = Server::start_with(&place, &JournalSettings { batch: 1, ..journal_settings() }).await;
    let other = Server::start(&place).await;
    let mut ours = server.opened(&open(customer("ada"), "Hello", "")).await;
    let mut theirs = ours.reloaded();

    let halt = BlockedRuntime::start(&server.database).await;
    let (first, first_outcome) = ours.append(&note("grace", "on version 2"));
    let (second, second_outcome) = ours.append(&note("grace", "on version 3, ours"));
    server.append(first);
    server.append(second);
    let (append, outcome) = theirs.append(&note("edsger", "version 3, theirs"));
    other.append(append);
    assert_committed(outcome.await);
    drop(halt);

    assert_conflict(first_outcome.await);
    assert_conflict(second_outcome.await);
    assert_eq!(server.stored(theirs.story.id).await, theirs.story.state);

    // After a reload it continues.
    let mut ours = theirs.reloaded();
    let (append, outcome) = ours.append(&note("grace", "on version 3, theirs"));
    server.append(append);
    assert_committed(outcome.await);
}

async fn an_aborted_epoch_is_not_stored(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
    let before = conversation.story.state.clone();
    let (append, outcome) = conversation.append(&note("grace", "forget it"));
    conversation.epoch.abort();
    server.append(append);
    assert_conflict(outcome.await);
    assert_eq!(server.stored(conversation.story.id).await, before);
}

async fn two_epochs_of_a_conversation_are_stored_in_order(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut old = server.opened(&open(customer("ada"), "Hello", "")).await;
    let before = server.journal.stats();

    let halt = BlockedRuntime::start(&server.database).await;
    let (append, old_outcome) = old.append(&note("grace", "old"));
    server.append(append);
    // It begins at the state that the old one is about to store.
    let mut new = old.reloaded();
    let (append, new_outcome) = new.append(&note("grace", "new"));
    server.append(append);
    drop(halt);

    assert_committed(old_outcome.await);
    assert_committed(new_outcome.await);
    assert_eq!(server.stored(new.story.id).await, new.story.state);
    assert_eq!(server.journal.stats().commits - before.commits, 2, "each is fenced on its own");
}

async fn of_two_epochs_on_the_same_version_the_first_is_stored(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut first = server.opened(&open(customer("ada"), "Hello", "")).await;
    let mut second = first.reloaded();

    let halt = BlockedRuntime::start(&server.database).await;
    let mut outcomes = Vec::new();
    // Alternating: those of the second epoch wait together, in order.
    for words in ["one", "two"] {
        for epoch in [&mut first, &mut second] {
            let (append, outcome) = epoch.append(&note("grace", words));
            server.append(append);
            outcomes.push(outcome);
        }
    }
    drop(halt);

    for (number, outcome) in outcomes.into_iter().enumerate() {
        match number % 2 {
            0 => assert_committed(outcome.await),
            _ => assert_conflict(outcome.await),
        }
    }
    assert_eq!(server.stored(first.story.id).await, first.story.state);
    assert!(second.epoch.is_broken() && !first.epoch.is_broken());
}

/// Two servers append to every conversation at the same version at once: no deadlock, and one of them wins each.
async fn of_two_servers_on_the_same_version_one_is_stored(place: TestDatabase) {
    let servers = [Server::start(&place).await, Server::start(&place).await];
    let mut all = servers[0].opened_by(0..20).await;
    for round in 0..25 {
        let mut outcomes = Vec::new();
        for conversation in &all {
            let mut pair = Vec::new();
            for (server, who) in servers.iter().zip(["grace", "edsger"]) {
                let mut mine = conversation.reloaded();
                let (append, outcome) = mine.append(&note(who, &format!("{round}")));
                server.append(append);
                pair.push((mine, outcome));
            }
            outcomes.push(pair);
        }
        for (conversation, pair) in all.iter_mut().zip(outcomes) {
            let mut stored = Vec::new();
            for (mine, outcome) in pair {
                match outcome.await.unwrap() {
                    AppendOutcome::Committed => stored.push(mine),
                    AppendOutcome::Conflict => {}
                    AppendOutcome::Failed(error) => panic!("{error}"),
                }
            }
            assert_eq!(stored.len(), 1);
            *conversation = stored.remove(0);
        }
    }
    for conversation in all {
        assert_eq!(servers[1].stored(conversation.story.id).await, conversation.story.state);
    }
}

on_both_databases!(
    a_conflict_rejects_only_its_own_conversation,
    an_aborted_epoch_is_refused_even_if_the_version_matches,
    an_aborted_epoch_is_not_stored,
    two_epochs_of_a_conversation_are_stored_in_order,
    of_two_epochs_on_the_same_version_the_first_is_stored,
    of_two_servers_on_the_same_version_one_is_stored,
);
