//! What a query string asks for: pages of a list, and a stretch of a conversation.

use actix_web::web;
use serde::Deserialize;

use super::body::Fields;
use crate::failure::Failure;
use crate::store::{Page, Stretch};

/// `page` and `limit` of a list.
#[derive(Debug, Deserialize)]
pub(super) struct PageQuery {
    page: Option<String>,
    limit: Option<String>,
}

impl PageQuery {
    /// Page 1 of 20 where nothing is said; a limit over 100 is taken as 100.
    pub(super) fn page(&self) -> Result<Page, Failure> {
        let mut fields = Fields::default();
        let page = number(&mut fields, "page", self.page.as_deref(), 1).unwrap_or(1);
        let limit = number(&mut fields, "limit", self.limit.as_deref(), 1).unwrap_or(Page::DEFAULT_LIMIT);
        fields.finish(Some(Page { number: page, limit: limit.min(Page::MAX_LIMIT) }))
    }
}

/// `after_seq`, `before_seq` or `after_position`, and `limit`, of a conversation's messages.
#[derive(Debug, Deserialize)]
pub(super) struct StretchQuery {
    after_seq: Option<String>,
    before_seq: Option<String>,
    after_position: Option<String>,
    limit: Option<String>,
}

impl StretchQuery {
    /// A customer's stretch, by `seq`.
    pub(super) fn by_seq(&self) -> Result<Stretch, Failure> {
        self.stretch("after_seq", self.after_seq.as_deref())
    }

    /// An agent's stretch, by `position`.
    pub(super) fn by_position(&self) -> Result<Stretch, Failure> {
        self.stretch("after_position", self.after_position.as_deref())
    }

    fn stretch(&self, after_name: &'static str, after: Option<&str>) -> Result<Stretch, Failure> {
        let mut fields = Fields::default();
        let limit = number(&mut fields, "limit", self.limit.as_deref(), 1).map(|limit| limit.min(Stretch::MAX_LIMIT));
        let after = number(&mut fields, after_name, after, 0);
        let before = number(&mut fields, "before_seq", self.before_seq.as_deref(), 0);
        let stretch = match (after, before) {
            (Some(_), Some(_)) => {
                fields.fault(after_name, format!("{after_name} and before_seq cannot be used together"));
                None
            }
            (Some(after), None) => Some(Stretch::After { after, limit: limit.unwrap_or(Stretch::MAX_LIMIT) }),
            (None, Some(before)) => Some(Stretch::Before { before, limit: limit.unwrap_or(Stretch::MAX_LIMIT) }),
            (None, None) => Some(Stretch::Last { limit: limit.unwrap_or(Stretch::ALL) }),
        };
        fields.finish(stretch)
    }
}

/// A whole number of at least `least`. Beyond what counts anything, the largest is as good.
pub(super) fn number(fields: &mut Fields, name: &'static str, value: Option<&str>, least: u32) -> Option<u32> {
    let value = value?;
    match value.parse::<u64>() {
        Ok(number) if number >= u64::from(least) => Some(u32::try_from(number).unwrap_or(u32::MAX)),
        _ => {
            fields.fault(name, format!("{name} must be a whole number of at least {least}"));
            None
        }
    }
}

/// A query string as a handler wants it; one that cannot be read, or names a value twice, is 400.
pub(super) type Query<T> = web::Query<T>;
