//! The JSON of conversations, messages and tickets, as `support-user.md`, `support-admin.md` and `decisions.md` specify it.

use serde_json::{Value, json};

use super::placeholders::{anything, seconds};
use super::state::{AGENTS, CUSTOMERS, Conversation, Message, Model, Ticket, Writer, preview};

/// A range of messages or of a timeline, as a query asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MessageRange {
    pub(super) after: Option<usize>,
    pub(super) before: Option<usize>,
    pub(super) limit: Option<usize>,
}

impl MessageRange {
    /// The items of an ordered list that are in the range, and whether there are more in that direction.
    pub(super) fn of<T: Clone>(
        self,
        items: &[T],
        is_after: impl Fn(&T, usize) -> bool,
        is_before: impl Fn(&T, usize) -> bool,
    ) -> (Vec<T>, bool) {
        let default_limit = self.after.or(self.before).map_or(1000, |_| 200);
        let limit = self.limit.map_or(default_limit, |limit| limit.min(200));
        if let Some(after) = self.after {
            let later: Vec<T> = items.iter().filter(|item| is_after(item, after)).cloned().collect();
            return (later.iter().take(limit).cloned().collect(), later.len() > limit);
        }
        let earlier: Vec<T> =
            items.iter().filter(|item| self.before.is_none_or(|before| is_before(item, before))).cloned().collect();
        (earlier[earlier.len().saturating_sub(limit)..].to_vec(), earlier.len() > limit)
    }
}

impl Model {
    /// A message as its customer reads it in a conversation; `None` is a reader without a token.
    pub(super) fn message(&self, message: &Message, reader: Option<&Writer>) -> Value {
        let view = json!({
            "id": message.id, "seq": message.seq, "message": message.text,
            "is_from_user": !matches!(message.by, Writer::Agent(_)), "sender_name": self.name_of(&message.by),
            "sender_email": self.email_of(&message.by), "attachments": null, "created_at": message.at,
        });
        message.seen_by(view, reader)
    }

    /// A message in the answer to `chat/send`.
    pub(super) fn sent(&self, message: &Message) -> Value {
        self.with_both_times(message, Some(&message.by))
    }

    /// A message with its timestamp in both spellings.
    pub(super) fn with_both_times(&self, message: &Message, reader: Option<&Writer>) -> Value {
        let mut view = self.message(message, reader);
        view["createdAt"] = json!(message.at);
        view
    }

    /// A message as an agent reads it.
    pub(super) fn agents_message(&self, message: &Message, reader: &Writer) -> Value {
        let view = json!({
            "id": message.id, "position": message.position, "seq": message.seq, "message": message.text,
            "is_internal": message.seq.is_none(), "is_from_user": !matches!(message.by, Writer::Agent(_)),
            "user_id": self.account_of(&message.by), "sender_name": self.name_of(&message.by),
            "sender_email": self.email_of(&message.by), "attachments": null, "createdAt": message.at,
        });
        message.seen_by(view, Some(reader))
    }

