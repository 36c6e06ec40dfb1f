//! An account's conversation in the help center.

use entity::{conversations, messages};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use crate::database::{Database, DatabaseError};
use crate::domain::{Channel, Conversation, ConversationId, EventId, UserId};
use crate::event_codec::decode_conversation;

/// An account's help center conversation without its ticket and handover; `None` before the first visit.
///
/// # Errors
/// [`DatabaseError`].
pub async fn help_center_of(database: &Database, account: UserId) -> Result<Option<Conversation>, DatabaseError> {
    database
        .read(async move |connection| {
            let row = conversations::Entity::find()
                .filter(conversations::Column::UserId.eq(account.as_str()))
                .filter(conversations::Column::Channel.eq(Channel::HelpCenter.as_str()))
                .one(&connection)
                .await?;
            Ok::<_, DbErr>(row.map(decode_conversation).transpose()?)
        })
        .await
}

/// The `seq` of a message in a conversation; `None` if there is no such message, or it is a note.
///
/// # Errors
/// [`DatabaseError`].
pub async fn seq_of(
    database: &Database,
    conversation: ConversationId,
    message: EventId,
) -> Result<Option<i64>, DatabaseError> {
    database
        .read(async move |connection| {
            let seq: Option<Option<i64>> = messages::Entity::find()
                .select_only()
                .column(messages::Column::Seq)
                .filter(messages::Column::ConversationId.eq(conversation.0))
                .filter(messages::Column::Id.eq(message.0))
                .into_tuple()
                .one(&connection)
                .await?;
            Ok::<_, DbErr>(seq.flatten())
        })
        .await
}
