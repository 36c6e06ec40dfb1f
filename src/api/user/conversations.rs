//! `GET /api/v1/support/conversations` and `/:id`: a customer's conversations.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::guest_token::serve_guest;
use crate::api::Api;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::examples;
use crate::api::extractors::{Caller, PersonCaller};
use crate::api::ids::conversation_id;
use crate::api::query::{Query, RangeQuery};
use crate::api_error::ApiError;
use crate::domain::{Conversation, ConversationId, Rating, Refusal, Status};
use crate::dto::{LastMessage, ReadUpToView, TicketCard, UserConversation, UserMessage, assigned_admin_name};
use crate::identity::Person;
use crate::limits::TokenCall;
use crate::store::{self, Related};
use crate::timestamp::IsoTimestamp;

#[derive(Serialize, JsonSchema)]
struct ConversationList<'a> {
    conversations: Vec<ConversationCard<'a>>,
    total: u64,
}

/// A conversation in the list.
#[derive(Serialize, JsonSchema)]
struct ConversationCard<'a> {
    id: ConversationId,
    #[schemars(with = "Status")]
    status: &'static str,
    assigned_admin_name: Option<&'a str>,
    message_count: i64,
    last_message: Option<LastMessage<'a>>,
    has_unread: bool,
    /// Messages of support that the customer has not read, 1000 at most.
    unread_count: i64,
    read_up_to: ReadUpToView,
    ticket: Option<TicketCard<'a>>,
    last_message_at: IsoTimestamp,
    created_at: IsoTimestamp,
    updated_at: IsoTimestamp,
    satisfaction_rating: Option<Rating>,
}

impl<'a> ConversationCard<'a> {
    fn new(conversation: &'a Conversation, related: &'a Related) -> Self {
        let last_message = conversation.last_message.as_ref();
        let reading = related.reading(conversation);
        Self {
            id: conversation.id,
            status: conversation.status.as_str(),
            assigned_admin_name: assigned_admin_name(conversation),
            message_count: conversation.last_seq,
            last_message: LastMessage::of(conversation),
            has_unread: last_message.is_some_and(|message| !message.is_from_user),
            unread_count: reading.unread_by_customer,
            read_up_to: ReadUpToView::new(&reading),
            ticket: related.ticket(conversation).map(TicketCard::new),
            last_message_at: IsoTimestamp(conversation.last_message_at),
            created_at: IsoTimestamp(conversation.created_at),
            updated_at: IsoTimestamp(conversation.updated_at),
            satisfaction_rating: conversation.rating,
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct ConversationRetrieved<'a> {
    conversation: UserConversation<'a>,
}

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::get("/api/v1/support/conversations", list)
            .operation(
                Tag::Customers,
                Access::Customer,
                "listConversations",
                "The caller's conversations, the most recently updated first",
            )
            .answers_with::<ConversationList<'static>>(
                200,
                &["Conversations fetched"],
                vec![("two", examples::conversations())],
            ),
        Endpoint::get("/api/v1/support/conversations/{id}", detail)
            .operation(
                Tag::Customers,
                Access::Customer,
                "readConversation",
                "One of the caller's conversations, with its messages in order",
            )
            .serves_guests()
            .path_parameter("id", "The conversation's id")
            .query_except::<RangeQuery>("after_position")
            .answers_with::<ConversationRetrieved<'static>>(
                200,
                &["Conversation retrieved"],
                vec![("one", examples::conversation())],
            )
            .refusals([Refusal::NotFound, Refusal::AccessDenied]),
    ]
}

async fn list(api: web::Data<Api>, Caller(caller): Caller) -> Result<HttpResponse, ApiError> {
    let found = store::conversations_of(&api.services.database, caller.id.clone()).await?;
    let conversations =
        found.conversations.iter().map(|conversation| ConversationCard::new(conversation, &found.related)).collect();
    Ok(fetched("Conversations fetched", ConversationList { conversations, total: found.total }))
}

async fn detail(
    api: web::Data<Api>,
    PersonCaller(caller): PersonCaller,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query<RangeQuery>,
) -> Result<HttpResponse, ApiError> {
    let database = &api.services.database;
    if let Person::Guest(guest) = &caller {
        serve_guest(&api, guest, &request, &id, TokenCall::Read).await?;
    }
    let range = query.by_seq()?;
    let id = conversation_id(&id)?;
    let conversation = store::conversation(database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    match &caller {
        Person::Account(principal) => conversation.permit_customer(&principal.id)?,
        Person::Guest(guest) if conversation.is_of_guest(&guest.email) => {}
        Person::Guest(_) => return Err(ApiError::unauthorized()),
    }
    let history = store::visible_messages(database, &conversation, range).await?;
    let related = store::related_to(database, &conversation).await?;
    let reader = caller.as_owner();
    let messages = history.messages.iter().map(|posted| UserMessage::in_history(posted, Some(&reader))).collect();
    let ticket = related.ticket(&conversation);
    let reading = related.reading(&conversation);
    let conversation = UserConversation::page(&conversation, messages, history.has_more, ticket, &reading);
    Ok(fetched("Conversation retrieved", ConversationRetrieved { conversation }))
}
