//! The shapes of what there is, key by key as `support-user.md`, `support-admin.md` and `decisions.md` spell them.

use serde_json::{Value, json};

use super::placeholders::{anything, seconds};
use super::world::{AGENTS, CUSTOMERS, Message, Talk, Ticket, World, Writer, preview};

/// A stretch of messages or of a timeline: which, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MessageRange {
    pub(super) after: Option<usize>,
    pub(super) before: Option<usize>,
    pub(super) limit: Option<usize>,
}

impl MessageRange {
    /// What of `all`, which stand in order, is shown, and whether there is more in that direction.
    pub(super) fn of<T: Clone>(
        self,
        all: &[T],
        is_after: impl Fn(&T, usize) -> bool,
        is_before: impl Fn(&T, usize) -> bool,
    ) -> (Vec<T>, bool) {
        let within = self.after.or(self.before).map_or(1000, |_| 200);
        let limit = self.limit.map_or(within, |limit| limit.min(200));
        if let Some(after) = self.after {
            let rest: Vec<T> = all.iter().filter(|one| is_after(one, after)).cloned().collect();
            return (rest.iter().take(limit).cloned().collect(), rest.len() > limit);
        }
        let rest: Vec<T> =
            all.iter().filter(|one| self.before.is_none_or(|before| is_before(one, before))).cloned().collect();
        (rest[rest.len().saturating_sub(limit)..].to_vec(), rest.len() > limit)
    }
}

impl World {
    /// As a history shows it to the customer.
    pub(super) fn message(&self, message: &Message) -> Value {
        json!({
            "id": message.id, "seq": message.seq, "message": message.text,
            "is_from_user": !matches!(message.by, Writer::Agent(_)), "sender_name": self.name_of(&message.by),
            "sender_email": self.email_of(&message.by), "attachments": null, "created_at": message.at,
        })
    }

    /// As the answer to `chat/send` shows it.
    pub(super) fn sent(&self, message: &Message) -> Value {
        let mut shown = self.message(message);
        shown["createdAt"] = json!(message.at);
        shown
    }

    /// As agents see it.
    pub(super) fn agents_message(&self, message: &Message) -> Value {
        json!({
            "id": message.id, "position": message.position, "seq": message.seq, "message": message.text,
            "is_internal": message.seq.is_none(), "is_from_user": !matches!(message.by, Writer::Agent(_)),
            "user_id": self.account_of(&message.by), "sender_name": self.name_of(&message.by),
            "sender_email": self.email_of(&message.by), "attachments": null, "createdAt": message.at,
        })
    }

