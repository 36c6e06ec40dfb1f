//! Who is an agent now: the role of a person's latest token, on every server that shares the database
//! (`additions.md`, 5: "a change of role takes effect at once").
//!
//! A token gives its bearer an agent's rights only as long as the role of the person's latest token does. Persons who
//! have come as agents are stored in `agent_roles`, and each server holds all of them in memory: what a server observes
//! takes effect there at once, is written in the background, and is read by the others within `auth.role_refresh_ms`.
//! The first agent's token of a person whom the server does not know waits for the database.
//!
//! While the database is unavailable, roles are those of the tokens and of what the server knows.

mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::store::StoredRole;
use super::latest_role::{LatestRole, PresentedToken};
use super::principal::Principal;
use super::token_cache::VerifiedToken;
use crate::config::AuthSettings;
use crate::database::Database;
use crate::domain::UserId;

/// Tokens of one person that are not written yet; beyond that the oldest is dropped.
const MAX_UNWRITTEN: usize = 64;

/// How long, and how many, customers' tokens are remembered, in case another server knows the customer as an agent.
const RECENT_CUSTOMERS: (Duration, u64) = (Duration::from_secs(60), 100_000);

/// Is notified when a person's role has changed from an agent's to another one.
pub trait RoleListener: Send + Sync {
    /// The connections of this person that have an agent's rights must end. Called from any thread; must not block.
    fn agent_role_changed(&self, person: &UserId);
}

/// The roles of agents. Cheap to clone.
#[derive(Clone)]
pub struct Roles {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    agent_roles: Vec<String>,
    refresh: Duration,
    people: Mutex<HashMap<UserId, Person>>,
    /// The last new token of each customer.
    customers: Cache<UserId, PresentedToken>,
    listener: OnceLock<Arc<dyn RoleListener>>,
    /// Notified when a token has to be written.
    has_unwritten: Notify,
}

/// A person who has come as an agent.
#[derive(Debug)]
struct Person {
    /// With the unwritten tokens.
    latest: LatestRole,
    /// The version of the row that `latest` is based on; 0 without one.
    version: i64,
    unwritten: Vec<PresentedToken>,
}

/// What is known about a token without asking the database.
enum Decision {
    /// The role of the person's latest token; `None` if they have never come as an agent.
    Known(Option<String>),
    /// The person is new to this server, and the token is an agent's.
    Unknown,
}

impl Roles {
    /// Starts to read what other servers write, and to write what this one observes. Ends with the database's runtime.
    #[must_use]
    pub fn start(database: &Database, settings: &AuthSettings) -> Self {
        let (time_to_live, capacity) = RECENT_CUSTOMERS;
        let shared = Arc::new(Shared {
            database: database.clone(),
            agent_roles: settings.all_agent_roles(),
            refresh: Duration::from_millis(settings.role_refresh_ms),
            people: Mutex::default(),
            customers: Cache::builder().max_capacity(capacity).time_to_live(time_to_live).build(),
            listener: OnceLock::new(),
            has_unwritten: Notify::new(),
        });
        database.runtime().spawn(store::read_changes(Arc::clone(&shared)));
        database.runtime().spawn(store::write_tokens(Arc::clone(&shared)));
        Self { shared }
    }

    /// Sets who is notified of changes. Only the first call has an effect.
    pub fn notify(&self, listener: Arc<dyn RoleListener>) {
        let _ = self.shared.listener.set(listener);
    }

    /// The bearer of a token that is presented, with the rights that they have now.
    pub(crate) async fn resolve(&self, verified: VerifiedToken, now_ms: i64) -> Principal {
        let token = verified.presented(now_ms);
        let role = match self.shared.observe(&verified.principal, &token) {
            Decision::Known(role) => role,
            Decision::Unknown => self.shared.confirm(&verified.principal.id, token).await,
        };
        match role {
            Some(role) if verified.principal.is_agent && !self.shared.is_agent(&role) => {
                verified.principal.without_agent_rights(role)
            }
            _ => verified.principal,
        }
    }

    /// The role of a person's latest token, as far as this server knows; `None` for one who never came as an agent.
    pub(crate) fn latest_role(&self, person: &UserId) -> Option<String> {
        self.shared.people.lock().get(person).map(|person| person.latest.role.clone())
    }

