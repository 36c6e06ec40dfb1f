//! Ends connections when their time is over: an agent's with its token, any one after `auth.max_connection_seconds`.
//!
//! The transport is closed, so that stock clients connect again by themselves, with a token that is valid then. What a
//! client misses meanwhile it can recover only with such a token, and the new connection has a deadline of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::config::ConnectionLifetime;
use socketio::Socket;

/// When a connection ends; unique, so that it identifies the connection.
type Deadline = (Instant, u64);

/// The connections that have a deadline. Cheap to clone.
#[derive(Clone)]
pub struct ConnectionDeadlines {
    lifetime: ConnectionLifetime,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    queue: BTreeMap<Deadline, Box<dyn Fn() + Send>>,
    next: u64,
    /// Whether a task waits for the first deadline. It starts again with the first connection after the last.
    has_timer: bool,
    /// Wakes that task for an earlier deadline.
    is_earlier: Arc<tokio::sync::Notify>,
}

/// The deadline of one connection, until it is dropped.
pub(super) struct DeadlineGuard {
    state: Arc<Mutex<State>>,
    deadline: Deadline,
}

impl Drop for DeadlineGuard {
    fn drop(&mut self) {
        self.state.lock().queue.remove(&self.deadline);
    }
}

impl ConnectionDeadlines {
    /// No connection has a deadline yet.
    #[must_use]
    pub fn new(lifetime: ConnectionLifetime) -> Self {
        Self { lifetime, state: Arc::default() }
    }

    /// Ends a connection that begins now at its deadline, if it has one. `token_until` is the last second since 1970 of
    /// the token. Must be called on an actix worker.
    pub(super) fn start<User: Send + Sync + 'static>(
        &self,
        socket: &Socket<User>,
        is_agent: bool,
        token_until: u64,
    ) -> Option<DeadlineGuard> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = Instant::now().checked_add(remaining(self.lifetime, is_agent, token_until, now)?)?;
        let socket = socket.downgrade();
        let mut state = self.state.lock();
        state.next += 1;
        let deadline = (at, state.next);
        if state.queue.first_key_value().is_none_or(|(first, _)| deadline < *first) {
            state.is_earlier.notify_one();
        }
        state.queue.insert(deadline, Box::new(move || socket.upgrade().iter().for_each(Socket::close_transport)));
        if !std::mem::replace(&mut state.has_timer, true) {
            actix_rt::spawn(run(Arc::clone(&self.state)));
        }
        Some(DeadlineGuard { state: Arc::clone(&self.state), deadline })
    }
}

/// How long a connection may last that begins now, at this time since 1970.
fn remaining(lifetime: ConnectionLifetime, is_agent: bool, token_until: u64, now: Duration) -> Option<Duration> {
    // The token is valid for the complete last second.
    let token = || Duration::from_secs(token_until.saturating_add(1)).saturating_sub(now);
    match (lifetime, is_agent) {
        (ConnectionLifetime::Unlimited, _) | (ConnectionLifetime::Token, false) => None,
        (ConnectionLifetime::Token, true) => Some(token()),
        (ConnectionLifetime::Seconds(seconds), false) => Some(Duration::from_secs(seconds)),
        (ConnectionLifetime::Seconds(seconds), true) => Some(token().min(Duration::from_secs(seconds))),
    }
}

/// Ends connections until none has a deadline.
async fn run(state: Arc<Mutex<State>>) {
    loop {
        let (next, is_earlier) = {
            let mut state = state.lock();
            let next = state.queue.first_key_value().map(|((at, _), _)| *at);
            state.has_timer = next.is_some();
            (next, Arc::clone(&state.is_earlier))
        };
        let Some(next) = next else { return };
        if tokio::time::timeout_at(next.into(), is_earlier.notified()).await.is_ok() {
            continue;
        }
        let mut due = Vec::new();
        {
            let mut state = state.lock();
            while let Some(first) = state.queue.first_entry().filter(|first| first.key().0 <= Instant::now()) {
                due.push(first.remove());
            }
        }
        // Not under the lock, which the end of a connection takes.
        due.iter().for_each(|end| end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_lasts_as_long_as_the_setting_allows() {
        use ConnectionLifetime::{Seconds, Token, Unlimited};
        let now = Duration::from_millis(1_000_400);
        let milliseconds = |lifetime, is_agent, token_until| {
            remaining(lifetime, is_agent, token_until, now).map(|remaining| remaining.as_millis())
        };
        for (lifetime, customer, agent) in [
            (Token, None, Some(9_600)),
            (Unlimited, None, None),
            (Seconds(5), Some(5_000), Some(5_000)),
            (Seconds(60), Some(60_000), Some(9_600)),
        ] {
            assert_eq!(milliseconds(lifetime, false, 1009), customer, "{lifetime:?}");
            assert_eq!(milliseconds(lifetime, true, 1009), agent, "{lifetime:?}");
        }
        assert_eq!(milliseconds(Token, true, 1000), Some(600));
        assert_eq!(milliseconds(Token, true, 999), Some(0));
    }

    #[test]
    fn a_token_that_never_expires_is_no_fault() {
        let remaining = remaining(ConnectionLifetime::Token, true, u64::MAX, Duration::from_secs(1)).expect("a time");
        assert_eq!(Instant::now().checked_add(remaining), None);
    }
}
