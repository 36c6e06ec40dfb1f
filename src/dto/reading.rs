//! How far a conversation has been read (`additions.md`, 7).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::Validator;
use crate::domain::{ConversationId, Reading, ReadingSide};

/// The `seq` up to which each side has read; null for nothing.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct ReadUpToView {
    customer: Option<i64>,
    agent: Option<i64>,
}

impl ReadUpToView {
    pub(crate) fn new(reading: &Reading) -> Self {
        let mark = |side| Some(reading.of(side)).filter(|seq| *seq > 0);
        Self { customer: mark(ReadingSide::Customer), agent: mark(ReadingSide::Agent) }
    }
}

/// The answer to one side that has read.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ConversationRead {
    conversation_id: ConversationId,
    read_up_to: ReadUpToView,
    unread_count: i64,
}

impl ConversationRead {
    pub(crate) fn new(conversation_id: ConversationId, reading: &Reading, side: ReadingSide) -> Self {
        Self { conversation_id, read_up_to: ReadUpToView::new(reading), unread_count: reading.unread(side) }
    }
}

/// A `seq` or position that a client has read: an integer from 0. What is beyond the end is the end.
pub(crate) struct ReadNumber;

impl ReadNumber {
    pub(crate) fn validate(validator: &mut Validator, field: &'static str, number: Option<f64>) -> Option<i64> {
        match number {
            Some(number) if number >= 0.0 && number.fract() == 0.0 => Some(number as i64),
            _ => {
                validator.fail(field, format!("{field} must be a whole number from 0"));
                None
            }
        }
    }
}

impl JsonSchema for ReadNumber {
    fn schema_name() -> Cow<'static, str> {
        "ReadNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_an_integer_and_beyond_the_end_is_no_fault() {
        let read = |number| ReadNumber::validate(&mut Validator::default(), "up_to_seq", number);
        assert_eq!([Some(0.0), Some(7.0), Some(1e300)].map(read), [Some(0), Some(7), Some(i64::MAX)]);
        assert_eq!([None, Some(-1.0), Some(1.5), Some(f64::NAN)].map(read), [None; 4]);
    }
}
