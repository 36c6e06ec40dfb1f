//! A customer's own conversations.

use entity::conversations;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, Iterable, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::related::{Related, load_related};
use crate::database::{Database, DatabaseError};
use crate::domain::{Channel, Conversation, UserId};
use crate::event_codec::decode_conversation;

/// The list's bound. The contract says "all", but no client scrolls further.
const MAX_CONVERSATIONS: u64 = 1000;

/// A customer's list of conversations.
#[derive(Clone, Debug)]
pub struct CustomerConversations {
    /// The most recently changed first.
    pub conversations: Vec<Conversation>,
    /// Their tickets.
    pub related: Related,
    /// The number of all of them.
    pub total: u64,
}

/// Leaves out what a customer's lists do not show and may be long: 1000 of them are read at once.
pub(super) fn without_details(query: Select<conversations::Entity>) -> Select<conversations::Entity> {
    use conversations::Column;
    let is_left_out = |column: &Column| matches!(column, Column::DeviceMetadata | Column::UserAgent | Column::Feedback);
    let left_out = Column::iter().filter(is_left_out);
    let query = query.select_only().columns(Column::iter().filter(|column| !is_left_out(column)));
    left_out.fold(query, |query, column| query.column_as(Expr::cust("NULL"), column))
}

/// An account's conversations on the support channel.
///
/// # Errors
/// [`DatabaseError`].
pub async fn conversations_of(database: &Database, account: UserId) -> Result<CustomerConversations, DatabaseError> {
    database
        .read(async move |connection| {
            let own = without_details(conversations::Entity::find())
                .filter(conversations::Column::UserId.eq(account.as_str()))
                .filter(conversations::Column::Channel.eq(Channel::Support.as_str()));
            let rows = own
                .clone()
                .order_by_desc(conversations::Column::UpdatedAt)
                .order_by_desc(conversations::Column::Id)
                .limit(MAX_CONVERSATIONS)
                .all(&connection)
                .await?;
            let conversations = rows.into_iter().map(decode_conversation).collect::<Result<Vec<_>, _>>()?;
            let shown = conversations.len() as u64;
            let total = if shown < MAX_CONVERSATIONS { shown } else { own.count(&connection).await? };
            let related = load_related(&connection, &conversations).await?;
            Ok::<_, DbErr>(CustomerConversations { conversations, related, total })
        })
        .await
}
