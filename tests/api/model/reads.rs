//! What is read, by whom: all of it is compared, so that what is shown to a customer cannot depend on a note.

use rand::RngExt;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::expected::{Expected, fetched, not_found, refused};
use super::generator::{HUSH, Step, get};
use super::placeholders::rows;
use super::views::{KINDS, MessageRange, PRIORITIES, STATUSES, ticket_analytics};
use super::world::{CUSTOMERS, Talk, World, Writer};
use crate::support::{MINE, MY_TICKETS, QUEUE, TICKET, TICKETS};

impl World {
    pub(super) fn list_own(&mut self) -> Step {
        let person = self.some_customer();
        let own = self.talks.iter().filter(|talk| !talk.is_thread && talk.owner == Writer::Account(person));
        let own: Vec<Value> = own.map(|talk| self.own_row(talk)).collect();
        let data = json!({ "total": own.len(), "conversations": rows(own, "updated_at", 1000) });
        get(MINE, Some(person), fetched("Conversations fetched", data))
    }

    /// A stretch and its query; `None` where it breaks a rule.
    fn stretch(&mut self, talk: usize, after: &'static str, before: &'static str) -> (Option<MessageRange>, String) {
        let most = self.talks[talk].timeline.len() + 2;
        let mut stretch = MessageRange::default();
        let mut query = Serializer::new(String::new());
        if self.chance(0.05) {
            let wrong = self.pick(&[(after, "-1"), (before, "x"), ("limit", "0"), ("limit", "1.5"), ("limit", "")]);
            return (None, query.append_pair(wrong.0, wrong.1).finish());
        }
        let number = self.random.random_range(0..most);
        match self.random.random_range(0..3) {
            0 => {
                stretch.after = Some(number);
                query.append_pair(after, &number.to_string());
            }
            1 => {
                stretch.before = Some(number);
                query.append_pair(before, &number.to_string());
            }
            _ => {}
        }
        if self.chance(0.5) {
            let limit = self.pick(&[1, 2, 5, 200, 5000]);
            stretch.limit = Some(limit);
            query.append_pair("limit", &limit.to_string());
        }
        (Some(stretch), query.finish())
    }