    /// The ticket in a row or detail of its conversation.
    fn ticket_card(&self, conversation: &Conversation) -> Value {
        let Some(ticket) = conversation.ticket.as_ref().filter(|_| !conversation.is_thread) else { return Value::Null };
        json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "status": ticket.status,
            "priority": ticket.priority, "support_type": ticket.support_type,
        })
    }

    /// The name of the agent who owns the conversation.
    fn assignee_name(&self, conversation: &Conversation) -> Option<String> {
        conversation.assignee.map(|(agent, _)| self.users[agent].name())
    }

    fn last_message(&self, conversation: &Conversation) -> Value {
        let last = conversation.last_visible();
        json!({
            "message": preview(&last.text), "is_from_user": !matches!(last.by, Writer::Agent(_)),
            "sender_name": self.name_of(&last.by), "createdAt": last.at,
        })
    }

    /// A conversation with these messages, as its customer sees it.
    fn conversation(&self, conversation: &Conversation, messages: Vec<Value>) -> Value {
        json!({
            "id": conversation.id, "status": conversation.status, "assigned_admin_name": self.assignee_name(conversation), "email": conversation.email,
            "phone_number": conversation.phone, "satisfaction_rating": conversation.rating, "feedback": conversation.feedback,
            "last_message_at": conversation.last_visible().at, "created_at": conversation.created_at, "updated_at": conversation.updated_at,
            "messages": messages, "total_messages": conversation.visible().count(), "ticket": self.ticket_card(conversation),
        })
    }

    /// The answer to the first message of a conversation.
    pub(super) fn opened(&self, conversation: usize) -> Value {
        let conversation = &self.conversations[conversation];
        json!({ "conversation": self.conversation(conversation, vec![self.sent(conversation.last_visible())]), "is_new": true })
    }

    /// The messages in the range that the customer can see, and whether there are more.
    fn visible(&self, conversation: &Conversation, range: MessageRange, reader: Option<&Writer>) -> (Vec<Value>, bool) {
        let visible: Vec<Message> = conversation.visible().cloned().collect();
        let seq = |message: &Message| message.seq.unwrap();
        let (messages, has_more) =
            range.of(&visible, |message, after| seq(message) > after, |message, before| seq(message) < before);
        (messages.iter().map(|message| self.message(message, reader)).collect(), has_more)
    }

    /// A conversation's detail as its customer reads it.
    pub(super) fn own_detail(&self, conversation: usize, range: MessageRange) -> Value {
        let conversation = &self.conversations[conversation];
        let (messages, has_more) = self.visible(conversation, range, Some(&conversation.owner));
        let mut view = self.conversation(conversation, messages);
        view["has_more"] = json!(has_more);
        conversation.reading().add_to(&mut view, 0);
        json!({ "conversation": view })
    }

    /// A row of the customer's list of conversations.
    pub(super) fn own_row(&self, conversation: &Conversation) -> Value {
        let last = conversation.last_visible();
        let mut row = json!({
            "id": conversation.id, "status": conversation.status, "assigned_admin_name": self.assignee_name(conversation),
            "message_count": conversation.visible().count(), "last_message": self.last_message(conversation),
            "has_unread": matches!(last.by, Writer::Agent(_)), "ticket": self.ticket_card(conversation), "last_message_at": last.at,
            "created_at": conversation.created_at, "updated_at": conversation.updated_at, "satisfaction_rating": conversation.rating,
        });
        conversation.reading().add_to(&mut row, 0);
        row
    }

    /// The account that owns a conversation, as agents see it.
    fn user(&self, owner: &Writer, is_detail: bool) -> Value {
        let Writer::Account(user) = owner else { return Value::Null };
        let user = &self.users[*user];
        let mut view = json!({
            "id": user.id, "first_name": user.first, "last_name": user.last, "email": user.email(),
            "phone_number": "+2348012345678", "smipay_tag": null, "profile_image": null,
        });
        if is_detail {
            view["account_status"] = json!("active");
            view["role"] = json!("user");
            for key in ["wallet", "tier", "kyc_verification"] {
                view[key] = Value::Null;
            }
        }
        view
    }

    /// An agent, as other agents see them.
    fn admin(&self, agent: Option<usize>) -> Value {
        let Some(agent) = agent.map(|agent| &self.users[agent]) else { return Value::Null };
        json!({ "id": agent.id, "first_name": agent.first, "last_name": agent.last, "email": agent.email() })
    }

    /// A row of the agents' queue; with `is_detail`, the first part of a conversation's detail.
    pub(super) fn queue_row(&self, conversation: &Conversation, is_detail: bool) -> Value {
        let last = conversation.last_visible();
        let mut ticket = self.ticket_card(conversation);
        if let (true, Some(details)) = (is_detail, &conversation.ticket) {
            ticket["description"] = json!(details.description);
            ticket["assigned_to"] = json!(details.assignee.map(|agent| self.users[agent].id));
            ticket["resolved_at"] = json!(details.resolved.map(|(_, at)| at));
            ticket["resolved_by"] = json!(details.resolved.map(|(agent, _)| self.users[agent].id));
            ticket["resolution_notes"] = json!(details.notes);
            ticket["related_transaction_id"] = Value::Null;
            ticket["createdAt"] = json!(details.created_at);
        }
        let mut row = json!({
            "id": conversation.id, "channel": "support", "user_id": self.account_of(&conversation.owner), "email": conversation.email,
            "phone_number": conversation.phone, "status": conversation.status,
            "assigned_to": conversation.assignee.map(|(agent, _)| self.users[agent].id),
            "assigned_at": conversation.assignee.map(|(_, at)| at), "satisfaction_rating": conversation.rating,
            "last_message_at": last.at, "createdAt": conversation.created_at, "updatedAt": conversation.updated_at,
            "user": self.user(&conversation.owner, is_detail), "ticket": ticket, "message_count": conversation.messages.len(),
            "last_message": self.last_message(conversation), "has_unread": !matches!(last.by, Writer::Agent(_)),
            "assigned_admin": self.admin(conversation.assignee.map(|(agent, _)| agent)),
            "pending_handover": self.pending(conversation),
        });
        conversation.reading().add_to(&mut row, 1);
        row
    }

    /// The messages in the range, notes included, and whether there are more. `before` is a `seq`, which notes do not have.
    fn all_messages(&self, conversation: &Conversation, range: MessageRange, reader: &Writer) -> (Vec<Value>, bool) {
        let position_of_seq = |seq: usize| {
            let first = conversation.messages.iter().find(|message| message.seq.is_some_and(|other| other >= seq));
            first.map_or(usize::MAX, |first| first.position)
        };
        let (messages, has_more) = range.of(
            &conversation.messages,
            |message, after| message.position > after,
            |message, before| message.position < position_of_seq(before),
        );
        (messages.iter().map(|message| self.agents_message(message, reader)).collect(), has_more)
    }

    /// A conversation's detail as an agent reads it.
    pub(super) fn detail(&self, conversation: usize, range: MessageRange, agent: usize) -> Value {
        let conversation = &self.conversations[conversation];
        let mut view = self.queue_row(conversation, true);
        self.add_messages(&mut view, conversation, range, agent);
        view["smileai_conversation_id"] = Value::Null;
        view["handovers"] = conversation.handovers.iter().map(|handover| json!({
            "id": handover.id, "from_admin_id": self.users[handover.from].id,
            "to_admin_id": self.users[handover.to].id, "from_admin_name": self.users[handover.from].name(),
            "to_admin_name": self.users[handover.to].name(), "reason": handover.reason, "status": handover.status,
            "resolution": handover.resolution,
            "responded_at": handover.responded_at, "createdAt": handover.at,
        })).collect();
        view["feedback"] = json!(conversation.feedback);
        view
    }

    /// Adds the fields that the agents' details of conversations and tickets share.
    fn add_messages(&self, view: &mut Value, conversation: &Conversation, range: MessageRange, agent: usize) {
        let (messages, has_more) = self.all_messages(conversation, range, &Writer::Agent(agent));
        view["messages"] = json!(messages);
        view["has_more"] = json!(has_more);
        view["total_messages"] = json!(conversation.messages.len());
        view["device_metadata"] = json!({ "platform": "unknown" });
        view["ip_address"] = json!("127.0.0.1");
        view["user_agent"] = Value::Null;
    }

    /// The answer to an agent's reply in a conversation.
    pub(super) fn replied(&self, message: &Message) -> Value {
        let mut view = self.agents_message(message, &message.by);
        for key in ["user_id", "attachments"] {
            view.as_object_mut().unwrap().remove(key);
        }
        view
    }

    /// The answer to an agent's reply in a ticket.
    pub(super) fn replied_in_ticket(&self, message: &Message) -> Value {
        let mut view = self.replied(message);
        for key in ["position", "seq", "sender_email"] {
            view.as_object_mut().unwrap().remove(key);
        }
        view
    }

    /// A ticket as its customer sees it; with `has_more` if a range of its messages was requested.
    pub(super) fn own_ticket(
        &self,
        conversation: usize,
        range: Option<MessageRange>,
        reader: Option<&Writer>,
    ) -> Value {
        let conversation = &self.conversations[conversation];
        let ticket = conversation.ticket();
        let (messages, has_more) = self.visible(conversation, range.unwrap_or_default(), reader);
        let mut view = json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject,
            "description": ticket.description, "support_type": ticket.support_type, "status": ticket.status,
            "priority": ticket.priority, "email": conversation.email, "phone_number": conversation.phone,
            "related_transaction_id": null, "satisfaction_rating": ticket.rating, "feedback": ticket.feedback,
            "conversation_id": conversation_id(conversation), "created_at": ticket.created_at, "updated_at": ticket.updated_at,
            "last_response_at": ticket.last_response_at, "messages": messages,
            "total_messages": conversation.visible().count(),
        });
        if range.is_some() {
            view["has_more"] = json!(has_more);
        }
        view
    }

    /// A row of `my-tickets`.
    pub(super) fn own_ticket_row(&self, conversation: &Conversation) -> Value {
        let ticket = conversation.ticket();
        let mut last = self.last_message(conversation);
        last.as_object_mut().unwrap().remove("sender_name");
        json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "support_type": ticket.support_type,
            "status": ticket.status, "priority": ticket.priority, "message_count": conversation.visible().count(),
            "last_message": last, "has_unread": matches!(conversation.last_visible().by, Writer::Agent(_)),
            "conversation_id": conversation_id(conversation), "created_at": ticket.created_at, "updated_at": ticket.updated_at,
            "last_response_at": ticket.last_response_at,
        })
    }

    /// A row of the agents' list of tickets; with `is_detail`, the first part of a ticket's detail.
    pub(super) fn ticket_row(&self, conversation: &Conversation, is_detail: bool) -> Value {
        let ticket = conversation.ticket();
        let response_time = ticket.first_response_at.map(|at| seconds(ticket.created_at, at));
        json!({
            "id": ticket.id, "ticket_number": ticket.number, "user_id": self.account_of(&conversation.owner),
            "phone_number": conversation.phone, "email": conversation.email, "subject": ticket.subject, "support_type": ticket.support_type,
            "status": ticket.status, "priority": ticket.priority,
            "assigned_to": ticket.assignee.map(|agent| self.users[agent].id),
            "first_response_at": ticket.first_response_at, "last_response_at": ticket.last_response_at,
            "response_time_seconds": response_time, "resolved_at": ticket.resolved.map(|(_, at)| at),
            "satisfaction_rating": ticket.rating, "tags": [], "conversation_id": conversation_id(conversation),
            "createdAt": ticket.created_at, "updatedAt": ticket.updated_at, "user": self.user(&conversation.owner, is_detail),
            "message_count": conversation.messages.len(), "assigned_admin": self.admin(ticket.assignee),
        })
    }

    /// A ticket's detail as an agent reads it.
    pub(super) fn ticket_detail(&self, conversation: usize, range: MessageRange, agent: usize) -> Value {
        let conversation = &self.conversations[conversation];
        let ticket = conversation.ticket();
        let mut view = self.ticket_row(conversation, true);
        self.add_messages(&mut view, conversation, range, agent);
        for key in [
            "related_registration_progress_id",
            "internal_notes",
            "related_transaction",
            "attachments",
            "related_transaction_id",
            "session_id",
        ] {
            view[key] = Value::Null;
        }
        view["description"] = json!(ticket.description);
        view["resolved_by"] = json!(ticket.resolved.map(|(agent, _)| self.users[agent].id));
        view["resolution_notes"] = json!(ticket.notes);
        view["feedback"] = json!(ticket.feedback);
        view["resolved_by_admin"] = self.admin(ticket.resolved.map(|(agent, _)| agent));
        view
    }

    /// The answer to `GET …/agents`. Every agent of the model is online.
    pub(super) fn agents(&self) -> Value {
        let rows = (CUSTOMERS..CUSTOMERS + AGENTS).map(|agent| {
            let mut view = self.admin(Some(agent));
            let open = |conversation: &&Conversation| {
                !conversation.is_closed() && conversation.assignee.is_some_and(|(assignee, _)| assignee == agent)
            };
            view["online"] = json!(true);
            view["open_conversations"] = json!(self.conversations.iter().filter(open).count());
            view
        });
        json!({ "agents": rows.collect::<Vec<_>>() })
    }
}

