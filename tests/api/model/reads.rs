//! The reads of customers and agents. Complete answers are compared, so that nothing that a customer sees can depend on a
//! note.

use rand::RngExt;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::expected::{Expected, fetched, not_found, refused};
use super::generator::{NOTE_MARKER, Step, get};
use super::placeholders::rows;
use super::state::{CUSTOMERS, Conversation, Model, Writer};
use super::views::{MessageRange, PRIORITIES, STATUSES, SUPPORT_TYPES, ticket_analytics};
use crate::support::{MY_CONVERSATIONS, MY_TICKETS, QUEUE, TICKET, TICKETS};

impl Model {
    pub(super) fn list_own(&mut self) -> Step {
        let user = self.any_customer();
        let own = self
            .conversations
            .iter()
            .filter(|conversation| !conversation.is_thread && conversation.owner == Writer::Account(user));
        let own: Vec<Value> = own.map(|conversation| self.own_row(conversation)).collect();
        let data = json!({ "total": own.len(), "conversations": rows(own, "updated_at", 1000) });
        get(MY_CONVERSATIONS, Some(user), fetched("Conversations fetched", data))
    }

    /// A range and its query; `None` where it breaks a rule.
    fn any_range(
        &mut self,
        conversation: usize,
        after: &'static str,
        before: &'static str,
    ) -> (Option<MessageRange>, String) {
        let most = self.conversations[conversation].timeline.len() + 2;
        let mut range = MessageRange::default();
        let mut query = Serializer::new(String::new());
        if self.chance(0.05) {
            let wrong = self.pick(&[(after, "-1"), (before, "x"), ("limit", "0"), ("limit", "1.5"), ("limit", "")]);
            return (None, query.append_pair(wrong.0, wrong.1).finish());
        }
        let number = self.random.random_range(0..most);
        match self.random.random_range(0..3) {
            0 => {
                range.after = Some(number);
                query.append_pair(after, &number.to_string());
            }
            1 => {
                range.before = Some(number);
                query.append_pair(before, &number.to_string());
            }
            _ => {}
        }
        if self.chance(0.5) {
            let limit = self.pick(&[1, 2, 5, 200, 5000]);
            range.limit = Some(limit);
            query.append_pair("limit", &limit.to_string());
        }
        (Some(range), query.finish())
    }

