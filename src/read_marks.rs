//! Stores how far conversations have been read, and announces what moves (`additions.md`, 7).
//!
//! A mark is no event of the conversation: it takes no position and changes nothing that shipped clients see. Marks of a
//! server are written one batch after another, each in one statement, which only increases them: concurrent readers on
//! any number of servers leave the highest. What would move nothing is not written.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use entity::read_marks;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::{mpsc, oneshot};

use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{Conversation, ReadingSide};

/// Marks that may wait to be written; further ones are refused.
const QUEUE: usize = 4096;

/// Marks in one statement.
const BATCH: usize = 256;

/// Is notified of every mark that has moved, in order.
pub trait ReadMarkListener: Send + Sync {
    /// One side has read the conversation up to this `seq`. Called from any thread; must not block.
    fn read_up_to(&self, conversation: &Conversation, side: ReadingSide, seq: i64);
}

/// Why a mark was not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadMarkError {
    /// Too many wait.
    #[error("too many read marks wait to be written")]
    Overloaded,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Stores read marks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ReadMarks {
    queue: mpsc::Sender<Mark>,
}

struct Mark {
    conversation: Arc<Conversation>,
    side: ReadingSide,
    seq: i64,
    stored: oneshot::Sender<Result<(), DatabaseError>>,
}

impl ReadMarks {
    /// Starts the task that writes, which ends with the last clone.
    #[must_use]
    pub fn start(database: &Database, listener: Arc<dyn ReadMarkListener>) -> Self {
        let (queue, marks) = mpsc::channel(QUEUE);
        database.runtime().spawn(run(database.clone(), marks, listener));
        Self { queue }
    }

    /// Stores that a side has read up to this `seq`, unless it has read further; announces it if it moves the mark.
    ///
    /// # Errors
    /// [`ReadMarkError`].
    pub async fn store(
        &self,
        conversation: Arc<Conversation>,
        side: ReadingSide,
        seq: i64,
    ) -> Result<(), ReadMarkError> {
        let (stored, outcome) = oneshot::channel();
        let mark = Mark { conversation, side, seq, stored };
        self.queue.try_send(mark).map_err(|_| ReadMarkError::Overloaded)?;
        match outcome.await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(ReadMarkError::Overloaded),
        }
    }
}

async fn run(database: Database, mut queue: mpsc::Receiver<Mark>, listener: Arc<dyn ReadMarkListener>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        // A statement cannot write a row twice. In the order of ids, so that servers cannot deadlock.
        let mut rows: BTreeMap<Uuid, (i64, i64)> = BTreeMap::new();
        for Mark { conversation, side, seq, .. } in &batch {
            let (customer, agent) = rows.entry(conversation.id.0).or_default();
            match side {
                ReadingSide::Customer => *customer = (*customer).max(*seq),
                ReadingSide::Agent => *agent = (*agent).max(*seq),
            }
        }
        let moved = write(&database, rows.clone()).await;
        let mut announced: HashMap<(Uuid, ReadingSide), i64> = HashMap::new();
        for Mark { conversation, side, seq, stored } in batch.drain(..) {
            let id = conversation.id.0;
            if let Ok(moved) = &moved
                && let Some((customer, agent)) = moved.get(&id)
            {
                let mark = match side {
                    ReadingSide::Customer => *customer,
                    ReadingSide::Agent => *agent,
                };
                // Of several marks in one batch the highest counts.
                if mark == seq && announced.insert((id, side), seq) != Some(seq) {
                    listener.read_up_to(&conversation, side, seq);
                }
            }
            // An error means that the caller no longer waits.
            let _ = stored.send(moved.as_ref().map(|_| ()).map_err(Clone::clone));
        }
    }
}

/// Writes the marks of both sides; gives those of the conversations in which one has moved.
async fn write(
    database: &Database,
    rows: BTreeMap<Uuid, (i64, i64)>,
) -> Result<HashMap<Uuid, (i64, i64)>, DatabaseError> {
    use read_marks::Column;
    let greatest = match database.backend() {
        Backend::Postgres => "GREATEST",
        Backend::Sqlite => "MAX",
    };
    let higher = |column: &str| Expr::cust(format!("{greatest}(read_marks.{column}, excluded.{column})"));
    let moves = "read_marks.customer_seq < excluded.customer_seq OR read_marks.agent_seq < excluded.agent_seq";
    let conflict = OnConflict::column(Column::ConversationId)
        .value(Column::CustomerSeq, higher("customer_seq"))
        .value(Column::AgentSeq, higher("agent_seq"))
        .action_and_where(Expr::cust(moves))
        .to_owned();
    let mut insert = Query::insert();
    insert
        .into_table(read_marks::Entity)
        .columns([Column::ConversationId, Column::CustomerSeq, Column::AgentSeq])
        .on_conflict(conflict)
        .returning(Query::returning().columns([Column::ConversationId, Column::CustomerSeq, Column::AgentSeq]));
    for (id, (customer, agent)) in rows {
        insert.values_panic([id.into(), customer.into(), agent.into()]);
    }
    database
        .write(async move |connection| {
            let rows = connection.query_all(&insert).await?;
            let marks = |row: &sea_orm::QueryResult| {
                let (customer, agent) = (row.try_get("", "customer_seq")?, row.try_get("", "agent_seq")?);
                Ok::<_, DbErr>((row.try_get("", "conversation_id")?, (customer, agent)))
            };
            rows.iter().map(marks).collect::<Result<_, _>>()
        })
        .await
}