/// The id of a conversation; null for the thread of a ticket without one, whose id is never returned.
fn conversation_id(conversation: &Conversation) -> Value {
    if conversation.is_thread { Value::Null } else { json!(conversation.id) }
}

/// The numbers above the agents' list of tickets.
pub(super) fn ticket_analytics(conversations: &[&Conversation]) -> Value {
    let tickets: Vec<&Ticket> = conversations.iter().map(|conversation| conversation.ticket()).collect();
    let count = |which: &dyn Fn(&Ticket) -> bool| tickets.iter().filter(|ticket| which(ticket)).count();
    let count_by = |values: &[&str], field: fn(&Ticket) -> &'static str| -> Value {
        values.iter().map(|value| ((*value).to_owned(), json!(count(&|ticket| field(ticket) == *value)))).collect()
    };
    let by_status = count_by(&STATUSES, |ticket| ticket.status);
    let is_open = |ticket: &Ticket| ["pending", "in_progress", "escalated"].contains(&ticket.status);
    let mut overview = by_status.clone();
    overview["total_tickets"] = json!(tickets.len());
    overview["open"] = json!(count(&is_open));
    overview["unassigned"] = json!(count(&|ticket| is_open(ticket) && ticket.assignee.is_none()));
    json!({
        "overview": overview,
        "activity": { "new_today": anything(), "new_this_week": tickets.len(), "new_this_month": tickets.len() },
        "performance": {
            "avg_response_time_seconds": anything(), "avg_satisfaction_rating": anything(),
            "total_rated": count(&|ticket| ticket.rating.is_some()),
        },
        "by_status": by_status,
        "by_priority": count_by(&PRIORITIES, |ticket| ticket.priority),
        "by_type": count_by(&SUPPORT_TYPES, |ticket| ticket.support_type),
    })
}

pub(super) const STATUSES: [&str; 6] = ["pending", "in_progress", "waiting_user", "resolved", "closed", "escalated"];
pub(super) const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];
pub(super) const SUPPORT_TYPES: [&str; 15] = [
    "REGISTRATION_ISSUE",
    "LOGIN_ISSUE",
    "TRANSACTION_ISSUE",
    "PAYMENT_ISSUE",
    "ACCOUNT_ISSUE",
    "WALLET_ISSUE",
    "CARD_ISSUE",
    "KYC_VERIFICATION_ISSUE",
    "SECURITY_ISSUE",
    "FEATURE_REQUEST",
    "BUG_REPORT",
    "BILLING_ISSUE",
    "REFUND_REQUEST",
    "GENERAL_INQUIRY",
    "OTHER",
];
