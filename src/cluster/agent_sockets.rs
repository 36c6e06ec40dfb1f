//! When agents last had a socket, on any server and across restarts (`ownership.takeover_after_seconds`).
//!
//! Each server writes a row for each agent who is or was connected to it: at most one statement a second, when agents
//! connect or disconnect, and one every [`HEARTBEAT`] for those who are connected. Until its lease ends a row counts as
//! connected; a server that is killed thus loses at most one heartbeat. Servers compare times of their own clocks.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::TimeDelta;
use entity::agent_sockets;
use parking_lot::Mutex;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::database::{Database, DatabaseError};
use crate::domain::{Timestamp, UserId};

/// How often the rows of connected agents are written.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a row counts as connected without being written again.
const LEASE: TimeDelta = TimeDelta::seconds(45);

/// The least time between two statements.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// Rows in one statement: SQLite takes 32 766 values.
const ROWS_PER_STATEMENT: usize = 2000;

/// Rows older than this are removed. An agent without a row has been absent for as long as any setting allows.
const RETENTION: TimeDelta = TimeDelta::days(7);

/// How often old rows are removed.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(3600);

/// The time, passed in so that tests can replace it.
pub(crate) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// When an agent last had a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastSocket {
    /// They have one.
    Present,
    /// At this time.
    At(Timestamp),
    /// Not as long as it is remembered.
    Never,
}

impl LastSocket {
    /// Whether they have had none since this time.
    pub(crate) fn is_absent_since(self, since: Timestamp) -> bool {
        match self {
            Self::Present => false,
            Self::At(last) => last <= since,
            Self::Never => true,
        }
    }
}

/// Records agents' sockets. Cheap to clone; the task that writes ends with the last clone.
#[derive(Clone)]
pub(crate) struct AgentSockets(Arc<Shared>);

struct Shared {
    server: Uuid,
    now: Now,
    database: Database,
    /// Those who are connected, and those whose disconnection is not written yet.
    agents: Mutex<HashMap<UserId, Connection>>,
    changed: Arc<Notify>,
    /// One write at a time, so that an older state does not replace a newer one.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Connection {
    is_connected: bool,
    last_socket_at: Timestamp,
    is_written: bool,
}

impl AgentSockets {
    /// Starts recording.
    pub(crate) fn start(database: &Database, now: Now) -> Self {
        let changed = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            server: Uuid::now_v7(),
            now,
            database: database.clone(),
            agents: Mutex::default(),
            changed: Arc::clone(&changed),
            writing: tokio::sync::Mutex::default(),
        });
        database.runtime().spawn(run(Arc::downgrade(&shared), changed));
        Self(shared)
    }

    /// An agent got their first socket on this server, or lost the last one. Does not block.
    pub(crate) fn set_connected(&self, agent: &UserId, is_connected: bool) {
        let connection = Connection { is_connected, last_socket_at: (self.0.now)(), is_written: false };
        self.0.agents.lock().insert(agent.clone(), connection);
        self.0.changed.notify_one();
    }

    /// Whether an agent has a socket on this server.
    pub(crate) fn is_connected_here(&self, agent: &UserId) -> bool {
        self.0.agents.lock().get(agent).is_some_and(|connection| connection.is_connected)
    }

    /// When an agent last had a socket, on any server.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub(crate) async fn last_socket(&self, agent: &UserId) -> Result<LastSocket, DatabaseError> {
        let here = self.0.agents.lock().get(agent).copied();
        if here.is_some_and(|connection| connection.is_connected) {
            return Ok(LastSocket::Present);
        }
        let (id, server, now) = (agent.clone(), self.0.server, (self.0.now)());
        let rows = self.0.database.read(async move |connection| {
            agent_sockets::Entity::find().filter(agent_sockets::Column::AgentId.eq(id.as_str())).all(&connection).await
        });
        let rows = rows.await?;
        // This server's own row may be older than what it knows.
        let others = rows.iter().filter(|row| here.is_none() || row.server_id != server);
        let mut last = here.map(|connection| connection.last_socket_at);
        for row in others {
            if row.connected_until > now {
                return Ok(LastSocket::Present);
            }
            last = last.max(Some(row.last_socket_at));
        }
        Ok(last.map_or(LastSocket::Never, LastSocket::At))
    }

    /// Writes what is not written yet, before the server stops.
    pub(crate) async fn flush(&self) {
        self.0.write(false).await;
    }
}

