//! What `GET …/conversations` may be asked for, key by key.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::query::{date_from, date_to};
use crate::api_error::ApiError;
use crate::domain::{Channel, Status, UserId};
use crate::json_schema::{Date, QueueSort, Search, SortOrder, TrueOrFalse};
use crate::store::{AssignedTo, Filter, SearchTerm, Sort, SortBy};
use crate::wire::Validator;

/// Filters and order; the page is [`crate::api::query::PageQuery`]'s. Keys that nobody knows are ignored.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::api) struct ListQuery {
    #[schemars(with = "Option<Search>")]
    search: Option<String>,
    #[schemars(with = "Option<Status>")]
    status: Option<String>,
    #[schemars(with = "Option<UserId>")]
    assigned_to: Option<String>,
    #[schemars(with = "Option<UserId>")]
    user_id: Option<String>,
    #[schemars(with = "Option<TrueOrFalse>")]
    has_ticket: Option<String>,
    #[schemars(with = "Option<Channel>")]
    channel: Option<String>,
    #[schemars(with = "Option<Date>")]
    date_from: Option<String>,
    #[schemars(with = "Option<Date>")]
    date_to: Option<String>,
    #[schemars(with = "Option<QueueSort>")]
    sort_by: Option<String>,
    #[schemars(with = "Option<SortOrder>")]
    sort_order: Option<String>,
}

impl ListQuery {
    /// What was asked for; every value that breaks its rule is named. A search for nothing is none, as a page that has
    /// a field for it sends it.
    pub(super) fn read(&self) -> Result<(Filter, Sort), ApiError> {
        let mut fields = Validator::default();
        let statuses = Status::ALL.map(|status| (status.as_str(), status));
        let channels = [Channel::Support, Channel::HelpCenter].map(|channel| (channel.as_str(), channel));
        let filter = Filter {
            search: fields.optional("search", self.search.as_deref(), SearchTerm::parse).flatten(),
            status: fields.one_of("status", self.status.as_deref(), statuses),
            assigned_to: self.assigned_to.as_deref().and_then(|assigned_to| match assigned_to {
                "unassigned" => Some(AssignedTo::Unassigned),
                agent => account(&mut fields, "assigned_to", agent).map(AssignedTo::Agent),
            }),
            user_id: self.user_id.as_deref().and_then(|user_id| account(&mut fields, "user_id", user_id)),
            has_ticket: fields.one_of("has_ticket", self.has_ticket.as_deref(), [("true", true), ("false", false)]),
            channel: fields.one_of("channel", self.channel.as_deref(), channels),
            created_from: date_from(&mut fields, "date_from", self.date_from.as_deref()),
            created_before: date_to(&mut fields, "date_to", self.date_to.as_deref()),
        };
        let by = fields.one_of("sort_by", self.sort_by.as_deref(), SortBy::ALL);
        let is_ascending = fields.one_of("sort_order", self.sort_order.as_deref(), [("asc", true), ("desc", false)]);
        let sort = Sort { by: by.unwrap_or_default(), is_ascending: is_ascending.unwrap_or_default() };
        fields.finish(Some((filter, sort)))
    }
}

pub(super) fn account(fields: &mut Validator, name: &'static str, id: &str) -> Option<UserId> {
    let parsed = UserId::parse(id);
    if parsed.is_err() {
        fields.fault(name, format!("{name} must be an account's id"));
    }
    parsed.ok()
}
