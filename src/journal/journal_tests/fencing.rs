//! Whoever writes on a false ground is turned away, alone.

use super::*;
use crate::testing::{BlockedRuntime, note, on_both_databases};

async fn a_conflict_takes_out_its_own_conversation_only(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut all = server.opened_by(0..10).await;
    // Another server goes on with one, and has made one that ours is about to make.
    let other = Server::start(&place).await;
    let mut overtaken = all[4].anew();
    let (append, outcome) = overtaken.append(&note("edsger", "I was first"));
    other.hand_in(append);
    assert_committed(outcome.await);
    let made = other.opened(&open(customer("ada"), "Hello", "")).await;

    let before = server.journal.tally();
    let halt = BlockedRuntime::start(&server.database).await;
    let mut outcomes = Vec::new();
    let mut unmade = Speculating::begin(InMemoryConversation { id: made.story.id, ..InMemoryConversation::empty() });
    let (append, made_again) = unmade.append(&open(customer("ada"), "Hello, hello", ""));
    server.hand_in(append);
    for conversation in &mut all {
        // Two each: a part is stored or left out as a whole.
        for words in ["one", "two"] {
            let (append, outcome) = conversation.append(&note("grace", words));
            server.hand_in(append);
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
        let expected = if number == 4 { &overtaken } else { conversation };
        assert_eq!(server.stored(conversation.story.id).await, expected.story.state, "{number}");
        assert_eq!(conversation.epoch.is_broken(), number == 4, "{number}");
    }
    let tally = server.journal.tally();
    assert_eq!((tally.commits - before.commits, tally.appends - before.appends), (1, 18), "one transaction for all");
}

/// The version that the second append expects is there: not the one that the first would have left, but one that
/// another server's event has. Only the broken lineage tells them apart.
async fn a_broken_lineage_is_turned_away_though_the_version_fits(place: TestDatabase) {
    let server = Server::start_with(&place, &JournalSettings { batch: 1, ..journal_settings() }).await;
    let other = Server::start(&place).await;
    let mut ours = server.opened(&open(customer("ada"), "Hello", "")).await;
    let mut theirs = ours.anew();

    let halt = BlockedRuntime::start(&server.database).await;
    let (first, first_outcome) = ours.append(&note("grace", "on version 2"));
    let (second, second_outcome) = ours.append(&note("grace", "on version 3, ours"));
    server.hand_in(first);
    server.hand_in(second);
    let (append, outcome) = theirs.append(&note("edsger", "version 3, theirs"));
    other.hand_in(append);
    assert_committed(outcome.await);
    drop(halt);

    assert_conflict(first_outcome.await);
    assert_conflict(second_outcome.await);
    assert_eq!(server.stored(theirs.story.id).await, theirs.story.state);

    // Who has seen what is there goes on.
    let mut ours = theirs.anew();
    let (append, outcome) = ours.append(&note("grace", "on version 3, theirs"));
    server.hand_in(append);
    assert_committed(outcome.await);
}

async fn a_lineage_that_was_broken_off_is_not_stored(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
    let before = conversation.story.state.clone();
    let (append, outcome) = conversation.append(&note("grace", "forget it"));
    conversation.epoch.abort();
    server.hand_in(append);
    assert_conflict(outcome.await);
    assert_eq!(server.stored(conversation.story.id).await, before);
}

async fn two_lineages_of_a_conversation_are_stored_one_after_the_other(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut old = server.opened(&open(customer("ada"), "Hello", "")).await;
    let before = server.journal.tally();

    let halt = BlockedRuntime::start(&server.database).await;
    let (append, old_outcome) = old.append(&note("grace", "old"));
    server.hand_in(append);
    // Begun on what the old one is about to leave.
    let mut new = old.anew();
    let (append, new_outcome) = new.append(&note("grace", "new"));
    server.hand_in(append);
    drop(halt);

    assert_committed(old_outcome.await);
    assert_committed(new_outcome.await);
    assert_eq!(server.stored(new.story.id).await, new.story.state);
    assert_eq!(server.journal.tally().commits - before.commits, 2, "each is fenced on its own");
}

async fn of_two_lineages_on_the_same_version_the_first_is_stored(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut first = server.opened(&open(customer("ada"), "Hello", "")).await;
    let mut second = first.anew();

    let halt = BlockedRuntime::start(&server.database).await;
    let mut outcomes = Vec::new();
    // Taken in turns: the second's are held up together, in order.
    for words in ["one", "two"] {
        for epoch in [&mut first, &mut second] {
            let (append, outcome) = epoch.append(&note("grace", words));
            server.hand_in(append);
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

/// Two servers, every conversation at once, each on the same ground: no deadlock, and one of them gets each.
async fn of_two_servers_on_the_same_version_one_is_stored(place: TestDatabase) {
    let servers = [Server::start(&place).await, Server::start(&place).await];
    let mut all = servers[0].opened_by(0..20).await;
    for round in 0..25 {
        let mut outcomes = Vec::new();
        for conversation in &all {
            let mut pair = Vec::new();
            for (server, who) in servers.iter().zip(["grace", "edsger"]) {
                let mut mine = conversation.anew();
                let (append, outcome) = mine.append(&note(who, &format!("{round}")));
                server.hand_in(append);
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
    a_conflict_takes_out_its_own_conversation_only,
    a_broken_lineage_is_turned_away_though_the_version_fits,
    a_lineage_that_was_broken_off_is_not_stored,
    two_lineages_of_a_conversation_are_stored_one_after_the_other,
    of_two_lineages_on_the_same_version_the_first_is_stored,
    of_two_servers_on_the_same_version_one_is_stored,
);