    /// The field that a query breaks the rule of.
    fn faulty(query: &str, names: [&'static str; 2]) -> Expected {
        let field = names.into_iter().find(|name| query.starts_with(name)).unwrap_or("limit");
        Expected::Invalid(field)
    }

    pub(super) fn read_own(&mut self) -> Option<Step> {
        let talk = self.some_talk()?;
        let person = self.customer_for(talk);
        let (stretch, query) = self.stretch(talk, "after_seq", "before_seq");
        let expected = match stretch {
            None => Self::faulty(&query, ["after_seq", "before_seq"]),
            Some(_) if self.talks[talk].owner != Writer::Account(person) => refused("ACCESS_DENIED", "Access denied"),
            Some(stretch) => fetched("Conversation retrieved", self.own_detail(talk, stretch)),
        };
        Some(get(format!("{MINE}/{}?{query}", self.shown(self.talks[talk].id)), Some(person), expected))
    }

    pub(super) fn read_as_agent(&mut self) -> Option<Step> {
        let talk = self.some_talk()?;
        let agent = self.some_agent();
        let id = self.shown(self.talks[talk].id);
        let (stretch, query) = self.stretch(talk, "after_position", "before_seq");
        let expected = match stretch {
            None => Self::faulty(&query, ["after_position", "before_seq"]),
            Some(stretch) => fetched("Conversation fetched", self.detail(talk, stretch)),
        };
        Some(get(format!("{QUEUE}/{id}?{query}"), Some(agent), expected))
    }

    pub(super) fn read_timeline(&mut self) -> Option<Step> {
        let talk = self.some_talk()?;
        let agent = self.some_agent();
        let id = self.shown(self.talks[talk].id);
        let (stretch, query) = self.stretch(talk, "after_position", "before_position");
        let place = |row: &Value| usize::try_from(row["position"].as_u64().unwrap()).unwrap();
        let expected = match stretch {
            None => Self::faulty(&query, ["after_position", "before_position"]),
            Some(stretch) => {
                let all = &self.talks[talk].timeline;
                let (events, has_more) = stretch.of(all, |one, at| place(one) > at, |one, at| place(one) < at);
                fetched("Timeline fetched", json!({ "events": events, "has_more": has_more }))
            }
        };
        Some(get(format!("{QUEUE}/{id}/timeline?{query}"), Some(agent), expected))
    }

    pub(super) fn read_ticket_as_agent(&mut self) -> Option<Step> {
        let talk = self.some_ticket()?;
        let agent = self.some_agent();
        let id = self.shown(self.talks[talk].ticket().id);
        let (stretch, query) = self.stretch(talk, "after_position", "before_seq");
        let expected = match stretch {
            None => Self::faulty(&query, ["after_position", "before_seq"]),
            Some(stretch) => fetched("Ticket fetched", self.ticket_detail(talk, stretch)),
        };
        Some(get(format!("{TICKETS}/{id}?{query}"), Some(agent), expected))
    }

    pub(super) fn list_own_tickets(&mut self) -> Step {
        let person = self.some_customer();
        let is_own = |talk: &&Talk| talk.ticket.is_some() && talk.owner == Writer::Account(person);
        let own: Vec<Value> = self.talks.iter().filter(is_own).map(|talk| self.own_ticket_row(talk)).collect();
        let data = json!({ "total_tickets": own.len(), "tickets": rows(own, "created_at", 1000) });
        get(MY_TICKETS, Some(person), fetched("Tickets fetched", data))
    }

    /// With a token, or with an e-mail address.
    pub(super) fn read_own_ticket(&mut self) -> Option<Step> {
        let talk = self.some_ticket()?;
        let number = self.talks[talk].ticket().number.clone();
        let owner = self.talks[talk].owner.clone();
        let reader = match self.random.random_range(0..10) {
            0..6 => owner.clone(),
            6..8 => self.some_writer(),
            _ => Writer::Agent(self.some_agent()),
        };
        let may = match &reader {
            Writer::Agent(_) => true,
            Writer::Account(_) => reader == owner,
            Writer::Guest(email) => *email == self.email_of(&owner),
        };
        let (stretch, query) = self.stretch(talk, "after_seq", "before_seq");
        let expected = match stretch {
            None => Self::faulty(&query, ["after_seq", "before_seq"]),
            Some(_) if !may => not_found(&format!("Ticket {number}")),
            Some(stretch) => fetched("Ticket retrieved", json!({ "ticket": self.own_ticket(talk, Some(stretch)) })),
        };
        let (who, email) = match reader {
            Writer::Guest(email) => (None, format!("&email={email}")),
            Writer::Account(person) | Writer::Agent(person) => (Some(person), String::new()),
        };
        let query = if query.is_empty() { query } else { format!("&{query}") };
        Some(get(format!("{TICKET}?ticket_number={number}{email}{query}"), who, expected))
    }

    pub(super) fn list_agents(&mut self) -> Step {
        let agent = self.some_agent();
        get(format!("{TICKETS}/agents"), Some(agent), fetched("Agents fetched", self.agents()))
    }

    /// The agents' queue, with filters.
    pub(super) fn list_queue(&mut self) -> Step {
        let caller = self.some_agent();
        let mut query = vec![("limit", "100".to_owned())];
        let holders = ["unassigned", "lisa", "mike", "sarah"];
        let statuses = ["active", "waiting_support", "waiting_user", "closed"];
        let terms = [HUSH, "refund", "byron", "GUEST@", "0801234", "no such thing", "余额"];
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
        let fitting = self.talks.iter().filter(|talk| !talk.is_thread && self.fits_queue(talk, &query));
        let fitting: Vec<Value> = fitting.map(|talk| self.queue_row(talk, false)).collect();
        let total = fitting.len();
        let data = json!({
            "analytics": self.queue_analytics(caller), "conversations": rows(fitting, key, 100),
            "meta": { "total": total, "page": 1, "limit": 100, "total_pages": total.div_ceil(100) },
        });
        let query = Serializer::new(String::new()).extend_pairs(&query).finish();
        get(format!("{QUEUE}?{query}"), Some(caller), fetched("Conversations fetched", data))
    }

    fn fits_queue(&self, talk: &Talk, query: &[(&str, String)]) -> bool {
        query.iter().all(|(key, value)| match *key {
            "status" => talk.status == value,
            "assigned_to" if value == "unassigned" => talk.assignee.is_none(),
            "assigned_to" => talk.assignee.is_some_and(|(agent, _)| self.people[agent].id == value),
            "user_id" => self.account_of(&talk.owner) == Some(value.as_str()),
            "has_ticket" => talk.ticket.is_some() == (value == "true"),
            "search" => self.is_found(talk, &value.to_lowercase()),
            _ => true,
        })
    }

    /// E-mail, phone, names and text, whatever the case.
    fn is_found(&self, talk: &Talk, term: &str) -> bool {
        let names = match talk.owner {
            Writer::Account(person) => self.people[person].name(),
            _ => String::new(),
        };
        let about = [talk.email.as_str(), talk.phone.as_deref().unwrap_or_default(), &names];
        let mut texts = talk.messages.iter().map(|message| message.text.as_str()).chain(about);
        texts.any(|text| text.to_lowercase().contains(term))
    }

    fn queue_analytics(&self, caller: usize) -> Value {
        let all: Vec<&Talk> = self.talks.iter().filter(|talk| !talk.is_thread).collect();
        let count = |which: &dyn Fn(&Talk) -> bool| all.iter().filter(|talk| which(talk)).count();
        let of = |status: &'static str| count(&|talk| talk.status == status);
        let is_callers = |talk: &Talk| talk.assignee.is_some_and(|(agent, _)| agent == caller);
        json!({
            "total_conversations": all.len(), "mine": count(&|talk| !talk.is_closed() && is_callers(talk)),
            "active": count(&|talk| !talk.is_closed()),
            "unassigned": count(&|talk| {
                talk.assignee.is_none() && ["active", "waiting_support"].contains(&talk.status)
            }),
            "by_status": {
                "active": of("active"), "waiting_support": of("waiting_support"),
                "waiting_user": of("waiting_user"), "closed": of("closed"),
            },
        })
    }

    /// The agents' list of tickets, with filters.
    pub(super) fn list_tickets(&mut self) -> Step {
        let caller = self.some_agent();
        let mut query = vec![("limit", "100".to_owned())];
        for (key, words) in [
            ("status", &STATUSES[..]),
            ("priority", &PRIORITIES[..]),
            ("support_type", &KINDS[..]),
            ("assigned_to", &["lisa", "mike", "sarah"][..]),
            ("user_id", &["ada", "ben", "cyd"][..]),
        ] {
            if self.chance(0.15) {
                query.push((key, self.pick(words).to_owned()));
            }
        }
        let key = self.pick(&["createdAt", "updatedAt"]);
        query.push(("sort_by", key.to_owned()));
        let all: Vec<&Talk> = self.talks.iter().filter(|talk| talk.ticket.is_some()).collect();
        let fitting = all.iter().filter(|talk| self.fits_tickets(talk, &query));
        let fitting: Vec<Value> = fitting.map(|talk| self.ticket_row(talk, false)).collect();
        let total = fitting.len();
        let data = json!({
            "analytics": ticket_analytics(&all), "tickets": rows(fitting, key, 100),
            "meta": { "total": total, "page": 1, "limit": 100, "total_pages": total.div_ceil(100) },
        });
        let query = Serializer::new(String::new()).extend_pairs(&query).finish();
        get(format!("{TICKETS}?{query}"), Some(caller), fetched("Tickets fetched", data))
    }

    fn fits_tickets(&self, talk: &Talk, query: &[(&str, String)]) -> bool {
        let ticket = talk.ticket();
        query.iter().all(|(key, value)| match *key {
            "status" => ticket.status == value,
            "priority" => ticket.priority == value,
            "support_type" => ticket.kind == value,
            "assigned_to" => ticket.assignee.is_some_and(|agent| self.people[agent].id == value),
            "user_id" => self.account_of(&talk.owner) == Some(value.as_str()),
            _ => true,
        })
    }

    /// Whether what this person is sent must hold no note.
    pub(super) fn may_hear_notes(&self, person: Option<usize>) -> bool {
        person.is_some_and(|person| person >= CUSTOMERS)
    }
}
