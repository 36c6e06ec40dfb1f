//! Messages that triggers have listed: their texts become searchable.

use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;

use super::{BACKLOG, Copied, FoldedText, begin, insert, statement};
use crate::database::{Database, DatabaseError};
use crate::domain::{SEPARATOR, TextKind, fold};

const DEQUEUE: &str = "WITH dequeued AS (
        DELETE FROM unsearchable_messages
        WHERE id = ANY (ARRAY(SELECT id FROM unsearchable_messages ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
        RETURNING id, conversation_ids, positions
    ),
    listed AS (
        SELECT DISTINCT message.conversation_id, message.position
        FROM dequeued CROSS JOIN LATERAL unnest(conversation_ids, positions) AS message (conversation_id, position)
    ),
    texts AS (
        SELECT conversation_id, array_agg(body ORDER BY position) AS bodies
        FROM listed JOIN messages USING (conversation_id, position) GROUP BY conversation_id, position / 100
    )
    SELECT conversation_id, bodies, dequeued, left_over
    FROM (SELECT count(*) AS dequeued, (SELECT count(*) FROM (SELECT 1 FROM unsearchable_messages LIMIT $2) AS listed)
        AS left_over FROM dequeued) AS counted
    LEFT JOIN texts ON true";

/// Copies up to this many rows of the list, the oldest first. A conversation's texts in a chunk become one row of at most
/// a hundred messages: a search looks for conversations, and a word in several messages is indexed once.
pub(in crate::journal) async fn copy(database: &Database, rows: i64) -> Result<Copied, DatabaseError> {
    let copy = database.write(async move |connection| {
        let transaction = begin(connection).await?;
        let found = transaction.query_all_raw(statement(DEQUEUE, [rows.into(), (rows + BACKLOG).into()])).await?;
        let (mut texts, mut counts) = (Vec::new(), (0_i64, 0_i64));
        for row in found {
            counts = (row.try_get("", "dequeued")?, row.try_get("", "left_over")?);
            let Some(conversation) = row.try_get::<Option<Uuid>>("", "conversation_id")? else { continue };
            let bodies: Vec<String> = row.try_get("", "bodies")?;
            let folded: Vec<String> = bodies.iter().map(|body| fold(body)).collect();
            let text = folded.join(&SEPARATOR.to_string());
            texts.push(FoldedText { conversation: Some(conversation), user: None, kind: TextKind::Messages, text });
        }
        insert(&transaction, texts).await?;
        transaction.commit().await?;
        Ok::<_, DatabaseError>(counts)
    });
    let (dequeued, listed) = copy.await?;
    Ok(Copied { rows: dequeued, left: listed - dequeued })
}