    /// Whether an agent still is one, as far as this server knows.
    pub(crate) fn is_still_agent(&self, person: &UserId) -> bool {
        let people = self.shared.people.lock();
        people.get(person).is_none_or(|person| self.shared.is_agent(&person.latest.role))
    }
}

impl Shared {
    fn is_agent(&self, role: &str) -> bool {
        self.agent_roles.iter().any(|agent| agent == role)
    }

    /// A token is presented: applies what it changes, and has it written.
    fn observe(&self, principal: &Principal, token: &PresentedToken) -> Decision {
        let mut people = self.people.lock();
        let Some(person) = people.get_mut(&principal.id) else {
            drop(people);
            if principal.is_agent {
                return Decision::Unknown;
            }
            if token.seen_before.is_none() {
                // It has arrived before whatever the server learns later.
                let token = PresentedToken { seen_before: Some(token.now), ..token.clone() };
                self.customers.insert(principal.id.clone(), token);
            }
            return Decision::Known(None);
        };
        if person.latest.knows(token) {
            return Decision::Known(Some(person.latest.role.clone()));
        }
        let before = person.latest.role.clone();
        person.observe(token.clone());
        let role = person.latest.role.clone();
        drop(people);
        self.has_unwritten.notify_one();
        self.report(&principal.id, Some(&before), &role);
        Decision::Known(Some(role))
    }

    /// Asks the database for the latest token of a person whom this server does not know.
    async fn confirm(&self, id: &UserId, token: PresentedToken) -> Option<String> {
        match store::record(&self.database, id, vec![token.clone()]).await {
            Ok(stored) => self.merge(id, stored),
            Err(error) => {
                tracing::warn!(%error, "an agent's role could not be read; the token's is taken");
                match self.people.lock().entry(id.clone()) {
                    Entry::Occupied(mut known) => known.get_mut().observe(token),
                    Entry::Vacant(unknown) => {
                        let latest = LatestRole::of(&token);
                        unknown.insert(Person { latest, version: 0, unwritten: vec![token] });
                    }
                }
                self.has_unwritten.notify_one();
            }
        }
        let people = self.people.lock();
        people.get(id).map(|person| person.latest.role.clone())
    }

    /// Takes over what is stored about a person, unless something later is known.
    fn merge(&self, id: &UserId, StoredRole { latest, version }: StoredRole) {
        let mut people = self.people.lock();
        let known = people.remove(id);
        let before = known.as_ref().map(|person| person.latest.role.clone());
        let person = match known {
            Some(known) if known.version > version => known,
            known => {
                // A customer's token that came while this server did not know that the customer was an agent.
                let customer = if known.is_none() { self.customers.remove(id) } else { None };
                let unwritten = known.map(|known| known.unwritten).unwrap_or_default();
                let mut person = Person { latest, version, unwritten: Vec::new() };
                // Those that are contained in what is stored change nothing, and are dropped.
                unwritten.into_iter().chain(customer).for_each(|token| person.observe(token));
                person
            }
        };
        let (role, has_unwritten) = (person.latest.role.clone(), !person.unwritten.is_empty());
        people.insert(id.clone(), person);
        drop(people);
        if has_unwritten {
            self.has_unwritten.notify_one();
        }
        self.report(id, before.as_deref(), &role);
    }

    /// The unwritten tokens of one person.
    fn unwritten(&self) -> Option<(UserId, Vec<PresentedToken>)> {
        let people = self.people.lock();
        let (id, person) = people.iter().find(|(_, person)| !person.unwritten.is_empty())?;
        Some((id.clone(), person.unwritten.clone()))
    }

    fn report(&self, id: &UserId, before: Option<&str>, now: &str) {
        if before == Some(now) || !before.is_some_and(|before| self.is_agent(before)) {
            return;
        }
        tracing::info!(before, now, "the role of an agent has changed: their connections end");
        if let Some(listener) = self.listener.get() {
            listener.agent_role_changed(id);
        }
    }
}

impl Person {
    fn observe(&mut self, token: PresentedToken) {
        if !self.latest.observe(&token) {
            return;
        }
        if self.unwritten.len() >= MAX_UNWRITTEN {
            self.unwritten.remove(0);
        }
        self.unwritten.push(token);
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Roles").field("agent_roles", &self.shared.agent_roles).finish_non_exhaustive()
    }
}
