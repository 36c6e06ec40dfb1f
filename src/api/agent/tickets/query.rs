//! What `GET …/support` may be asked for, key by key.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::agent::filter::account;
use crate::api::query::{date_from, date_to};
use crate::api_error::ApiError;
use crate::domain::{SupportType, TicketPriority, TicketStatus, UserId};
use crate::json_schema::{Date, Search, SortOrder, TicketSortKey};
use crate::store::{AssignedTo, SearchTerm, TicketFilter, TicketOrder, TicketSort};
use crate::wire::{Validator, words};

/// Filters and order; the page is [`crate::api::query::PageQuery`]'s. Keys that nobody knows are ignored.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::api) struct TicketQuery {
    #[schemars(with = "Option<Search>")]
    search: Option<String>,
    #[schemars(with = "Option<TicketStatus>")]
    status: Option<String>,
    #[schemars(with = "Option<TicketPriority>")]
    priority: Option<String>,
    #[schemars(with = "Option<SupportType>")]
    support_type: Option<String>,
    #[schemars(with = "Option<UserId>")]
    assigned_to: Option<String>,
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

impl TicketQuery {
    /// What was asked for; every value that breaks its rule is named. Where nothing is said all tickets come, the
    /// newest first.
    pub(super) fn read(&self) -> Result<(TicketFilter, TicketOrder), ApiError> {
        let mut fields = Validator::default();
        let statuses = words(TicketStatus::ALL, TicketStatus::as_str);
        let priorities = words(TicketPriority::ALL, TicketPriority::as_str);
        let types = words(SupportType::ALL, SupportType::as_str);
        let filter = TicketFilter {
            search: fields.optional("search", self.search.as_deref(), SearchTerm::parse).flatten(),
            status: fields.one_of("status", self.status.as_deref(), statuses),
            priority: fields.one_of("priority", self.priority.as_deref(), priorities),
            support_type: fields.one_of("support_type", self.support_type.as_deref(), types),
            assigned_to: self.assigned_to.as_deref().and_then(|assigned_to| match assigned_to {
                "unassigned" => Some(AssignedTo::Unassigned),
                agent => account(&mut fields, "assigned_to", agent).map(AssignedTo::Agent),
            }),
            user: self.user_id.as_deref().and_then(|user_id| account(&mut fields, "user_id", user_id)),
            from: date_from(&mut fields, "date_from", self.date_from.as_deref()),
            until: date_to(&mut fields, "date_to", self.date_to.as_deref()),
        };
        let by = fields.one_of("sort_by", self.sort_by.as_deref(), SORTS);
        let directions = [("asc", false), ("desc", true)];
        let is_descending = fields.one_of("sort_order", self.sort_order.as_deref(), directions);
        let order =
            TicketOrder { by: by.unwrap_or(TicketSort::CreatedAt), is_descending: is_descending.unwrap_or(true) };
        fields.finish(Some((filter, order)))
    }
}
