//! The sessions of an engine by their ids, and the limits on their number.
//!
//! Shared by all HTTP workers, as any worker may receive a poll of a session. An entry lives exactly as long as its
//! [`Registration`], which the session's actor owns.
//!
//! This module and [`crate::session`] import each other: an entry holds the address of its session's actor, and the
//! actor owns the guards of its entry, so that no path that ends a session can leave an entry in the registry.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use actix::Addr;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::Mutex;

use crate::config::EngineConfig;
use crate::ip_prefix::ip_prefix;
use crate::outbox::Outbox;
use crate::session::Session;
use crate::session_id::SessionId;

/// What a request needs of the session it belongs to.
#[derive(Clone)]
pub(crate) struct SessionEntry {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) actor: Addr<Session>,
}

/// The sessions of an engine.
pub(crate) struct Registry {
    sessions: DashMap<SessionId, SessionEntry>,
    /// Number of sessions by [`ip_prefix`].
    prefixes: DashMap<IpAddr, usize>,
    /// Number of live [`Admission`]s.
    admissions: AtomicUsize,
    /// Actors that have not stopped, including those whose sessions are no longer registered.
    actors: Arc<AtomicUsize>,
    /// Tasks of WebSockets that attempt an upgrade or have completed one.
    upgrades: Arc<AtomicUsize>,
    handshakes: Mutex<TokenBucket>,
    is_closing: AtomicBool,
    max_sessions: usize,
    max_per_address: usize,
}

/// A token bucket that holds the tokens of one second.
struct TokenBucket {
    tokens: f64,
    tokens_per_second: f64,
    refilled_at: Instant,
}

/// Why no session can be opened now. The texts are sent to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AdmissionError {
    #[error("Server is stopping")]
    Closing,
    #[error("Too many sessions")]
    Sessions,
    #[error("Too many handshakes")]
    Handshakes,
}

impl Registry {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        let handshakes = TokenBucket::new(f64::from(config.max_handshakes_per_second));
        Self {
            sessions: DashMap::new(),
            prefixes: DashMap::new(),
            admissions: AtomicUsize::new(0),
            actors: Arc::default(),
            upgrades: Arc::default(),
            handshakes: Mutex::new(handshakes),
            is_closing: AtomicBool::new(false),
            max_sessions: config.max_sessions,
            max_per_address: config.max_sessions_per_address,
        }
    }

    /// Admits one more session if the limits allow it.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Admission, AdmissionError> {
        if self.is_closing.load(Ordering::Acquire) {
            return Err(AdmissionError::Closing);
        }
        if !self.handshakes.lock().take() {
            return Err(AdmissionError::Handshakes);
        }
        if self.admissions.fetch_add(1, Ordering::AcqRel) >= self.max_sessions {
            self.admissions.fetch_sub(1, Ordering::AcqRel);
            return Err(AdmissionError::Sessions);
        }
        // From here on every return path drops the admission, which undoes the count.
        let mut admission = Admission { registry: Arc::clone(self), prefix: None };
        if let Some(prefix) = address.map(ip_prefix) {
            let mut sessions = self.prefixes.entry(prefix).or_insert(0);
            if *sessions >= self.max_per_address {
                // Dropping the admission locks the same map.
                drop(sessions);
                return Err(AdmissionError::Sessions);
            }
            *sessions += 1;
            admission.prefix = Some(prefix);
        }
        Ok(admission)
    }

    /// A session by its id, unless it is closed.
    pub(crate) fn find(&self, id: SessionId) -> Option<SessionEntry> {
        self.sessions.get(&id).map(|entry| entry.value().clone()).filter(|entry| !entry.outbox.is_closed())
    }

    pub(crate) fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Counts an actor until the guard is dropped.
    pub(crate) fn count_actor(&self) -> ActiveGuard {
        ActiveGuard::count(&self.actors)
    }

    /// Counts an upgrade's task until the guard is dropped.
    pub(crate) fn count_upgrade(&self) -> ActiveGuard {
        ActiveGuard::count(&self.upgrades)
    }

    /// What the engine holds now.
    pub(crate) fn stats(&self) -> EngineStats {
        EngineStats {
            sessions: self.sessions.len(),
            admissions: self.admissions.load(Ordering::Acquire),
            prefixes: self.prefixes.len(),
            actors: self.actors.load(Ordering::Acquire),
            upgrades: self.upgrades.load(Ordering::Acquire),
        }
    }

    /// Whether no actor runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.actors.load(Ordering::Acquire) == 0
    }

    /// Admits no session from now on.
    pub(crate) fn stop_admitting(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(&SessionEntry)) {
        for entry in &self.sessions {
            visit(entry.value());
        }
    }
}

impl TokenBucket {
    fn new(tokens_per_second: f64) -> Self {
        Self { tokens: tokens_per_second, tokens_per_second, refilled_at: Instant::now() }
    }

    /// Takes a token, if there is one.
    fn take(&mut self) -> bool {
        let now = Instant::now();
        let elapsed = now.duration_since(self.refilled_at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.tokens_per_second).min(self.tokens_per_second);
        self.refilled_at = now;
        let has_token = self.tokens >= 1.0;
        if has_token {
            self.tokens -= 1.0;
        }
        has_token
    }
}

/// Counts a session against the limits until it is dropped.
pub(crate) struct Admission {
    registry: Arc<Registry>,
    prefix: Option<IpAddr>,
}

impl Admission {
    /// Registers the session under its id.
    pub(crate) fn register(self, id: SessionId, entry: SessionEntry) -> Registration {
        self.registry.sessions.insert(id, entry);
        Registration { id, admission: self }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.registry.admissions.fetch_sub(1, Ordering::AcqRel);
        if let Some(prefix) = self.prefix
            && let Entry::Occupied(mut sessions) = self.registry.prefixes.entry(prefix)
        {
            *sessions.get_mut() -= 1;
            if *sessions.get() == 0 {
                sessions.remove();
            }
        }
    }
}

/// A session's entry in the registry, removed when this is dropped.
pub(crate) struct Registration {
    id: SessionId,
    admission: Admission,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.admission.registry.sessions.remove(&self.id);
    }
}

/// Counts an actor or a task until it is dropped.
pub(crate) struct ActiveGuard(Arc<AtomicUsize>);

impl ActiveGuard {
    fn count(active: &Arc<AtomicUsize>) -> Self {
        active.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(active))
    }
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What an engine holds now, for metrics and for tests against leaks. All counts are 0 once every session is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Sessions that requests can find.
    pub sessions: usize,
    /// Sessions that count against [`EngineConfig::max_sessions`].
    pub admissions: usize,
    /// Entries of the table that counts sessions by [`ip_prefix`].
    pub prefixes: usize,
    /// Session actors, including those whose application is still finishing after the close.
    pub actors: usize,
    /// Tasks of WebSockets that attempt an upgrade or have completed one.
    pub upgrades: usize,
}
