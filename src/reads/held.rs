//! Answers that are finished and not yet taken by their clients.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use hashlink::LinkedHashMap;
use parking_lot::Mutex;

/// An answer is handed to its connection in portions of so many bytes. The connection asks for more when its client has
/// read, so what it copies is bounded, and each portion shows that the client is there.
const PORTION: usize = 16 * 1024;

/// The answer was dropped, because its client did not read it while others needed the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client has not read its answer")]
pub(crate) struct Unread;

/// All answers that are held.
#[derive(Debug)]
pub(super) struct HeldAnswers {
    max_of_person: usize,
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    bytes: usize,
    of_persons: HashMap<u64, usize>,
    /// The one without progress for the longest time first.
    answers: LinkedHashMap<u64, Answer>,
}

#[derive(Debug)]
struct Answer {
    person: u64,
    /// The memory is one allocation, which is free when the last portion is sent.
    bytes: usize,
    rest: Rest,
}

/// What is not sent yet; `None` when it was dropped.
type Rest = Arc<Mutex<Option<Bytes>>>;

impl HeldAnswers {
    pub(super) fn new(max_of_person: usize, max: usize) -> Arc<Self> {
        Arc::new(Self { max_of_person, max, state: Mutex::default() })
    }

    /// Holds an answer, and drops others if they are too many bytes.
    pub(super) fn add(self: &Arc<Self>, person: u64, answer: Bytes) -> HeldBody {
        let bytes = answer.len();
        let rest: Rest = Arc::new(Mutex::new(Some(answer)));
        let mut state = self.state.lock();
        state.make_room(bytes, self.max);
        let left = self.max_of_person.saturating_sub(bytes);
        while state.of_persons.get(&person).is_some_and(|held| *held > left) {
            state.drop_first(|answer| answer.person == person);
        }
        let number = state.next;
        state.next += 1;
        state.bytes += bytes;
        *state.of_persons.entry(person).or_default() += bytes;
        state.answers.insert(number, Answer { person, bytes, rest: Arc::clone(&rest) });
        HeldBody { number, size: bytes as u64, rest, answers: Arc::clone(self) }
    }

    /// Its client has taken a portion.
    fn progress(&self, number: u64) {
        self.state.lock().answers.to_back(&number);
    }

    fn remove(&self, number: u64) {
        self.state.lock().remove(number);
    }
}

impl State {
    /// Drops answers until `bytes` more fit into `max`.
    fn make_room(&mut self, bytes: usize, max: usize) {
        let left = max.saturating_sub(bytes);
        while self.bytes > left && self.drop_first(|_| true) {}
    }

    /// Drops the first of these. Gives whether there was one.
    fn drop_first(&mut self, may_go: impl Fn(&Answer) -> bool) -> bool {
        let Some(number) = self.answers.iter().find(|(_, answer)| may_go(answer)).map(|(number, _)| *number) else {
            return false;
        };
        if let Some(answer) = self.remove(number) {
            *answer.rest.lock() = None;
            tracing::debug!(bytes = answer.bytes, "an answer was dropped that its client did not read");
        }
        true
    }

    fn remove(&mut self, number: u64) -> Option<Answer> {
        let answer = self.answers.remove(&number)?;
        self.bytes = self.bytes.saturating_sub(answer.bytes);
        if let Some(held) = self.of_persons.get_mut(&answer.person) {
            *held = held.saturating_sub(answer.bytes);
            if *held == 0 {
                self.of_persons.remove(&answer.person);
            }
        }
        Some(answer)
    }
}

/// The body of a held answer.
#[derive(Debug)]
pub(crate) struct HeldBody {
    number: u64,
    size: u64,
    rest: Rest,
    answers: Arc<HeldAnswers>,
}

impl HeldBody {
    fn next(&self) -> Option<Result<Bytes, Unread>> {
        let portion = {
            let mut rest = self.rest.lock();
            let Some(rest) = rest.as_mut() else { return Some(Err(Unread)) };
            rest.split_to(rest.len().min(PORTION))
        };
        // The lock is free: who drops answers holds the list's lock first.
        self.answers.progress(self.number);
        (!portion.is_empty()).then_some(Ok(portion))
    }
}

impl MessageBody for HeldBody {
    type Error = Unread;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.size)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Unread>>> {
        Poll::Ready(self.next())
    }
}

impl From<Unread> for actix_web::Error {
    fn from(error: Unread) -> Self {
        actix_web::error::ErrorInternalServerError(error)
    }
}

impl Drop for HeldBody {
    fn drop(&mut self) {
        self.answers.remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> Bytes {
        Bytes::from(vec![b'x'; bytes])
    }

    fn is_held(body: &HeldBody) -> bool {
        body.rest.lock().is_some()
    }

    #[test]
    fn an_answer_is_given_in_portions_and_complete() {
        let held = HeldAnswers::new(100_000, 100_000);
        let body = held.add(1, answer(PORTION * 2 + 1));
        let sizes: Vec<_> = std::iter::from_fn(|| body.next()).map(|portion| portion.expect("held").len()).collect();
        assert_eq!(sizes, [PORTION, PORTION, 1]);
        assert_eq!(held.state.lock().bytes, PORTION * 2 + 1, "its memory is still in use");
        drop(body);
        let state = held.state.lock();
        assert!(state.bytes == 0 && state.answers.is_empty() && state.of_persons.is_empty());
    }

    #[test]
    fn at_the_limit_the_answer_without_progress_for_the_longest_time_is_dropped() {
        let held = HeldAnswers::new(1000, 300);
        let bodies: Vec<_> = (0..3).map(|person| held.add(person, answer(100))).collect();
        assert!(bodies.iter().all(is_held), "exactly the limit");
        bodies[0].next();
        let newcomer = held.add(3, answer(1));
        assert_eq!(bodies.iter().map(is_held).collect::<Vec<_>>(), [true, false, true]);
        assert!(matches!(bodies[1].next(), Some(Err(Unread))), "its connection ends");
        assert!(is_held(&newcomer));
        let large = held.add(4, answer(5000));
        assert!(is_held(&large) && !is_held(&newcomer), "one always has room");
    }

    #[test]
    fn who_holds_too_much_loses_their_own_answers() {
        let held = HeldAnswers::new(200, 10_000);
        let others = held.add(1, answer(100));
        let own: Vec<_> = (0..3).map(|_| held.add(2, answer(100))).collect();
        assert_eq!(own.iter().map(is_held).collect::<Vec<_>>(), [false, true, true]);
        assert!(is_held(&others));
        drop(own);
        assert_eq!(held.state.lock().bytes, 100);
    }
}
