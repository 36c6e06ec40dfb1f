//! A conversation as agents see it, in the list and whole (`support-admin.md`).

use std::collections::HashMap;

use entity::users;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::view::LastMessage;
use crate::domain::{Conversation, ConversationId, EventId, Feedback, Posted, Rating, UserId};
use crate::moment::Iso;

/// People by their account.
pub(super) type People = HashMap<String, users::Model>;

/// What the list shows, and the detail begins with.
#[derive(Serialize)]
pub(super) struct Card<'a> {
    id: ConversationId,
    channel: &'static str,
    user_id: Option<&'a str>,
    email: Option<&'a str>,
    phone_number: Option<&'a str>,
    status: &'static str,
    assigned_to: Option<&'a str>,
    assigned_at: Option<Iso>,
    satisfaction_rating: Option<Rating>,
    last_message_at: Iso,
    #[serde(rename = "createdAt")]
    created_at: Iso,
    #[serde(rename = "updatedAt")]
    updated_at: Iso,
    user: Option<User<'a>>,
    ticket: Option<()>,
    message_count: i64,
    last_message: Option<LastMessage<'a>>,
    has_unread: bool,
    assigned_admin: Option<AssignedAdmin<'a>>,
}

#[derive(Serialize)]
struct ProfileImage<'a> {
    secure_url: &'a str,
}

/// The account that a conversation belongs to.
#[derive(Serialize)]
pub(super) struct User<'a> {
    id: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    email: Option<&'a str>,
    phone_number: Option<&'a str>,
    smipay_tag: Option<&'a str>,
    profile_image: Option<ProfileImage<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    more: Option<UserMore<'a>>,
}

/// What the detail adds to it.
#[derive(Serialize)]
struct UserMore<'a> {
    account_status: &'static str,
    role: &'a str,
    wallet: Option<()>,
    tier: Option<()>,
    kyc_verification: Option<()>,
}

#[derive(Serialize)]
pub(super) struct AssignedAdmin<'a> {
    id: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    email: Option<&'a str>,
}

/// How much of a user is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    List,
    Detail,
}

impl<'a> Card<'a> {
    pub(super) fn new(conversation: &'a Conversation, people: &'a People, extent: Extent) -> Self {
        let last_message = conversation.last_message.as_ref();
        let user_id = conversation.owner.account().map(UserId::as_str);
        let assignee = conversation.assignee.as_ref();
        Self {
            id: conversation.id,
            channel: conversation.channel.as_str(),
            user_id,
            email: conversation.email.as_deref(),
            phone_number: conversation.phone_number.as_deref(),
            status: conversation.status.as_str(),
            assigned_to: assignee.map(|assignee| assignee.id.as_str()),
            assigned_at: assignee.map(|assignee| Iso(assignee.since)),
            satisfaction_rating: conversation.rating,
            last_message_at: Iso(conversation.last_message_at),
            created_at: Iso(conversation.created_at),
            updated_at: Iso(conversation.updated_at),
            user: user_id.and_then(|id| people.get(id)).map(|user| User::new(user, extent)),
            ticket: None,
            message_count: conversation.message_count,
            last_message: LastMessage::of(conversation),
            has_unread: last_message.is_some_and(|message| message.is_from_user),
            assigned_admin: assignee.map(|assignee| AssignedAdmin::new(&assignee.id, &assignee.name, people)),
        }
    }
}

impl<'a> User<'a> {
    pub(super) fn new(user: &'a users::Model, extent: Extent) -> Self {
        Self {
            id: &user.id,
            first_name: user.first_name.as_deref(),
            last_name: user.last_name.as_deref(),
            email: user.email.as_deref(),
            phone_number: user.phone_number.as_deref(),
            smipay_tag: user.smipay_tag.as_deref(),
            profile_image: user.picture.as_deref().map(|secure_url| ProfileImage { secure_url }),
            more: (extent == Extent::Detail).then_some(UserMore {
                account_status: "active",
                role: &user.role,
                wallet: None,
                tier: None,
                kyc_verification: None,
            }),
        }
    }
}

impl<'a> AssignedAdmin<'a> {
    /// From the directory where it has their names apart, else from the name under which they took it.
    pub(super) fn new(id: &'a UserId, name: &'a str, people: &'a People) -> Self {
        let person = people.get(id.as_str());
        let (first, last) = match person {
            Some(users::Model { first_name: Some(first), last_name, .. }) => {
                (first.as_str(), last_name.as_deref().unwrap_or_default())
            }
            _ => name.split_once(' ').unwrap_or((name, "")),
        };
        Self {
            id: id.as_str(),
            first_name: first,
            last_name: last,
            email: person.and_then(|person| person.email.as_deref()),
        }
    }
}

/// A conversation whole.
#[derive(Serialize)]
pub(super) struct Detail<'a> {
    #[serde(flatten)]
    card: Card<'a>,
    smileai_conversation_id: Option<()>,
    device_metadata: Map<String, Value>,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    feedback: Option<&'a Feedback>,
    messages: Vec<AgentMessage<'a>>,
    total_messages: i64,
    has_more: bool,
    handovers: [(); 0],
}

impl<'a> Detail<'a> {
    pub(super) fn new(
        conversation: &'a Conversation,
        people: &'a People,
        messages: &'a [Posted],
        has_more: bool,
    ) -> Self {
        Self {
            card: Card::new(conversation, people, Extent::Detail),
            smileai_conversation_id: None,
            device_metadata: device_metadata(conversation),
            ip_address: conversation.ip_address.as_deref(),
            user_agent: conversation.user_agent.as_deref(),
            feedback: conversation.feedback.as_ref(),
            messages: messages.iter().map(AgentMessage::new).collect(),
            total_messages: conversation.message_count,
            has_more,
            handovers: [],
        }
    }
}

/// Agents always get a string `platform` (`decisions.md`).
pub(super) fn device_metadata(conversation: &Conversation) -> Map<String, Value> {
    let mut object = conversation.device_metadata.as_ref().map(|device| device.as_object().clone()).unwrap_or_default();
    if !object.get("platform").is_some_and(Value::is_string) {
        object.insert("platform".to_owned(), Value::from("unknown"));
    }
    object
}

/// A message as agents see it.
#[derive(Serialize)]
pub(super) struct AgentMessage<'a> {
    id: EventId,
    position: i64,
    seq: Option<i64>,
    message: &'a str,
    is_internal: bool,
    is_from_user: bool,
    user_id: Option<&'a str>,
    sender_name: Option<&'a str>,
    sender_email: Option<&'a str>,
    attachments: Option<()>,
    #[serde(rename = "createdAt")]
    created_at: Iso,
}

impl<'a> AgentMessage<'a> {
    pub(super) fn new(posted: &'a Posted) -> Self {
        let author = &posted.message.author;
        Self {
            id: posted.id,
            position: posted.position,
            seq: posted.message.seq,
            message: posted.message.text.as_str(),
            is_internal: posted.message.is_note(),
            is_from_user: author.is_customer(),
            user_id: author.account().map(UserId::as_str),
            sender_name: author.name(),
            sender_email: author.email(),
            attachments: None,
            created_at: Iso(posted.at),
        }
    }
}
