//! Which appends share a transaction, and which wait for the next one.

use std::collections::VecDeque;

use super::super::batch::{Batch, gather};
use super::*;
use crate::testing::{note, send_as};

fn conversation() -> Speculating {
    Speculating::begin(InMemoryConversation::opened(&open(customer("ada"), "Hello", "")))
}

fn noted(conversation: &mut Speculating, words: &str) -> Append {
    conversation.append_and(&note("grace", words), |_| {})
}

fn named(conversation: &mut Speculating, name: &str) -> Append {
    conversation.append_and(&send_as(customer("ada"), name, name), |_| {})
}

/// The last text of each append.
fn words<'a>(appends: impl IntoIterator<Item = &'a Append>) -> Vec<String> {
    let last = |append: &Append| append.events.last().and_then(Event::posted).map(|posted| posted.message.text);
    appends.into_iter().filter_map(last).map(|text| text.as_str().to_owned()).collect()
}

fn parts(batch: &Batch) -> Vec<Vec<String>> {
    let mut parts: Vec<_> = batch.conversations.values().map(|part| words(&part.appends)).collect();
    parts.sort();
    parts
}

#[test]
fn an_empty_queue_gives_an_empty_batch() {
    let batch = gather(&mut VecDeque::new(), 10);
    assert!(batch.conversations.is_empty() && batch.aborted.is_empty());
}

#[test]
fn consecutive_appends_share_one_fence() {
    let mut conversation = conversation();
    let mut waiting: VecDeque<_> = ["a", "b", "c"].map(|words| noted(&mut conversation, words)).into();
    let batch = gather(&mut waiting, 10);
    assert!(waiting.is_empty());
    assert_eq!(parts(&batch), [["a", "b", "c"]]);
    let part = &batch.conversations[&conversation.story.id];
    assert_eq!(part.expected_version(), 2);
    assert_eq!(part.state().unwrap().as_ref(), conversation.story.conversation());
    assert_eq!(part.events().map(|event| event.position).collect::<Vec<_>>(), [3, 4, 5]);
}

#[test]
fn a_batch_is_ordered_by_conversation() {
    let mut all: Vec<_> = (0..20).map(|_| conversation()).collect();
    let mut waiting: VecDeque<_> = all.iter_mut().rev().map(|conversation| noted(conversation, "x")).collect();
    let batch = gather(&mut waiting, 100);
    assert_eq!(batch.conversations.len(), 20);
    assert!(batch.conversations.keys().is_sorted());
}

#[test]
fn a_batch_has_at_most_the_limit_of_appends() {
    let mut conversation = conversation();
    let mut waiting: VecDeque<_> = ["a", "b", "c"].map(|words| noted(&mut conversation, words)).into();
    assert_eq!(parts(&gather(&mut waiting, 2)), [["a", "b"]]);
    assert_eq!(words(&waiting), ["c"]);
    assert_eq!(parts(&gather(&mut waiting, 2)), [["c"]]);
}

#[test]
fn appends_of_an_aborted_epoch_are_sorted_out() {
    let (mut broken, mut intact) = (conversation(), conversation());
    let mut waiting = VecDeque::from([noted(&mut broken, "a"), noted(&mut intact, "b"), noted(&mut broken, "c")]);
    broken.epoch.abort();
    let batch = gather(&mut waiting, 10);
    assert_eq!(
        (words(&batch.aborted), parts(&batch)),
        (vec!["a".to_owned(), "c".to_owned()], vec![vec!["b".to_owned()]])
    );
}

#[test]
fn a_new_epoch_waits_for_the_old_ones_transaction() {
    let mut old = conversation();
    let a = noted(&mut old, "a");
    let mut new = old.reloaded();
    let (b, c) = (noted(&mut new, "b"), noted(&mut new, "c"));
    // Appended late: it stays after the waiting appends of its conversation, though it continues the batch.
    let d = noted(&mut old, "d");
    let mut another = conversation();
    let mut waiting = VecDeque::from([a, b, c, d, noted(&mut another, "e")]);
    assert_eq!(parts(&gather(&mut waiting, 10)), [["a"], ["e"]]);
    assert_eq!(words(&waiting), ["b", "c", "d"]);
    assert_eq!(parts(&gather(&mut waiting, 10)), [["b", "c"]]);
    assert_eq!(words(&waiting), ["d"]);
}

#[test]
fn an_append_that_leaves_a_gap_waits() {
    let mut conversation = conversation();
    let a = noted(&mut conversation, "a");
    let _not_appended = noted(&mut conversation, "b");
    let mut waiting = VecDeque::from([a, noted(&mut conversation, "c")]);
    assert_eq!(parts(&gather(&mut waiting, 10)), [["a"]]);
    assert_eq!(words(&waiting), ["c"]);
}

#[test]
fn of_two_messages_with_one_idempotency_key_the_second_waits_and_blocks_only_its_conversation() {
    let (mut first, mut second, mut third) = (conversation(), conversation(), conversation());
    let mut waiting = VecDeque::from([
        named(&mut first, "n"),
        noted(&mut second, "before"),
        named(&mut second, "n"),
        noted(&mut second, "after"),
        named(&mut third, "m"),
        noted(&mut first, "on"),
    ]);
    assert_eq!(parts(&gather(&mut waiting, 10)), [vec!["before"], vec!["m"], vec!["n", "on"]]);
    assert_eq!(words(&waiting), ["n", "after"]);
}

#[test]
fn a_postponed_key_does_not_block_other_keys() {
    let (mut first, mut second, mut third) = (conversation(), conversation(), conversation());
    let mut waiting = VecDeque::from([named(&mut first, "n"), named(&mut second, "n"), named(&mut third, "n")]);
    for rest in [2, 1, 0] {
        assert_eq!(gather(&mut waiting, 10).conversations.len(), 1);
        assert_eq!(waiting.len(), rest, "one per transaction");
    }
}
