//! Handovers of a conversation, and what requesting one needs to know.

use std::collections::HashMap;

use entity::{handovers, users};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId, HandoverId, NAMELESS_AGENT, Party, Timestamp, UserId, display_name};

/// The list's bound: the newest ones.
const MAX_HANDOVERS: u64 = 1000;

/// A conversation's handovers in the order they were requested.
///
/// # Errors
/// [`DatabaseError`].
pub async fn handovers_of(
    database: &Database,
    conversation: ConversationId,
) -> Result<Vec<handovers::Model>, DatabaseError> {
    use handovers::Column;
    database
        .read(async move |connection| {
            let mut newest_first = handovers::Entity::find()
                .filter(Column::ConversationId.eq(conversation.0))
                .order_by_desc(Column::CreatedAt)
                .order_by_desc(Column::Id)
                .limit(MAX_HANDOVERS)
                .all(&connection)
                .await?;
            newest_first.reverse();
            Ok::<_, DbErr>(newest_first)
        })
        .await
}

/// The conversation of a handover; `None` if there is no such handover.
///
/// # Errors
/// [`DatabaseError`].
pub async fn handover_conversation(
    database: &Database,
    id: HandoverId,
) -> Result<Option<ConversationId>, DatabaseError> {
    database
        .read(async move |connection| {
            let conversation: Option<Uuid> = handovers::Entity::find_by_id(id.0)
                .select_only()
                .column(handovers::Column::ConversationId)
                .into_tuple()
                .one(&connection)
                .await?;
            Ok::<_, DbErr>(conversation.map(ConversationId))
        })
        .await
}

/// A pending handover, as far as ending it needs it. They are read in the order of their requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueHandover {
    /// The handover.
    pub id: HandoverId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// When it was requested.
    pub since: Timestamp,
}

/// Whether a handover waits for its answer; raw SQL, so that the planner sees that the partial indexes cover it.
const PENDING: &str = "handovers.status = 'pending'";

/// The pending handovers that were requested at `before` or earlier, oldest first, after `last`.
///
/// # Errors
/// [`DatabaseError`].
pub async fn due_handovers(
    database: &Database,
    before: Timestamp,
    last: Option<DueHandover>,
    limit: u64,
) -> Result<Vec<DueHandover>, DatabaseError> {
    use handovers::Column;
    let after = last.map(|last| {
        let later = Column::CreatedAt.eq(last.since).and(Column::Id.gt(last.id.0));
        Condition::any().add(Column::CreatedAt.gt(last.since)).add(later)
    });
    database
        .read(async move |connection| {
            let rows: Vec<(Uuid, Uuid, Timestamp)> = handovers::Entity::find()
                .select_only()
                .columns([Column::Id, Column::ConversationId, Column::CreatedAt])
                .filter(Expr::cust(PENDING))
                .filter(Column::CreatedAt.lte(before))
                .filter(Condition::all().add_option(after))
                .order_by_asc(Column::CreatedAt)
                .order_by_asc(Column::Id)
                .limit(limit)
                .into_tuple()
                .all(&connection)
                .await?;
            let due = rows.into_iter().map(|(id, conversation, since)| DueHandover {
                id: HandoverId(id),
                conversation: ConversationId(conversation),
                since,
            });
            Ok::<_, DbErr>(due.collect())
        })
        .await
}

/// The pending handovers to this agent that they have not been notified of, oldest first.
///
/// # Errors
/// [`DatabaseError`].
pub async fn unannounced_handovers(
    database: &Database,
    target: UserId,
) -> Result<Vec<handovers::Model>, DatabaseError> {
    use handovers::Column;
    database
        .read(async move |connection| {
            handovers::Entity::find()
                .filter(Expr::cust(PENDING))
                .filter(Column::ToId.eq(target.as_str()))
                .filter(Column::IsAnnounced.eq(false))
                .order_by_asc(Column::CreatedAt)
                .limit(MAX_HANDOVERS)
                .all(&connection)
                .await
        })
        .await
}

/// The pending handovers of these conversations, by conversation.
pub(super) async fn pending_handovers(
    connection: &DatabaseConnection,
    conversations: &[Conversation],
) -> Result<HashMap<Uuid, handovers::Model>, DbErr> {
    if conversations.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = conversations.iter().map(|conversation| conversation.id.0);
    let rows = handovers::Entity::find()
        .filter(Expr::cust(PENDING))
        .filter(handovers::Column::ConversationId.is_in(ids))
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|handover| (handover.conversation_id, handover)).collect())
}

/// How many handovers to this agent are pending.
pub(super) async fn count_handovers_to(connection: &DatabaseConnection, agent: &UserId) -> Result<u64, DbErr> {
    let count: Option<i64> = handovers::Entity::find()
        .select_only()
        .column_as(Expr::cust("count(*)"), "count")
        .filter(Expr::cust(PENDING))
        .filter(handovers::Column::ToId.eq(agent.as_str()))
        .into_tuple()
        .one(connection)
        .await?;
    Ok(u64::try_from(count.unwrap_or_default()).unwrap_or_default())
}

/// The conversations with a pending handover to or from an agent.
pub(super) fn with_pending_handover(side: handovers::Column, agent: &UserId) -> SelectStatement {
    Query::select()
        .column(handovers::Column::ConversationId)
        .from(handovers::Entity)
        .and_where(Expr::cust(PENDING))
        .and_where(side.eq(agent.as_str()))
        .take()
}

/// An agent with their display name, as the directory has them; `None` if it has no agent with this account.
///
/// # Errors
/// [`DatabaseError`].
pub async fn find_agent(database: &Database, id: UserId) -> Result<Option<Party>, DatabaseError> {
    database
        .read(async move |connection| {
            let row =
                users::Entity::find_by_id(id.as_str()).filter(users::Column::IsAgent.eq(true)).one(&connection).await?;
            Ok::<_, DbErr>(row.map(|row| {
                let (first, last) = (row.first_name.as_deref(), row.last_name.as_deref());
                let name = display_name(first, last, row.name.as_deref(), row.email.as_deref());
                Party { id, name: name.unwrap_or_else(|| NAMELESS_AGENT.to_owned()) }
            }))
        })
        .await
}
