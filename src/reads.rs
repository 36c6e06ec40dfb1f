//! Bounds what reading costs in memory: how much is read at the same time, and what clients have not taken of their answers.
//!
//! - A person has a few reads in progress at once, and so has the process; further ones wait for their turn. With the bound of one answer (`reads.answer_bytes`) this bounds the memory of all reads in progress.
//! - A finished answer is held until its client has taken it ([`held`]): so many bytes for one person, and so many for the
//!   process. Beyond that, the answer that its client has not touched for the longest time is dropped, and its
//!   connection ends. So clients that ask and do not read lock out neither others nor, after a lost connection,
//!   themselves.
//!
//! How much a person may read over time is a rate limit: [`crate::limits`].

mod held;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use dashmap::DashMap;
use engineio::ip_prefix;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::ReadSettings;
use crate::domain::UserId;

use held::HeldAnswers;
pub(crate) use held::HeldBody;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reader<'a> {
    /// An account, whatever its role.
    Account(&'a UserId),
    /// A person without one, by address; none if the transport has no addresses.
    Address(Option<IpAddr>),
}

/// The reads of this server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    per_person: usize,
    /// Of the persons that have reads in progress or waiting, by a keyed hash.
    persons: DashMap<u64, Arc<Semaphore>>,
    process: Arc<Semaphore>,
    held: Arc<HeldAnswers>,
    hasher: RandomState,
}

/// A turn to read. Another read can begin when this is dropped.
#[derive(Debug)]
pub(crate) struct ReadPermit {
    reads: Arc<Inner>,
    person: u64,
    of_person: Option<Arc<Semaphore>>,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Reads {
    /// With these settings.
    #[must_use]
    pub fn new(settings: &ReadSettings) -> Self {
        Self(Arc::new(Inner {
            per_person: settings.concurrent_per_person,
            persons: DashMap::new(),
            process: Arc::new(Semaphore::new(settings.concurrent)),
            held: HeldAnswers::new(settings.unsent_bytes_per_person, settings.unsent_bytes),
            hasher: RandomState::new(),
        }))
    }

    /// Waits until this person may read. The caller limits the time.
    pub(crate) async fn begin(&self, reader: Reader<'_>) -> ReadPermit {
        let person = self.0.person(reader);
        let of_person = Arc::clone(
            self.0.persons.entry(person).or_insert_with(|| Arc::new(Semaphore::new(self.0.per_person))).value(),
        );
        // Complete before it waits, so that nothing remains of a caller that gives up.
        let mut permit = ReadPermit {
            reads: Arc::clone(&self.0),
            person,
            of_person: Some(Arc::clone(&of_person)),
            permits: Vec::with_capacity(2),
        };
        // The person's own first: so that a person takes at most their share of the process's. Neither is ever closed.
        permit.permits.extend(of_person.acquire_owned().await.ok());
        permit.permits.extend(Arc::clone(&self.0.process).acquire_owned().await.ok());
        permit
    }

    /// Holds an answer for this person until its client has taken it.
    pub(crate) fn hold(&self, reader: Reader<'_>, answer: Bytes) -> HeldBody {
        self.0.held.add(self.0.person(reader), answer)
    }
}

impl Inner {
    /// The addresses of one IPv6 network are one person.
    fn person(&self, reader: Reader<'_>) -> u64 {
        self.hasher.hash_one(match reader {
            Reader::Account(_) => reader,
            Reader::Address(address) => Reader::Address(address.map(ip_prefix)),
        })
    }
}

impl Drop for ReadPermit {
    fn drop(&mut self) {
        self.permits.clear();
        self.of_person = None;
        self.reads.persons.remove_if(&self.person, |_, of_person| Arc::strong_count(of_person) == 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn reads() -> Reads {
        Reads::new(&ReadSettings {
            answer_bytes: 100,
            concurrent: 3,
            concurrent_per_person: 2,
            search_timeout_ms: 450,
            unsent_bytes: 1000,
            unsent_bytes_per_person: 500,
        })
    }

    fn account(id: &str) -> UserId {
        UserId::parse(id).expect("an id")
    }

    #[tokio::test]
    async fn a_person_waits_for_their_own_reads_and_others_do_not() {
        let reads = reads();
        let (jane, john) = (account("jane"), account("john"));
        let first = reads.begin(Reader::Account(&jane)).await;
        let _second = reads.begin(Reader::Account(&jane)).await;
        let third = reads.begin(Reader::Account(&jane));
        tokio::pin!(third);
        assert!(third.as_mut().now_or_never().is_none());
        let _johns = reads.begin(Reader::Account(&john)).now_or_never().expect("john does not wait");
        drop(first);
        third.now_or_never().expect("one of hers has ended");
    }

    #[tokio::test]
    async fn the_process_has_a_limit_of_its_own() {
        let reads = reads();
        let ids = ["a", "b", "c", "d"].map(account);
        let mut running = Vec::new();
        for id in &ids[..3] {
            running.push(reads.begin(Reader::Account(id)).await);
        }
        let fourth = reads.begin(Reader::Account(&ids[3]));
        tokio::pin!(fourth);
        assert!(fourth.as_mut().now_or_never().is_none());
        running.pop();
        fourth.now_or_never().expect("one has ended");
    }

    #[tokio::test]
    async fn addresses_of_one_network_are_one_person_and_none_is_remembered() {
        let reads = reads();
        let at = |text: &str| Reader::Address(Some(text.parse().expect("an address")));
        let held = [reads.begin(at("2001:db8::1")).await, reads.begin(at("2001:db8::2")).await];
        assert!(reads.begin(at("2001:db8::3")).now_or_never().is_none(), "it gives up while it waits");
        assert!(reads.begin(at("2001:db8:0:1::1")).now_or_never().is_some());
        drop(held);
        assert!(reads.0.persons.is_empty());
        assert!(reads.begin(at("2001:db8::3")).now_or_never().is_some());
        assert!(reads.0.persons.is_empty());
    }
}
