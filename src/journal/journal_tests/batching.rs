//! What goes into one transaction, and what waits for the next.

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

/// The last words of each append, part by part.
fn words<'a>(appends: impl IntoIterator<Item = &'a Append>) -> Vec<String> {
    let last = |append: &Append| append.events.last().and_then(Event::posted).map(|posted| posted.message.text);
    appends.into_iter().filter_map(last).map(|text| text.as_str().to_owned()).collect()
}

fn parts(batch: &Batch) -> Vec<Vec<String>> {
    let mut parts: Vec<_> = batch.parts.values().map(|part| words(&part.appends)).collect();
    parts.sort();
    parts
}

#[test]
fn of_nothing_comes_nothing() {
    let batch = gather(&mut VecDeque::new(), 10);
    assert!(batch.parts.is_empty() && batch.broken.is_empty());
}

#[test]
fn what_follows_on_goes_together_and_is_fenced_once() {
    let mut conversation = conversation();
    let mut waiting: VecDeque<_> = ["a", "b", "c"].map(|words| noted(&mut conversation, words)).into();
    let batch = gather(&mut waiting, 10);
    assert!(waiting.is_empty());
    assert_eq!(parts(&batch), [["a", "b", "c"]]);
    let part = &batch.parts[&conversation.story.id];
    assert_eq!(part.expected_version(), 2);
    assert_eq!(part.state().unwrap().as_ref(), conversation.story.conversation());
    assert_eq!(part.events().map(|event| event.position).collect::<Vec<_>>(), [3, 4, 5]);
}

#[test]
fn parts_stand_in_the_order_of_their_conversations() {
    let mut all: Vec<_> = (0..20).map(|_| conversation()).collect();
    let mut waiting: VecDeque<_> = all.iter_mut().rev().map(|conversation| noted(conversation, "x")).collect();
    let batch = gather(&mut waiting, 100);
    assert_eq!(batch.parts.len(), 20);
    assert!(batch.parts.keys().is_sorted());
}

#[test]
fn no_more_is_taken_than_the_limit() {
    let mut conversation = conversation();
    let mut waiting: VecDeque<_> = ["a", "b", "c"].map(|words| noted(&mut conversation, words)).into();
    assert_eq!(parts(&gather(&mut waiting, 2)), [["a", "b"]]);
    assert_eq!(words(&waiting), ["c"]);
    assert_eq!(parts(&gather(&mut waiting, 2)), [["c"]]);
}

#[test]
fn what_belongs_to_a_broken_lineage_is_sorted_out() {
    let (mut broken, mut whole) = (conversation(), conversation());
    let mut waiting = VecDeque::from([noted(&mut broken, "a"), noted(&mut whole, "b"), noted(&mut broken, "c")]);
    broken.epoch.abort();
    let batch = gather(&mut waiting, 10);
    assert_eq!(
        (words(&batch.broken), parts(&batch)),
        (vec!["a".to_owned(), "c".to_owned()], vec![vec!["b".to_owned()]])
    );
}

#[test]
fn a_new_lineage_waits_until_the_old_ones_part_is_dealt_with() {
    let mut old = conversation();
    let a = noted(&mut old, "a");
    let mut new = old.anew();
    let (b, c) = (noted(&mut new, "b"), noted(&mut new, "c"));
    // Handed in late; behind what waits of its conversation, though it would fit the part.
    let d = noted(&mut old, "d");
    let mut another = conversation();
    let mut waiting = VecDeque::from([a, b, c, d, noted(&mut another, "e")]);
    assert_eq!(parts(&gather(&mut waiting, 10)), [["a"], ["e"]]);
    assert_eq!(words(&waiting), ["b", "c", "d"]);
    assert_eq!(parts(&gather(&mut waiting, 10)), [["b", "c"]]);
    assert_eq!(words(&waiting), ["d"]);
}

#[test]
fn what_leaves_a_gap_waits() {
    let mut conversation = conversation();
    let a = noted(&mut conversation, "a");
    let _never_handed_in = noted(&mut conversation, "b");
    let mut waiting = VecDeque::from([a, noted(&mut conversation, "c")]);
    assert_eq!(parts(&gather(&mut waiting, 10)), [["a"]]);
    assert_eq!(words(&waiting), ["c"]);
}

#[test]
fn of_two_sends_with_one_name_the_second_waits_and_holds_up_its_conversation_alone() {
    let (mut first, mut second, mut third) = (conversation(), conversation(), conversation());
    let mut waiting = VecDeque::from([
        named(&mut first, "n"),
        noted(&mut second, "before"),
        named(&mut second, "n"),
        noted(&mut second, "behind"),
        named(&mut third, "m"),
        noted(&mut first, "on"),
    ]);
    assert_eq!(parts(&gather(&mut waiting, 10)), [vec!["before"], vec!["m"], vec!["n", "on"]]);
    assert_eq!(words(&waiting), ["n", "behind"]);
}

#[test]
fn a_name_that_is_put_back_does_not_hold_up_the_names_beside_it() {
    let (mut first, mut second, mut third) = (conversation(), conversation(), conversation());
    let mut waiting = VecDeque::from([named(&mut first, "n"), named(&mut second, "n"), named(&mut third, "n")]);
    for rest in [2, 1, 0] {
        assert_eq!(gather(&mut waiting, 10).parts.len(), 1);
        assert_eq!(waiting.len(), rest, "one a transaction");
    }
}
