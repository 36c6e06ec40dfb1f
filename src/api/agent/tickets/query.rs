//! The query string of `GET …/support`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::agent::filter::{account, assignee, unassigned};
use crate::api::date_filter::date_range;
use crate::api_error::ApiError;
use crate::domain::{SearchTerm, SupportType, TicketPriority, TicketStatus, UserId};
use crate::dto::{Validator, words};
use crate::json_schema::{AssigneeFilter, Date, Search, SomeOf, SortOrder, TicketSortKey, TrueOrFalse};
use crate::store::{TicketFilter, TicketOrder, TicketSort};

/// Filters and sort order; unknown keys are ignored. [`crate::api::query::PageQuery`] reads the page.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct TicketListQuery {
    #[schemars(with = "Option<Search>")]
    search: Option<String>,
    #[schemars(with = "Option<SomeOf<TicketStatus>>")]
    status: Option<String>,
    #[schemars(with = "Option<TicketPriority>")]
    priority: Option<String>,
    #[schemars(with = "Option<SupportType>")]
    support_type: Option<String>,
    #[schemars(with = "Option<AssigneeFilter>")]
    assigned_to: Option<String>,
    #[schemars(with = "Option<TrueOrFalse>")]
    unassigned: Option<String>,
    #[schemars(with = "Option<UserId>")]
    user_id: Option<String>,
    #[schemars(with = "Option<Date>")]
    date_from: Option<String>,
    #[schemars(with = "Option<Date>")]
    date_to: Option<String>,
    #[schemars(with = "Option<TicketSortKey>")]
    sort_by: Option<String>,
    #[schemars(with = "Option<SortOrder>")]
    sort_order: Option<String>,
}

const SORTS: [(&str, TicketSort); 5] = [
    ("createdAt", TicketSort::CreatedAt),
    ("updatedAt", TicketSort::UpdatedAt),
    ("priority", TicketSort::Priority),
    ("status", TicketSort::Status),
    ("support_type", TicketSort::SupportType),
];

impl TicketListQuery {
    /// The filter and order; the error names every invalid value. The default is all tickets, newest first.
    pub(super) fn validate(&self, caller: &UserId) -> Result<(TicketFilter, TicketOrder), ApiError> {
        let mut validator = Validator::default();
        let mut statuses: Vec<(_, &[TicketStatus])> = vec![("open", &TicketStatus::OPEN)];
        statuses.extend(TicketStatus::ALL.iter().map(|status| (status.as_str(), std::slice::from_ref(status))));
        let priorities = words(TicketPriority::ALL, TicketPriority::as_str);
        let types = words(SupportType::ALL, SupportType::as_str);
        let filter = TicketFilter {
            search: validator.optional("search", self.search.as_deref(), SearchTerm::parse).flatten(),
            statuses: validator.some_of("status", self.status.as_deref(), TicketStatus::ALL, &statuses),
            priority: validator.one_of("priority", self.priority.as_deref(), priorities),
            support_type: validator.one_of("support_type", self.support_type.as_deref(), types),
            assigned_to: assignee(&mut validator, self.assigned_to.as_deref(), caller),
            unassigned: unassigned(&mut validator, self.unassigned.as_deref()),
            user: self.user_id.as_deref().and_then(|user_id| account(&mut validator, "user_id", user_id)),
            from: None,
            until: None,
        };
        let (from, until) = date_range(&mut validator, self.date_from.as_deref(), self.date_to.as_deref());
        let filter = TicketFilter { from, until, ..filter };
        let by = validator.one_of("sort_by", self.sort_by.as_deref(), SORTS);
        let directions = [("asc", false), ("desc", true)];
        let is_descending = validator.one_of("sort_order", self.sort_order.as_deref(), directions);
        let order =
            TicketOrder { by: by.unwrap_or(TicketSort::CreatedAt), is_descending: is_descending.unwrap_or(true) };
        validator.finish(Some((filter, order)))
    }
}
