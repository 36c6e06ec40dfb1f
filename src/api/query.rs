//! Query strings: pages of a list, and ranges of a conversation's messages.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api_error::ApiError;
use crate::dto::Validator;
use crate::json_schema::{Count, Number};
use crate::store::{MessageRange, Page};

/// The extractor of a query string; one that is malformed or repeats a key is answered 400.
pub(super) type Query<T> = web::Query<T>;

/// `page` and `limit` of a list.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct PageQuery {
    #[schemars(with = "Option<Count>")]
    page: Option<String>,
    #[schemars(with = "Option<Count>")]
    limit: Option<String>,
}

impl PageQuery {
    /// Page 1 with [`Page::DEFAULT_LIMIT`] rows by default; a larger limit than [`Page::MAX_LIMIT`] is reduced to it.
    pub(super) fn page(&self) -> Result<Page, ApiError> {
        let mut validator = Validator::default();
        let page = number(&mut validator, "page", self.page.as_deref(), 1).unwrap_or(1);
        let limit = number(&mut validator, "limit", self.limit.as_deref(), 1).unwrap_or(Page::DEFAULT_LIMIT);
        validator.finish(Some(Page { number: page, limit: limit.min(Page::MAX_LIMIT) }))
    }
}

/// The position of a page in its list.
#[derive(Serialize, JsonSchema)]
pub(super) struct PageMeta {
    total: u64,
    page: u32,
    limit: u32,
    total_pages: u64,
}

impl PageMeta {
    pub(super) fn new(page: Page, total: u64) -> Self {
        Self { total, page: page.number, limit: page.limit, total_pages: total.div_ceil(u64::from(page.limit)) }
    }
}

/// `after_seq`, `before_seq` or `after_position`, and `limit`, of a conversation's messages.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct RangeQuery {
    #[schemars(with = "Option<Number>")]
    after_seq: Option<String>,
    #[schemars(with = "Option<Number>")]
    before_seq: Option<String>,
    #[schemars(with = "Option<Number>")]
    after_position: Option<String>,
    #[schemars(with = "Option<Count>")]
    limit: Option<String>,
}

impl RangeQuery {
    /// A customer's range, by `seq`.
    pub(super) fn by_seq(&self) -> Result<MessageRange, ApiError> {
        self.range("after_seq", self.after_seq.as_deref())
    }

    /// An agent's range, by `position`.
    pub(super) fn by_position(&self) -> Result<MessageRange, ApiError> {
        self.range("after_position", self.after_position.as_deref())
    }

    fn range(&self, after_name: &'static str, after: Option<&str>) -> Result<MessageRange, ApiError> {
        range((after_name, after), ("before_seq", self.before_seq.as_deref()), self.limit.as_deref())
    }
}

/// `after_position`, `before_position` and `limit` of a timeline.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct TimelineQuery {
    #[schemars(with = "Option<Number>")]
    after_position: Option<String>,
    #[schemars(with = "Option<Number>")]
    before_position: Option<String>,
    #[schemars(with = "Option<Count>")]
    limit: Option<String>,
}

impl TimelineQuery {
    pub(super) fn range(&self) -> Result<MessageRange, ApiError> {
        let after = ("after_position", self.after_position.as_deref());
        range(after, ("before_position", self.before_position.as_deref()), self.limit.as_deref())
    }
}

fn range(
    (after_name, after): (&'static str, Option<&str>),
    (before_name, before): (&'static str, Option<&str>),
    limit: Option<&str>,
) -> Result<MessageRange, ApiError> {
    let mut validator = Validator::default();
    let limit = number(&mut validator, "limit", limit, 1).map(|limit| limit.min(MessageRange::MAX_LIMIT));
    let after = number(&mut validator, after_name, after, 0);
    let before = number(&mut validator, before_name, before, 0);
    let range = match (after, before) {
        (Some(_), Some(_)) => {
            validator.fail(after_name, format!("{after_name} and {before_name} cannot be used together"));
            None
        }
        (Some(after), None) => Some(MessageRange::After { after, limit: limit.unwrap_or(MessageRange::MAX_LIMIT) }),
        (None, Some(before)) => Some(MessageRange::Before { before, limit: limit.unwrap_or(MessageRange::MAX_LIMIT) }),
        (None, None) => Some(MessageRange::Last { limit: limit.unwrap_or(MessageRange::ALL) }),
    };
    validator.finish(range)
}

/// A whole number of at least `least`. Numbers beyond `u32` become `u32::MAX`, which selects the same rows.
pub(super) fn number(validator: &mut Validator, name: &'static str, value: Option<&str>, least: u32) -> Option<u32> {
    let value = value?;
    match value.parse::<u64>() {
        Ok(number) if number >= u64::from(least) => Some(u32::try_from(number).unwrap_or(u32::MAX)),
        _ => {
            validator.fail(name, format!("{name} must be a whole number of at least {least}"));
            None
        }
    }
}