    /// The answer to a query with an invalid field.
    fn faulty(query: &str, names: [&'static str; 2]) -> Expected {
        let field = names.into_iter().find(|name| query.starts_with(name)).unwrap_or("limit");
        Expected::Invalid(field)
    }

    pub(super) fn read_own(&mut self) -> Option<Step> {
        let conversation = self.any_conversation()?;
        let user = self.customer_for(conversation);
        let (range, query) = self.any_range(conversation, "after_seq", "before_seq");
        let expected = match range {
            None => Self::faulty(&query, ["after_seq", "before_seq"]),
            Some(_) if self.conversations[conversation].owner != Writer::Account(user) => {
                refused("ACCESS_DENIED", "Access denied")
            }
            Some(range) => fetched("Conversation retrieved", self.own_detail(conversation, range)),
        };
        Some(get(
            format!("{MY_CONVERSATIONS}/{}?{query}", self.value_of(self.conversations[conversation].id)),
            Some(user),
            expected,
        ))
    }

    pub(super) fn read_as_agent(&mut self) -> Option<Step> {
        let conversation = self.any_conversation()?;
        let agent = self.any_agent();
        let id = self.value_of(self.conversations[conversation].id);
        let (range, query) = self.any_range(conversation, "after_position", "before_seq");
        let expected = match range {
            None => Self::faulty(&query, ["after_position", "before_seq"]),
            Some(range) => fetched("Conversation fetched", self.detail(conversation, range, agent)),
        };
        Some(get(format!("{QUEUE}/{id}?{query}"), Some(agent), expected))
    }

    pub(super) fn read_timeline(&mut self) -> Option<Step> {
        let conversation = self.any_conversation()?;
        let agent = self.any_agent();
        let id = self.value_of(self.conversations[conversation].id);
        let (range, query) = self.any_range(conversation, "after_position", "before_position");
        let place = |row: &Value| usize::try_from(row["position"].as_u64().unwrap()).unwrap();
        let expected = match range {
            None => Self::faulty(&query, ["after_position", "before_position"]),
            Some(range) => {
                let all = &self.conversations[conversation].timeline;
                let (events, has_more) = range.of(all, |one, at| place(one) > at, |one, at| place(one) < at);
                fetched("Timeline fetched", json!({ "events": events, "has_more": has_more }))
            }
        };
        Some(get(format!("{QUEUE}/{id}/timeline?{query}"), Some(agent), expected))
    }

    pub(super) fn read_ticket_as_agent(&mut self) -> Option<Step> {
        let conversation = self.any_ticket()?;
        let agent = self.any_agent();
        let id = self.value_of(self.conversations[conversation].ticket().id);
        let (range, query) = self.any_range(conversation, "after_position", "before_seq");
        let expected = match range {
            None => Self::faulty(&query, ["after_position", "before_seq"]),
            Some(range) => fetched("Ticket fetched", self.ticket_detail(conversation, range, agent)),
        };
        Some(get(format!("{TICKETS}/{id}?{query}"), Some(agent), expected))
    }

    pub(super) fn list_own_tickets(&mut self) -> Step {
        let user = self.any_customer();
        let is_own =
            |conversation: &&Conversation| conversation.ticket.is_some() && conversation.owner == Writer::Account(user);
        let own: Vec<Value> =
            self.conversations.iter().filter(is_own).map(|conversation| self.own_ticket_row(conversation)).collect();
        let data = json!({ "total_tickets": own.len(), "tickets": rows(own, "created_at", 1000) });
        get(MY_TICKETS, Some(user), fetched("Tickets fetched", data))
    }

    /// With a token, or with an e-mail address.
    pub(super) fn read_own_ticket(&mut self) -> Option<Step> {
        let conversation = self.any_ticket()?;
        let number = self.conversations[conversation].ticket().number.clone();
        let owner = self.conversations[conversation].owner.clone();
        let reader = match self.random.random_range(0..10) {
            0..6 => owner.clone(),
            6..8 => self.any_writer(),
            _ => Writer::Agent(self.any_agent()),
        };
        let may = match &reader {
            Writer::Agent(_) => true,
            Writer::Account(_) => reader == owner,
            Writer::Guest(email) => self.exists_for(conversation, &reader) && *email == self.email_of(&owner),
        };
        let (range, query) = self.any_range(conversation, "after_seq", "before_seq");
        let expected = match range {
            None => Self::faulty(&query, ["after_seq", "before_seq"]),
            Some(_) if !may => not_found(&format!("Ticket {number}")),
            Some(range) => {
                let with_token = Some(&reader).filter(|reader| !matches!(reader, Writer::Guest(_)));
                let ticket = self.own_ticket(conversation, Some(range), with_token);
                fetched("Ticket retrieved", json!({ "ticket": ticket }))
            }
        };
        let (caller, email) = match reader {
            Writer::Guest(email) => (None, format!("&email={email}")),
            Writer::Account(user) | Writer::Agent(user) => (Some(user), String::new()),
        };
        let query = if query.is_empty() { query } else { format!("&{query}") };
        Some(get(format!("{TICKET}?ticket_number={number}{email}{query}"), caller, expected))
    }

    pub(super) fn list_agents(&mut self) -> Step {
        let agent = self.any_agent();
        get(format!("{TICKETS}/agents"), Some(agent), fetched("Agents fetched", self.agents()))
    }

    /// The agents' queue, with filters.
    pub(super) fn list_queue(&mut self) -> Step {
        let caller = self.any_agent();
        let mut query = vec![("limit", "100".to_owned())];
        let holders = ["unassigned", "lisa", "mike", "sarah"];
        let statuses = ["active", "waiting_support", "waiting_user", "closed"];
        let terms = [NOTE_MARKER, "refund", "byron", "GUEST@", "0801234", "no such thing", "余额"];
        for (key, words) in [
            ("status", &statuses[..]),
            ("assigned_to", &holders[..]),
            ("user_id", &["ada", "ben", "cyd"][..]),
            ("has_ticket", &["true", "false"][..]),
            ("search", &terms[..]),
        ] {
            if self.chance(0.2) {
                query.push((key, self.pick(words).to_owned()));
            }
        }
        let key = self.pick(&["last_message_at", "updatedAt", "createdAt"]);
        if key != "last_message_at" {
            query.push(("sort_by", key.to_owned()));
        }
        let fitting = self
            .conversations
            .iter()
            .filter(|conversation| !conversation.is_thread && self.fits_queue(conversation, &query));
        let fitting: Vec<Value> = fitting.map(|conversation| self.queue_row(conversation, false)).collect();
        let total = fitting.len();
        let data = json!({
            "analytics": self.queue_analytics(caller), "conversations": rows(fitting, key, 100),
            "meta": { "total": total, "page": 1, "limit": 100, "total_pages": total.div_ceil(100) },
        });
        let query = Serializer::new(String::new()).extend_pairs(&query).finish();
        get(format!("{QUEUE}?{query}"), Some(caller), fetched("Conversations fetched", data))
    }

    fn fits_queue(&self, conversation: &Conversation, query: &[(&str, String)]) -> bool {
        query.iter().all(|(key, value)| match *key {
            "status" => conversation.status == value,
            "assigned_to" if value == "unassigned" => conversation.assignee.is_none(),
            "assigned_to" => conversation.assignee.is_some_and(|(agent, _)| self.users[agent].id == value),
            "user_id" => self.account_of(&conversation.owner) == Some(value.as_str()),
            "has_ticket" => conversation.ticket.is_some() == (value == "true"),
            "search" => self.is_found(conversation, &value.to_lowercase()),
            _ => true,
        })
    }

    /// E-mail, phone, names, the ticket's subject and text, whatever the case; a phone number in its national form, too.
    fn is_found(&self, conversation: &Conversation, term: &str) -> bool {
        let names = match conversation.owner {
            Writer::Account(user) => self.users[user].name(),
            _ => String::new(),
        };
        let phone = conversation.phone.as_deref().unwrap_or_default();
        if let Some(national) = term.strip_prefix('0').filter(|rest| rest.chars().all(|digit| digit.is_ascii_digit()))
            && phone.contains(national)
        {
            return true;
        }
        let subject = conversation.ticket.as_ref().map_or("", |ticket| &ticket.subject);
        let about = [conversation.email.as_str(), phone, &names, subject];
        let mut texts = conversation.messages.iter().map(|message| message.text.as_str()).chain(about);
        texts.any(|text| text.to_lowercase().contains(term))
    }

    fn queue_analytics(&self, caller: usize) -> Value {
        let all: Vec<&Conversation> =
            self.conversations.iter().filter(|conversation| !conversation.is_thread).collect();
        let count =
            |which: &dyn Fn(&Conversation) -> bool| all.iter().filter(|conversation| which(conversation)).count();
        let of = |status: &'static str| count(&|conversation| conversation.status == status);
        let is_callers = |conversation: &Conversation| conversation.assignee.is_some_and(|(agent, _)| agent == caller);
        json!({
            "total_conversations": all.len(), "mine": count(&|conversation| !conversation.is_closed() && is_callers(conversation)),
            "active": count(&|conversation| !conversation.is_closed()),
            "unassigned": count(&|conversation| {
                conversation.assignee.is_none() && ["active", "waiting_support"].contains(&conversation.status)
            }),
            "handovers_to_me": all.iter().flat_map(|one| &one.handovers).filter(|one| one.status == "pending" && one.to == caller).count(),
            "by_status": {
                "active": of("active"), "waiting_support": of("waiting_support"),
                "waiting_user": of("waiting_user"), "closed": of("closed"),
            },
        })
    }

    /// The agents' list of tickets, with filters.
    pub(super) fn list_tickets(&mut self) -> Step {
        let caller = self.any_agent();
        let mut query = vec![("limit", "100".to_owned())];
        for (key, words) in [
            ("status", &STATUSES[..]),
            ("priority", &PRIORITIES[..]),
            ("support_type", &SUPPORT_TYPES[..]),
            ("assigned_to", &["lisa", "mike", "sarah"][..]),
            ("user_id", &["ada", "ben", "cyd"][..]),
        ] {
            if self.chance(0.15) {
                query.push((key, self.pick(words).to_owned()));
            }
        }
        let key = self.pick(&["createdAt", "updatedAt"]);
        query.push(("sort_by", key.to_owned()));
        let all: Vec<&Conversation> =
            self.conversations.iter().filter(|conversation| conversation.ticket.is_some()).collect();
        let fitting = all.iter().filter(|conversation| self.fits_tickets(conversation, &query));
        let fitting: Vec<Value> = fitting.map(|conversation| self.ticket_row(conversation, false)).collect();
        let total = fitting.len();
        let data = json!({
            "analytics": ticket_analytics(&all), "tickets": rows(fitting, key, 100),
            "meta": { "total": total, "page": 1, "limit": 100, "total_pages": total.div_ceil(100) },
        });
        let query = Serializer::new(String::new()).extend_pairs(&query).finish();
        get(format!("{TICKETS}?{query}"), Some(caller), fetched("Tickets fetched", data))
    }

    fn fits_tickets(&self, conversation: &Conversation, query: &[(&str, String)]) -> bool {
        let ticket = conversation.ticket();
        query.iter().all(|(key, value)| match *key {
            "status" => ticket.status == value,
            "priority" => ticket.priority == value,
            "support_type" => ticket.support_type == value,
            "assigned_to" => ticket.assignee.is_some_and(|agent| self.users[agent].id == value),
            "user_id" => self.account_of(&conversation.owner) == Some(value.as_str()),
            _ => true,
        })
    }

    /// Whether this user may receive notes.
    pub(super) fn may_see_notes(&self, user: Option<usize>) -> bool {
        user.is_some_and(|user| user >= CUSTOMERS)
    }
}
