//! `GET /api/v1/support/conversations` and `/:id`: a customer's own.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Api;
use crate::api::envelope::fetched;
use crate::api::extractors::Caller;
use crate::api::ids::conversation_id;
use crate::api::query::{Query, StretchQuery};
use crate::api_error::ApiError;
use crate::domain::{Conversation, ConversationId, Rating, Status};
use crate::store::{self, Related};
use crate::timestamp::IsoTimestamp;
use crate::wire::view::{LastMessage, TicketCard, UserConversation, UserMessage, assigned_admin_name};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationList")]
pub(in crate::api) struct List<'a> {
    conversations: Vec<Card<'a>>,
    total: u64,
}

/// A conversation as the list shows it (`support-user.md`, 3).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationCard")]
pub(in crate::api) struct Card<'a> {
    id: ConversationId,
    #[schemars(with = "Status")]
    status: &'static str,
    assigned_admin_name: Option<&'a str>,
    message_count: i64,
    last_message: Option<LastMessage<'a>>,
    has_unread: bool,
    ticket: Option<TicketCard<'a>>,
    last_message_at: IsoTimestamp,
    created_at: IsoTimestamp,
    updated_at: IsoTimestamp,
    satisfaction_rating: Option<Rating>,
}

impl<'a> Card<'a> {
    fn new(conversation: &'a Conversation, related: &'a Related) -> Self {
        let last_message = conversation.last_message.as_ref();
        Self {
            id: conversation.id,
            status: conversation.status.as_str(),
            assigned_admin_name: assigned_admin_name(conversation),
            message_count: conversation.last_seq,
            last_message: LastMessage::of(conversation),
            has_unread: last_message.is_some_and(|message| !message.is_from_user),
            ticket: related.ticket(conversation).map(TicketCard::new),
            last_message_at: IsoTimestamp(conversation.last_message_at),
            created_at: IsoTimestamp(conversation.created_at),
            updated_at: IsoTimestamp(conversation.updated_at),
            satisfaction_rating: conversation.rating,
        }
    }
}

pub(in crate::api) async fn list(api: web::Data<Api>, Caller(caller): Caller) -> Result<HttpResponse, ApiError> {
    let found = store::conversations_of(&api.database, caller.id.clone()).await?;
    let conversations =
        found.conversations.iter().map(|conversation| Card::new(conversation, &found.related)).collect();
    Ok(fetched("Conversations fetched", List { conversations, total: found.total }))
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationRetrieved")]
pub(in crate::api) struct Retrieved<'a> {
    conversation: UserConversation<'a>,
}

pub(in crate::api) async fn detail(
    api: web::Data<Api>,
    Caller(caller): Caller,
    id: web::Path<String>,
    query: Query<StretchQuery>,
) -> Result<HttpResponse, ApiError> {
    let stretch = query.by_seq()?;
    let id = conversation_id(&id)?;
    let conversation = store::conversation(&api.database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    conversation.permit_customer(&caller.id)?;
    let history = store::visible_messages(&api.database, &conversation, stretch).await?;
    let related = store::related_to(&api.database, &conversation).await?;
    let messages = history.messages.iter().map(UserMessage::in_history).collect();
    let ticket = related.ticket(&conversation);
    let conversation = UserConversation::page(&conversation, messages, history.has_more, ticket);
    Ok(fetched("Conversation retrieved", Retrieved { conversation }))
}
