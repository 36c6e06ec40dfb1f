//! Limits how often something is announced: at once if nothing was announced lately, otherwise at the end of the
//! interval, together with what came meanwhile.
//!
//! What always holds: between two values of one key lies at least the interval; the last value offered is given; at most
//! `limit` keys are held, and a value for a further key is given at once and forgotten.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// A value that takes in a later one of the same key.
pub(super) trait Merge {
    /// Adds what came later; where the two differ, the later counts.
    fn merge(&mut self, later: Self);
}

impl Merge for () {
    fn merge(&mut self, (): Self) {}
}

/// See the module.
#[derive(Debug)]
pub(super) struct Coalescer<Key, Value> {
    interval: Duration,
    limit: usize,
    /// What waits, for each key of which something was given less than the interval ago.
    pending: HashMap<Key, Option<Value>>,
    /// When the interval of each key ends. All intervals have one length, so they end in the order in which they began.
    ends: VecDeque<(Instant, Key)>,
}

impl<Key: Clone + Eq + Hash, Value: Merge> Coalescer<Key, Value> {
    pub(super) fn new(interval: Duration, limit: usize) -> Self {
        Self { interval, limit, pending: HashMap::new(), ends: VecDeque::new() }
    }

    /// Gives the value back if it is to be announced now.
    pub(super) fn offer(&mut self, key: Key, value: Value, now: Instant) -> Option<Value> {
        let is_full = self.pending.len() >= self.limit;
        match self.pending.entry(key) {
            Entry::Occupied(mut entry) => {
                match entry.get_mut() {
                    Some(pending) => pending.merge(value),
                    empty => *empty = Some(value),
                }
                None
            }
            Entry::Vacant(entry) => {
                if !is_full {
                    self.ends.push_back((now + self.interval, entry.key().clone()));
                    entry.insert(None);
                }
                Some(value)
            }
        }
    }

    /// Takes one value whose time has come, until there is none.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Key, Value)> {
        while self.next_end().is_some_and(|end| end <= now) {
            let (_, key) = self.ends.pop_front()?;
            if let Some(value) = self.pending.get_mut(&key).and_then(Option::take) {
                self.ends.push_back((now + self.interval, key.clone()));
                return Some((key, value));
            }
            self.pending.remove(&key);
        }
        None
    }

    /// When [`Coalescer::take_due`] is to be called next; `None` while nothing is held.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.ends.front().map(|(end, _)| *end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(1);

    impl Merge for Vec<u32> {
        fn merge(&mut self, later: Self) {
            self.extend(later);
        }
    }

    #[test]
    fn the_first_is_given_at_once_and_the_others_together_at_the_end_of_the_interval() {
        let start = Instant::now();
        let mut coalescer = Coalescer::new(INTERVAL, 10);
        assert_eq!(coalescer.offer("a", vec![1], start), Some(vec![1]));
        assert_eq!(coalescer.offer("a", vec![2], start + INTERVAL / 2), None);
        assert_eq!(coalescer.offer("a", vec![3], start + INTERVAL / 2), None);
        assert_eq!(
            coalescer.offer("b", vec![4], start + INTERVAL / 2),
            Some(vec![4]),
            "keys do not wait for each other"
        );
        assert_eq!(coalescer.take_due(start + INTERVAL - Duration::from_millis(1)), None);
        assert_eq!(coalescer.take_due(start + INTERVAL), Some(("a", vec![2, 3])));
        assert_eq!(coalescer.offer("a", vec![5], start + INTERVAL), None, "an interval follows the second, too");
        while coalescer.take_due(start + INTERVAL * 4).is_some() {}
        assert_eq!(coalescer.take_due(start + INTERVAL * 6), None);
        assert_eq!(coalescer.next_end(), None, "nothing is held once it is quiet");
    }

    #[test]
    fn a_key_above_the_limit_is_announced_at_once_and_not_held() {
        let start = Instant::now();
        let mut coalescer = Coalescer::new(INTERVAL, 2);
        for key in 0..4 {
            assert_eq!(coalescer.offer(key, vec![key], start), Some(vec![key]));
        }
        assert_eq!(coalescer.offer(1, vec![9], start), None);
        assert_eq!(coalescer.offer(3, vec![9], start), Some(vec![9]), "the third key is not held");
        assert_eq!(coalescer.pending.len(), 2);
        assert_eq!(coalescer.ends.len(), 2);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_repeated_or_too_early(steps in prop::collection::vec((0_u8..4, 0_u64..700), 1..200)) {
            let mut coalescer = Coalescer::new(INTERVAL, 3);
            let mut now = Instant::now();
            let mut given: HashMap<u8, Vec<u32>> = HashMap::new();
            let mut last: HashMap<u8, Instant> = HashMap::new();
            let mut offered: HashMap<u8, Vec<u32>> = HashMap::new();
            for (number, (key, pause)) in (0_u32..).zip(steps) {
                now += Duration::from_millis(pause);
                let mut announced: Vec<_> = std::iter::from_fn(|| coalescer.take_due(now)).collect();
                offered.entry(key).or_default().push(number);
                let is_held = coalescer.pending.contains_key(&key) || coalescer.pending.len() < 3;
                announced.extend(coalescer.offer(key, vec![number], now).map(|value| (key, value)));
                for (announced_key, value) in announced {
                    if is_held && let Some(before) = last.insert(announced_key, now) {
                        prop_assert!(now - before >= INTERVAL || !coalescer.pending.contains_key(&announced_key));
                    }
                    given.entry(announced_key).or_default().extend(value);
                }
                prop_assert!(coalescer.pending.len() <= 3);
                prop_assert_eq!(coalescer.pending.len(), coalescer.ends.len());
            }
            while let Some(end) = coalescer.next_end() {
                while let Some((key, value)) = coalescer.take_due(end) {
                    given.entry(key).or_default().extend(value);
                }
            }
            prop_assert_eq!(given, offered);
        }
    }
}
