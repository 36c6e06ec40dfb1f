//! The query string of `GET …/conversations`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::date_filter::date_range;
use crate::api_error::ApiError;
use crate::domain::{Channel, SearchTerm, Status, UserId};
use crate::dto::Validator;
use crate::json_schema::{AssigneeFilter, Date, HandoverSide, QueueSort, Search, SomeOf, SortOrder, TrueOrFalse};
use crate::store::{AssignedTo, Filter, HandoverFilter, Sort, SortBy};

/// Filters and sort order; unknown keys are ignored. [`crate::api::query::PageQuery`] reads the page.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct QueueQuery {
    #[schemars(with = "Option<Search>")]
    search: Option<String>,
    #[schemars(with = "Option<SomeOf<Status>>")]
    status: Option<String>,
    #[schemars(with = "Option<AssigneeFilter>")]
    assigned_to: Option<String>,
    #[schemars(with = "Option<TrueOrFalse>")]
    unassigned: Option<String>,
    #[schemars(with = "Option<UserId>")]
    user_id: Option<String>,
    #[schemars(with = "Option<TrueOrFalse>")]
    has_ticket: Option<String>,
    #[schemars(with = "Option<HandoverSide>")]
    handover: Option<String>,
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

impl QueueQuery {
    /// The filter and order; the error names every invalid value. An empty search is none, because a page sends its
    /// empty search field.
    pub(super) fn validate(&self, caller: &UserId) -> Result<(Filter, Sort), ApiError> {
        let mut validator = Validator::default();
        let mut statuses: Vec<(_, &[Status])> = vec![("open", &Status::OPEN)];
        statuses.extend(Status::ALL.iter().map(|status| (status.as_str(), std::slice::from_ref(status))));
        let handovers =
            [("to_me", HandoverFilter::To(caller.clone())), ("from_me", HandoverFilter::From(caller.clone()))];
        let channels = [Channel::Support, Channel::HelpCenter].map(|channel| (channel.as_str(), channel));
        let filter = Filter {
            search: validator.optional("search", self.search.as_deref(), SearchTerm::parse).flatten(),
            statuses: validator.some_of("status", self.status.as_deref(), &Status::ALL, &statuses),
            assigned_to: assignee(&mut validator, self.assigned_to.as_deref(), caller),
            unassigned: unassigned(&mut validator, self.unassigned.as_deref()),
            user_id: self.user_id.as_deref().and_then(|user_id| account(&mut validator, "user_id", user_id)),
            has_ticket: validator.one_of("has_ticket", self.has_ticket.as_deref(), [("true", true), ("false", false)]),
            handover: validator.one_of("handover", self.handover.as_deref(), handovers),
            channel: validator.one_of("channel", self.channel.as_deref(), channels),
            created_from: None,
            created_before: None,
        };
        let (created_from, created_before) =
            date_range(&mut validator, self.date_from.as_deref(), self.date_to.as_deref());
        let filter = Filter { created_from, created_before, ..filter };
        let by = validator.one_of("sort_by", self.sort_by.as_deref(), SortBy::ALL);
        let is_ascending = validator.one_of("sort_order", self.sort_order.as_deref(), [("asc", true), ("desc", false)]);
        let sort = Sort { by: by.unwrap_or_default(), is_ascending: is_ascending.unwrap_or_default() };
        validator.finish(Some((filter, sort)))
    }
}

/// Parses an assignee: an account's id, `me` for the caller, or `unassigned`.
pub(super) fn assignee(validator: &mut Validator, value: Option<&str>, caller: &UserId) -> Option<AssignedTo> {
    match value? {
        "unassigned" => Some(AssignedTo::Unassigned),
        "me" => Some(AssignedTo::Agent(caller.clone())),
        agent => account(validator, "assigned_to", agent).map(AssignedTo::Agent),
    }
}

/// Whether only what the count of the unassigned counts; `false` is no filter.
pub(super) fn unassigned(validator: &mut Validator, value: Option<&str>) -> bool {
    validator.one_of("unassigned", value, [("true", true), ("false", false)]).unwrap_or_default()
}

/// Parses an account's id.
pub(super) fn account(validator: &mut Validator, name: &'static str, id: &str) -> Option<UserId> {
    let parsed = UserId::parse(id);
    if parsed.is_err() {
        validator.fail(name, format!("{name} must be an account's id"));
    }
    parsed.ok()
}