    fn card(&self, talk: &Talk) -> Value {
        let Some(ticket) = talk.ticket.as_ref().filter(|_| !talk.is_thread) else { return Value::Null };
        json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "status": ticket.status,
            "priority": ticket.priority, "support_type": ticket.kind,
        })
    }

    fn holder_name(&self, talk: &Talk) -> Option<String> {
        talk.assignee.map(|(agent, _)| self.people[agent].name())
    }

    fn last_message(&self, talk: &Talk) -> Value {
        let last = talk.last_visible();
        json!({
            "message": preview(&last.text), "is_from_user": !matches!(last.by, Writer::Agent(_)),
            "sender_name": self.name_of(&last.by), "createdAt": last.at,
        })
    }

    /// A conversation with these messages, as its customer sees it.
    fn conversation(&self, talk: &Talk, messages: Vec<Value>) -> Value {
        json!({
            "id": talk.id, "status": talk.status, "assigned_admin_name": self.holder_name(talk), "email": talk.email,
            "phone_number": talk.phone, "satisfaction_rating": talk.rating, "feedback": talk.feedback,
            "last_message_at": talk.last_visible().at, "created_at": talk.created_at, "updated_at": talk.updated_at,
            "messages": messages, "total_messages": talk.visible().count(), "ticket": self.card(talk),
        })
    }

    /// What a first message is answered with.
    pub(super) fn opened(&self, talk: usize) -> Value {
        let talk = &self.talks[talk];
        json!({ "conversation": self.conversation(talk, vec![self.sent(talk.last_visible())]), "is_new": true })
    }

    fn visible(&self, talk: &Talk, stretch: MessageRange) -> (Vec<Value>, bool) {
        let visible: Vec<Message> = talk.visible().cloned().collect();
        let seq = |message: &Message| message.seq.unwrap();
        let (shown, has_more) = stretch.of(&visible, |one, after| seq(one) > after, |one, before| seq(one) < before);
        (shown.iter().map(|message| self.message(message)).collect(), has_more)
    }

    /// The customer's detail.
    pub(super) fn own_detail(&self, talk: usize, stretch: MessageRange) -> Value {
        let talk = &self.talks[talk];
        let (messages, has_more) = self.visible(talk, stretch);
        let mut shown = self.conversation(talk, messages);
        shown["has_more"] = json!(has_more);
        json!({ "conversation": shown })
    }

    /// A row of the customer's list.
    pub(super) fn own_row(&self, talk: &Talk) -> Value {
        let last = talk.last_visible();
        json!({
            "id": talk.id, "status": talk.status, "assigned_admin_name": self.holder_name(talk),
            "message_count": talk.visible().count(), "last_message": self.last_message(talk),
            "has_unread": matches!(last.by, Writer::Agent(_)), "ticket": self.card(talk), "last_message_at": last.at,
            "created_at": talk.created_at, "updated_at": talk.updated_at, "satisfaction_rating": talk.rating,
        })
    }

    fn user(&self, owner: &Writer, is_whole: bool) -> Value {
        let Writer::Account(person) = owner else { return Value::Null };
        let someone = &self.people[*person];
        let mut shown = json!({
            "id": someone.id, "first_name": someone.first, "last_name": someone.last, "email": someone.email(),
            "phone_number": "+2348012345678", "smipay_tag": null, "profile_image": null,
        });
        if is_whole {
            shown["account_status"] = json!("active");
            shown["role"] = json!("user");
            for key in ["wallet", "tier", "kyc_verification"] {
                shown[key] = Value::Null;
            }
        }
        shown
    }

    fn admin(&self, agent: Option<usize>) -> Value {
        let Some(agent) = agent.map(|agent| &self.people[agent]) else { return Value::Null };
        json!({ "id": agent.id, "first_name": agent.first, "last_name": agent.last, "email": agent.email() })
    }

    /// A row of the agents' list, and what their detail begins with.
    pub(super) fn queue_row(&self, talk: &Talk, is_whole: bool) -> Value {
        let last = talk.last_visible();
        let mut ticket = self.card(talk);
        if let (true, Some(of)) = (is_whole, &talk.ticket) {
            ticket["description"] = json!(of.description);
            ticket["assigned_to"] = json!(of.assignee.map(|agent| self.people[agent].id));
            ticket["resolved_at"] = json!(of.resolved.map(|(_, at)| at));
            ticket["resolved_by"] = json!(of.resolved.map(|(agent, _)| self.people[agent].id));
            ticket["resolution_notes"] = json!(of.notes);
            ticket["related_transaction_id"] = Value::Null;
            ticket["createdAt"] = json!(of.created_at);
        }
        json!({
            "id": talk.id, "channel": "support", "user_id": self.account_of(&talk.owner), "email": talk.email,
            "phone_number": talk.phone, "status": talk.status,
            "assigned_to": talk.assignee.map(|(agent, _)| self.people[agent].id),
            "assigned_at": talk.assignee.map(|(_, at)| at), "satisfaction_rating": talk.rating,
            "last_message_at": last.at, "createdAt": talk.created_at, "updatedAt": talk.updated_at,
            "user": self.user(&talk.owner, is_whole), "ticket": ticket, "message_count": talk.messages.len(),
            "last_message": self.last_message(talk), "has_unread": !matches!(last.by, Writer::Agent(_)),
            "assigned_admin": self.admin(talk.assignee.map(|(agent, _)| agent)),
        })
    }

    fn all_messages(&self, talk: &Talk, stretch: MessageRange) -> (Vec<Value>, bool) {
        let seqs = |before: usize| {
            let first = talk.messages.iter().find(|message| message.seq.is_some_and(|seq| seq >= before));
            first.map_or(usize::MAX, |first| first.position)
        };
        let (shown, has_more) =
            stretch.of(&talk.messages, |one, after| one.position > after, |one, before| one.position < seqs(before));
        (shown.iter().map(|message| self.agents_message(message)).collect(), has_more)
    }

    /// The agents' detail.
    pub(super) fn detail(&self, talk: usize, stretch: MessageRange) -> Value {
        let talk = &self.talks[talk];
        let mut shown = self.queue_row(talk, true);
        self.add_messages(&mut shown, talk, stretch);
        shown["smileai_conversation_id"] = Value::Null;
        shown["handovers"] = talk.handovers.iter().map(|handover| json!({
            "id": handover.id, "from_admin_id": self.people[handover.from].id,
            "to_admin_id": self.people[handover.to].id, "from_admin_name": self.people[handover.from].name(),
            "to_admin_name": self.people[handover.to].name(), "reason": handover.reason, "status": handover.status,
            "responded_at": handover.responded_at, "createdAt": handover.at,
        })).collect();
        shown["feedback"] = json!(talk.feedback);
        shown
    }

    fn add_messages(&self, shown: &mut Value, talk: &Talk, stretch: MessageRange) {
        let (messages, has_more) = self.all_messages(talk, stretch);
        shown["messages"] = json!(messages);
        shown["has_more"] = json!(has_more);
        shown["total_messages"] = json!(talk.messages.len());
        shown["device_metadata"] = json!({ "platform": "unknown" });
        shown["ip_address"] = json!("127.0.0.1");
        shown["user_agent"] = Value::Null;
    }

    /// What an agent's reply to a conversation is answered with.
    pub(super) fn replied(&self, message: &Message) -> Value {
        let mut shown = self.agents_message(message);
        for key in ["user_id", "attachments"] {
            shown.as_object_mut().unwrap().remove(key);
        }
        shown
    }

    /// And to a ticket.
    pub(super) fn replied_in_ticket(&self, message: &Message) -> Value {
        let mut shown = self.replied(message);
        for key in ["position", "seq", "sender_email"] {
            shown.as_object_mut().unwrap().remove(key);
        }
        shown
    }

    /// A ticket as its customer sees it; `has_more` where its messages were read.
    pub(super) fn own_ticket(&self, talk: usize, stretch: Option<MessageRange>) -> Value {
        let talk = &self.talks[talk];
        let ticket = talk.ticket();
        let (messages, has_more) = self.visible(talk, stretch.unwrap_or_default());
        let mut shown = json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject,
            "description": ticket.description, "support_type": ticket.kind, "status": ticket.status,
            "priority": ticket.priority, "email": talk.email, "phone_number": talk.phone,
            "related_transaction_id": null, "satisfaction_rating": ticket.rating, "feedback": ticket.feedback,
            "conversation_id": conversation_id(talk), "created_at": ticket.created_at, "updated_at": ticket.updated_at,
            "last_response_at": ticket.last_response_at, "messages": messages,
            "total_messages": talk.visible().count(),
        });
        if stretch.is_some() {
            shown["has_more"] = json!(has_more);
        }
        shown
    }

    /// A row of `my-tickets`.
    pub(super) fn own_ticket_row(&self, talk: &Talk) -> Value {
        let ticket = talk.ticket();
        let mut last = self.last_message(talk);
        last.as_object_mut().unwrap().remove("sender_name");
        json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "support_type": ticket.kind,
            "status": ticket.status, "priority": ticket.priority, "message_count": talk.visible().count(),
            "last_message": last, "has_unread": matches!(talk.last_visible().by, Writer::Agent(_)),
            "conversation_id": conversation_id(talk), "created_at": ticket.created_at, "updated_at": ticket.updated_at,
            "last_response_at": ticket.last_response_at,
        })
    }

    /// A row of the agents' list of tickets, and what their detail begins with.
    pub(super) fn ticket_row(&self, talk: &Talk, is_whole: bool) -> Value {
        let ticket = talk.ticket();
        let took = ticket.first_response_at.map(|at| seconds(ticket.created_at, at));
        json!({
            "id": ticket.id, "ticket_number": ticket.number, "user_id": self.account_of(&talk.owner),
            "phone_number": talk.phone, "email": talk.email, "subject": ticket.subject, "support_type": ticket.kind,
            "status": ticket.status, "priority": ticket.priority,
            "assigned_to": ticket.assignee.map(|agent| self.people[agent].id),
            "first_response_at": ticket.first_response_at, "last_response_at": ticket.last_response_at,
            "response_time_seconds": took, "resolved_at": ticket.resolved.map(|(_, at)| at),
            "satisfaction_rating": ticket.rating, "tags": [], "conversation_id": conversation_id(talk),
            "createdAt": ticket.created_at, "updatedAt": ticket.updated_at, "user": self.user(&talk.owner, is_whole),
            "message_count": talk.messages.len(), "assigned_admin": self.admin(ticket.assignee),
        })
    }

    /// The agents' detail of a ticket.
    pub(super) fn ticket_detail(&self, talk: usize, stretch: MessageRange) -> Value {
        let talk = &self.talks[talk];
        let ticket = talk.ticket();
        let mut shown = self.ticket_row(talk, true);
        self.add_messages(&mut shown, talk, stretch);
        for key in ["related_registration_progress_id", "internal_notes", "related_transaction", "attachments"] {
            shown[key] = Value::Null;
        }
        for key in ["related_transaction_id", "session_id"] {
            shown[key] = Value::Null;
        }
        shown["description"] = json!(ticket.description);
        shown["resolved_by"] = json!(ticket.resolved.map(|(agent, _)| self.people[agent].id));
        shown["resolution_notes"] = json!(ticket.notes);
        shown["feedback"] = json!(ticket.feedback);
        shown["resolved_by_admin"] = self.admin(ticket.resolved.map(|(agent, _)| agent));
        shown
    }

    /// `GET …/agents`: all have a socket.
    pub(super) fn agents(&self) -> Value {
        let rows = (CUSTOMERS..CUSTOMERS + AGENTS).map(|agent| {
            let mut shown = self.admin(Some(agent));
            let open = |talk: &&Talk| !talk.is_closed() && talk.assignee.is_some_and(|(holder, _)| holder == agent);
            shown["online"] = json!(true);
            shown["open_conversations"] = json!(self.talks.iter().filter(open).count());
            shown
        });
        json!({ "agents": rows.collect::<Vec<_>>() })
    }
}

/// The thread of a ticket without a conversation is nobody's business.
fn conversation_id(talk: &Talk) -> Value {
    if talk.is_thread { Value::Null } else { json!(talk.id) }
}

/// How tickets are counted.
pub(super) fn ticket_analytics(talks: &[&Talk]) -> Value {
    let tickets: Vec<&Ticket> = talks.iter().map(|talk| talk.ticket()).collect();
    let count = |which: &dyn Fn(&Ticket) -> bool| tickets.iter().filter(|ticket| which(ticket)).count();
    let each = |words: &[&str], of: fn(&Ticket) -> &'static str| -> Value {
        words.iter().map(|word| ((*word).to_owned(), json!(count(&|ticket| of(ticket) == *word)))).collect()
    };
    let by_status = each(&STATUSES, |ticket| ticket.status);
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
        "by_priority": each(&PRIORITIES, |ticket| ticket.priority),
        "by_type": each(&KINDS, |ticket| ticket.kind),
    })
}

pub(super) const STATUSES: [&str; 6] = ["pending", "in_progress", "waiting_user", "resolved", "closed", "escalated"];
pub(super) const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];
pub(super) const KINDS: [&str; 15] = [
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
