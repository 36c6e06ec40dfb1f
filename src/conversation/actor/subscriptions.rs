//! Subscribers that are not attached yet: their backlog is being read, or waits to be read.

use std::collections::HashMap;

use futures_util::future::join_all;

use super::messages::{Attach, Read, Subscribe};
use crate::conversation::catch_panic::catch_panic;
use crate::conversation::core::{Backlog, CommandError, SubscriberId};
use crate::domain::Posted;

#[derive(Default)]
pub(super) struct Subscriptions {
    count: u64,
    /// Each with its read, until that begins.
    pending: HashMap<SubscriberId, (Option<Read>, Attach)>,
}

/// The backlog of each subscriber of a batch.
pub(super) type Backlogs = Vec<(SubscriberId, Result<Vec<Posted>, CommandError>)>;

impl Subscriptions {
    pub(super) fn add(&mut self, subscribe: Subscribe) -> SubscriberId {
        self.count += 1;
        let subscriber = SubscriberId(self.count);
        self.pending.insert(subscriber, (Some(subscribe.read), subscribe.attach));
        subscriber
    }

    /// Reads the backlogs of these subscribers.
    pub(super) fn read(&mut self, subscribers: Vec<SubscriberId>) -> impl Future<Output = Backlogs> + use<> {
        let reads: Vec<_> = subscribers
            .into_iter()
            .filter_map(|subscriber| Some((subscriber, self.pending.get_mut(&subscriber)?.0.take()?)))
            .collect();
        join_all(
            reads
                .into_iter()
                .map(async |(subscriber, read)| (subscriber, catch_panic(read).await.map_err(CommandError::from))),
        )
    }

    pub(super) fn attach(&mut self, subscriber: SubscriberId, backlog: Result<Backlog, CommandError>) {
        let subscribed = self.pending.remove(&subscriber);
        if self.pending.is_empty() {
            // An idle actor keeps no table.
            self.pending = HashMap::new();
        }
        if let Some((_, attach)) = subscribed {
            attach(backlog);
        }
    }
}