async fn run(shared: Weak<Shared>, changed: Arc<Notify>) {
    let mut next_heartbeat = Instant::now() + HEARTBEAT;
    let mut next_cleanup = Instant::now();
    loop {
        // An error means that nothing has changed until then.
        let _ = timeout_at(next_heartbeat, changed.notified()).await;
        let Some(shared) = shared.upgrade() else { return };
        let is_heartbeat = Instant::now() >= next_heartbeat;
        if is_heartbeat {
            next_heartbeat = Instant::now() + HEARTBEAT;
        }
        if !shared.write(is_heartbeat).await {
            shared.changed.notify_one();
        }
        if Instant::now() >= next_cleanup {
            next_cleanup = Instant::now() + CLEANUP_INTERVAL;
            shared.remove_old().await;
        }
        drop(shared);
        sleep(WRITE_INTERVAL).await;
    }
}

impl Shared {
    /// Writes the rows that have changed; with a heartbeat also those of connected agents. Gives whether it succeeded.
    async fn write(&self, is_heartbeat: bool) -> bool {
        let _one_at_a_time = self.writing.lock().await;
        let written = self.take_changed(is_heartbeat);
        for chunk in written.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<_> = chunk.iter().map(|(agent, connection)| self.row(agent, *connection)).collect();
            if let Err(error) = upsert(&self.database, rows).await {
                tracing::debug!(%error, agents = written.len(), "agents' sockets could not be written");
                return false;
            }
            self.mark_written(chunk);
        }
        true
    }

    fn take_changed(&self, is_heartbeat: bool) -> Vec<(UserId, Connection)> {
        let now = (self.now)();
        let mut agents = self.agents.lock();
        let mut changed = Vec::new();
        for (agent, connection) in agents.iter_mut() {
            if connection.is_connected && is_heartbeat {
                *connection = Connection { last_socket_at: now, is_written: false, ..*connection };
            }
            if !connection.is_written {
                changed.push((agent.clone(), *connection));
            }
        }
        changed
    }

    /// What has changed again meanwhile is not written. A disconnected agent is forgotten, as the database knows them.
    fn mark_written(&self, written: &[(UserId, Connection)]) {
        let mut agents = self.agents.lock();
        for (agent, connection) in written {
            if agents.get(agent) != Some(connection) {
                continue;
            }
            if connection.is_connected {
                agents.insert(agent.clone(), Connection { is_written: true, ..*connection });
            } else {
                agents.remove(agent);
            }
        }
    }

    fn row(&self, agent: &UserId, connection: Connection) -> agent_sockets::Model {
        let last_socket_at = connection.last_socket_at;
        agent_sockets::Model {
            agent_id: agent.as_str().to_owned(),
            server_id: self.server,
            connected_until: if connection.is_connected { last_socket_at + LEASE } else { last_socket_at },
            last_socket_at,
        }
    }

    async fn remove_old(&self) {
        let before = (self.now)() - RETENTION;
        let removed = self.database.write(async move |connection| {
            agent_sockets::Entity::delete_many()
                .filter(agent_sockets::Column::ConnectedUntil.lt(before))
                .exec(&connection)
                .await
        });
        if let Err(error) = removed.await {
            tracing::debug!(%error, "old rows of agents' sockets could not be removed");
        }
    }
}

async fn upsert(database: &Database, mut rows: Vec<agent_sockets::Model>) -> Result<(), DatabaseError> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by(|one, other| one.agent_id.cmp(&other.agent_id));
    let replaced = OnConflict::columns([agent_sockets::Column::AgentId, agent_sockets::Column::ServerId])
        .update_columns([agent_sockets::Column::ConnectedUntil, agent_sockets::Column::LastSocketAt])
        .to_owned();
    database
        .write(async move |connection| {
            agent_sockets::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
                .on_conflict(replaced)
                .exec_without_returning(&connection)
                .await
                .map(|_| ())
        })
        .await
}

impl std::fmt::Debug for AgentSockets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AgentSockets").field("server", &self.0.server).finish_non_exhaustive()
    }
}
