//! Which sessions there are, and how many there may be.
//!
//! Shared by every worker: a poll may come in on any of them. An entry lives exactly as long as its [`Registration`],
//! which the session's actor holds.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use actix::Addr;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::Mutex;

use crate::config::EngineConfig;
use crate::ip_prefix::network_of;
use crate::outbox::Outbox;
use crate::session::Session;
use crate::session_id::SessionId;

/// A session as requests find it.
#[derive(Clone)]
pub(crate) struct SessionEntry {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) actor: Addr<Session>,
}

/// See the module.
pub(crate) struct Registry {
    sessions: DashMap<SessionId, SessionEntry>,
    /// By [`network_of`] the address.
    addresses: DashMap<IpAddr, usize>,
    count: AtomicUsize,
    /// Actors that have not stopped, whether their sessions are still known or not.
    running: Arc<AtomicUsize>,
    /// WebSockets that try to take a session over, or bring its packets since they have.
    upgrades: Arc<AtomicUsize>,
    rate: Mutex<Rate>,
    closing: AtomicBool,
    max_sessions: usize,
    max_per_address: usize,
}

/// Handshakes that may come now: as many as a second allows, filled up evenly.
struct Rate {
    tokens: f64,
    a_second: f64,
    filled: Instant,
}

/// Why no session can be opened now.
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
        let a_second = f64::from(config.max_handshakes_per_second);
        Self {
            sessions: DashMap::new(),
            addresses: DashMap::new(),
            count: AtomicUsize::new(0),
            running: Arc::default(),
            upgrades: Arc::default(),
            rate: Mutex::new(Rate { tokens: a_second, a_second, filled: Instant::now() }),
            closing: AtomicBool::new(false),
            max_sessions: config.max_sessions,
            max_per_address: config.max_sessions_per_address,
        }
    }

    /// Makes room for one more session, or says why there is none.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Admission, AdmissionError> {
        if self.closing.load(Ordering::Acquire) {
            return Err(AdmissionError::Closing);
        }
        if !self.rate.lock().take() {
            return Err(AdmissionError::Handshakes);
        }
        if self.count.fetch_add(1, Ordering::AcqRel) >= self.max_sessions {
            self.count.fetch_sub(1, Ordering::AcqRel);
            return Err(AdmissionError::Sessions);
        }
        // From here on dropping the admission gives the place back.
        let mut admission = Admission { registry: Arc::clone(self), address: None };
        if let Some(address) = address.map(network_of) {
            let mut sessions = self.addresses.entry(address).or_insert(0);
            if *sessions >= self.max_per_address {
                drop(sessions);
                return Err(AdmissionError::Sessions);
            }
            *sessions += 1;
            admission.address = Some(address);
        }
        Ok(admission)
    }

    /// A session that can still be asked something.
    pub(crate) fn find(&self, id: SessionId) -> Option<SessionEntry> {
        self.sessions.get(&id).map(|found| found.value().clone()).filter(|found| !found.outbox.is_over())
    }

    pub(crate) fn count(&self) -> usize {
        self.sessions.len()
    }

    /// Counts an actor until the guard is dropped.
    pub(crate) fn run(&self) -> ActiveGuard {
        ActiveGuard::count(&self.running)
    }

    /// Counts an upgrade's task until the guard is dropped.
    pub(crate) fn run_upgrade(&self) -> ActiveGuard {
        ActiveGuard::count(&self.upgrades)
    }

    /// What is there now.
    pub(crate) fn stats(&self) -> EngineStats {
        EngineStats {
            sessions: self.sessions.len(),
            places: self.count.load(Ordering::Acquire),
            addresses: self.addresses.len(),
            actors: self.running.load(Ordering::Acquire),
            upgrades: self.upgrades.load(Ordering::Acquire),
        }
    }

    /// Whether no actor is at work any more.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.load(Ordering::Acquire) == 0
    }

    /// No session is admitted any more.
    pub(crate) fn refuse_all(&self) {
        self.closing.store(true, Ordering::Release);
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(&SessionEntry)) {
        for found in &self.sessions {
            visit(found.value());
        }
    }
}

impl Rate {
    fn take(&mut self) -> bool {
        let now = Instant::now();
        let passed = now.duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.a_second).min(self.a_second);
        self.filled = now;
        let granted = self.tokens >= 1.0;
        if granted {
            self.tokens -= 1.0;
        }
        granted
    }
}

/// A place for a session. Dropped, it is free again.
pub(crate) struct Admission {
    registry: Arc<Registry>,
    address: Option<IpAddr>,
}

impl Admission {
    /// Makes the session known under its id.
    pub(crate) fn register(self, id: SessionId, found: SessionEntry) -> Registration {
        self.registry.sessions.insert(id, found);
        Registration { id, admission: self }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.registry.count.fetch_sub(1, Ordering::AcqRel);
        if let Some(address) = self.address
            && let Entry::Occupied(mut sessions) = self.registry.addresses.entry(address)
        {
            *sessions.get_mut() -= 1;
            if *sessions.get() == 0 {
                sessions.remove();
            }
        }
    }
}

/// A session's entry. Dropped, it is gone, and its place is free.
pub(crate) struct Registration {
    id: SessionId,
    admission: Admission,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.admission.registry.sessions.remove(&self.id);
    }
}

/// Something of a session that has not ended.
pub(crate) struct ActiveGuard(Arc<AtomicUsize>);

impl ActiveGuard {
    fn count(running: &Arc<AtomicUsize>) -> Self {
        running.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(running))
    }
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What an engine holds at a moment. Everything is 0 where every session is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Sessions that requests find.
    pub sessions: usize,
    /// Places that are taken of [`EngineConfig::max_sessions`].
    pub places: usize,
    /// Addresses that have a session.
    pub addresses: usize,
    /// Actors that run, those that finish what their sessions began among them.
    pub actors: usize,
    /// Tasks that see to a WebSocket which takes a session over or has.
    pub upgrades: usize,
}
