//! `POST …/conversations/:id/handover` and `POST …/handovers/:id/respond`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{
    AnswerHandover, ConversationId, HandoverId, Party, Reason, Refusal, RequestHandover, Resolution, TextError, UserId,
};
use crate::store;
use crate::wire::Validator;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "HandoverRequest")]
pub(in crate::api) struct HandoverBody {
    #[schemars(with = "UserId")]
    to_admin_id: Option<String>,
    #[schemars(with = "Option<Reason>")]
    reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HandoverRequested")]
pub(in crate::api) struct Asked<'a> {
    handover_id: HandoverId,
    conversation_id: ConversationId,
    to_admin_id: &'a UserId,
    to_admin_name: &'a str,
    #[schemars(extend("const" = "pending"))]
    status: &'static str,
}

pub(in crate::api) async fn ask(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<HandoverBody>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Validator::default();
    let to = fields.required("to_admin_id", body.to_admin_id.as_deref(), |id| match id.trim() {
        "" => Err(TextError::Empty),
        // One that no account can have is as unknown as one that none has.
        id => Ok(UserId::parse(id).ok()),
    });
    let reason = fields.optional("reason", body.reason.as_deref(), Reason::parse_or_nothing).flatten();
    let to = fields.finish(to)?;
    let id = conversation_id(&id)?;
    let target = match &to {
        Some(to) => known_agent(&api, to.clone()).await?,
        None => None,
    };
    let request = RequestHandover {
        id: HandoverId(Uuid::now_v7()),
        from: agent.as_agent(),
        to,
        to_name: target.map(|target| target.name),
        reason,
    };
    let handover = api.registry.execute(id, request).await?;
    Ok(created(
        "Handover requested",
        Asked {
            handover_id: handover.id,
            conversation_id: id,
            to_admin_id: &handover.to.id,
            to_admin_name: &handover.to.name,
            status: "pending",
        },
    ))
}

/// An agent whom the directory knows, under the name that it has for them. Whoever has only just come to this server is
/// being written down at this moment: so a name that is not found is looked for once more behind that.
pub(super) async fn known_agent(api: &Api, id: UserId) -> Result<Option<Party>, ApiError> {
    if let Some(agent) = store::find_agent(&api.database, id.clone()).await? {
        return Ok(Some(agent));
    }
    api.directory.flush().await;
    Ok(store::find_agent(&api.database, id).await?)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "HandoverAnswer")]
pub(in crate::api) struct RespondBody {
    #[schemars(with = "Resolution")]
    status: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HandoverAnswered")]
pub(in crate::api) struct Answered {
    handover_id: HandoverId,
    conversation_id: ConversationId,
    #[schemars(with = "Resolution")]
    status: &'static str,
}

pub(in crate::api) async fn respond(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<RespondBody>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Validator::default();
    let resolution = match body.status.as_deref() {
        Some("accepted") => Some(Resolution::Accepted),
        Some("rejected") => Some(Resolution::Rejected),
        _ => {
            fields.fault("status", "status must be accepted or rejected".to_owned());
            None
        }
    };
    let resolution = fields.finish(resolution)?;
    let handover = HandoverId::parse(&id).ok_or(Refusal::HandoverNotFound)?;
    let conversation_id =
        store::handover_conversation(&api.database, handover).await?.ok_or(Refusal::HandoverNotFound)?;
    let accept = resolution == Resolution::Accepted;
    let answer = AnswerHandover { by: agent.as_agent(), handover, accept };
    api.registry.execute(conversation_id, answer).await?;
    let message = if accept { "Handover accepted" } else { "Handover rejected" };
    Ok(created(message, Answered { handover_id: handover, conversation_id, status: resolution.as_str() }))
}
