//! The shapes of what clients send and are sent, as JSON Schema, for the OpenAPI and the AsyncAPI document.
//!
//! They are made from the very structs that are read and written, so that a document cannot say what the program does
//! not do. What a struct leaves open, because it is checked behind reading, is said here value by value.

#![expect(
    clippy::indexing_slicing,
    reason = "by key into JSON objects made here: one that is read gives null, one that is written is put in"
)]

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::api_error::Code;
use crate::domain::{
    Channel, ClientMessageId, ConversationId, Description, EmailAddress, EventId, Feedback, HandoverId, MessageText,
    PhoneNumber, Rating, Reason, Reference, Resolution, ResolutionNotes, Status, Subject, SupportType, TicketId,
    TicketPriority, TicketStatus, UserId,
};
use crate::timestamp::IsoTimestamp;

/// Collects the shapes that a document names.
pub(crate) struct Schemas {
    sent: SchemaGenerator,
    received: SchemaGenerator,
}

impl Schemas {
    /// An empty collection; references go to `#/components/schemas/`.
    pub(crate) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            sent: settings.clone().for_serialize().into_generator(),
            received: settings.for_deserialize().into_generator(),
        }
    }

    /// The shape of what the server writes.
    pub(crate) fn sent<T: JsonSchema>(&mut self) -> Value {
        self.sent.subschema_for::<T>().to_value()
    }

    /// The shape of what it reads.
    pub(crate) fn received<T: JsonSchema>(&mut self) -> Value {
        self.received.subschema_for::<T>().to_value()
    }

    /// The keys of a query string, with the shape of each and whether it must be there.
    pub(crate) fn keys<T: JsonSchema>(&mut self) -> Vec<(String, Value, bool)> {
        let schema = T::json_schema(&mut self.received).to_value();
        let required = |key: &str| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|one| one == key));
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties.map(|(key, shape)| (key.clone(), without_null(shape), required(key))).collect()
    }

    /// Everything that was named. Of what the server writes nothing may be there that is not named.
    pub(crate) fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.sent.take_definitions(true);
        for schema in all.values_mut().filter_map(Value::as_object_mut) {
            let choices = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array).cloned();
            let is_object = |schema: &Value| schema.get("properties").is_some();
            if schema.contains_key("properties") || choices.is_some_and(|choices| choices.iter().any(is_object)) {
                schema.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
        }
        for (name, schema) in self.received.take_definitions(true) {
            all.entry(name).or_insert(schema);
        }
        all
    }
}

/// A key of a query string is there or not; it is never null.
fn without_null(shape: &Value) -> Value {
    match shape["anyOf"].as_array() {
        Some(shapes) => {
            shapes.iter().find(|shape| **shape != json!({ "type": "null" })).cloned().unwrap_or_else(|| shape.clone())
        }
        None => {
            let mut shape = shape.clone();
            if let Some(kinds) = shape.get_mut("type").and_then(Value::as_array_mut) {
                kinds.retain(|kind| kind != "null");
                if let [kind] = kinds.as_slice() {
                    shape["type"] = kind.clone();
                }
            }
            shape
        }
    }
}

macro_rules! shapes {
    ($($type:ty, $name:literal, $schema:tt;)+) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

/// Some character in it that is neither white space nor U+0000, and no U+0000.
const SOME_TEXT: &str = r"^[^\x00]*[^\s\x00][^\x00]*$";

shapes! {
    IsoTimestamp, "Moment", {
        "description": "ISO 8601, UTC, with milliseconds and Z",
        "type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        "examples": ["2026-02-25T10:30:00.000Z"],
    };
    ConversationId, "ConversationId", { "type": "string", "format": "uuid" };
    EventId, "EventId", { "type": "string", "format": "uuid" };
    HandoverId, "HandoverId", { "type": "string", "format": "uuid" };
    TicketId, "TicketId", { "type": "string", "format": "uuid" };
    UserId, "UserId", {
        "description": "An account, as a token's `sub` names it",
        "type": "string", "minLength": 1, "maxLength": UserId::MAX_LENGTH, "pattern": r"^[^\x00]*$",
    };
    MessageText, "MessageText", {
        "description": "Length counts Unicode scalar values, without the white space around the text",
        "type": "string", "minLength": 1, "maxLength": MessageText::MAX_LENGTH, "pattern": SOME_TEXT,
    };
    Subject, "Subject", { "type": "string", "minLength": 1, "maxLength": Subject::MAX_LENGTH, "pattern": SOME_TEXT };
    Description, "Description", {
        "type": "string", "minLength": 1, "maxLength": Description::MAX_LENGTH, "pattern": SOME_TEXT,
    };
    Feedback, "Feedback", { "type": "string", "maxLength": Feedback::MAX_LENGTH, "pattern": r"^[^\x00]*$" };
    Reason, "Reason", { "type": "string", "maxLength": Reason::MAX_LENGTH, "pattern": r"^[^\x00]*$" };
    Reference, "Reference", { "type": "string", "maxLength": Reference::MAX_LENGTH, "pattern": r"^[^\x00]*$" };
    ResolutionNotes, "ResolutionNotes", {
        "type": "string", "maxLength": ResolutionNotes::MAX_LENGTH, "pattern": r"^[^\x00]*$",
    };
    ClientMessageId, "ClientMessageId", {
        "description": "The client's own name for a send, which repeated happens once; a guest's has at least 16 characters",
        "type": "string", "minLength": 1, "maxLength": ClientMessageId::MAX_LENGTH, "pattern": SOME_TEXT,
    };
    EmailAddress, "EmailAddress", {
        "type": "string", "maxLength": EmailAddress::MAX_LENGTH, "pattern": r"^\s*[^\s@\x00]+@[^\s@\x00]+\s*$",
        "examples": ["john@example.com"],
    };
    PhoneNumber, "PhoneNumber", {
        "type": "string", "minLength": 1, "maxLength": PhoneNumber::MAX_LENGTH, "pattern": SOME_TEXT,
    };
    Rating, "Rating", { "description": "Stars", "type": "integer", "minimum": 1, "maximum": 5 };
    Search, "Search", { "type": "string", "maxLength": 200, "pattern": r"^[^\x00]*$" };
    TicketNumber, "TicketNumber", { "type": "string", "minLength": 1, "pattern": r"\S", "examples": ["SMI-2026-001234"] };
    HelpCenterText, "HelpCenterText", {
        "description": "Length counts Unicode scalar values, without the white space around the text",
        "type": "string", "minLength": 1, "maxLength": MessageText::MAX_LENGTH_IN_HELP_CENTER, "pattern": SOME_TEXT,
    };
    Before, "Before", { "description": "A message's `seq` or id", "type": "string", "pattern": r"^(\d{1,10}|[0-9a-fA-F-]{36})$" };
    Date, "Date", {
        "description": "ISO 8601: a day, or a moment, in UTC where it does not say",
        "type": "string", "pattern": r"^\d{4}-\d\d-\d\d(T.+)?$", "examples": ["2026-02-25", "2026-02-25T10:30:00Z"],
    };
    Number, "Number", { "type": "integer", "minimum": 0, "maximum": u64::MAX };
    Count, "Count", { "type": "integer", "minimum": 1, "maximum": u64::MAX };
}

/// What is searched for; an empty text is no search.
pub(crate) enum Search {}
/// A ticket's number, as people spell it.
pub(crate) enum TicketNumber {}
/// What a customer writes in the help center.
pub(crate) enum HelpCenterText {}
/// In front of which message.
pub(crate) enum Before {}
/// Whether the help center's conversation is open.
pub(crate) enum HelpCenterStatus {}
/// Who wrote in it.
pub(crate) enum HelpCenterSender {}
/// A day or a moment in a query string.
pub(crate) enum Date {}
/// A whole number from 0.
pub(crate) enum Number {}
/// A whole number from 1.
pub(crate) enum Count {}
/// How far a handover is.
pub(crate) enum HandoverStatus {}
/// What an event of the timeline is.
pub(crate) enum TimelineType {}
/// What the queue can be sorted by.
pub(crate) enum QueueSort {}
/// What the list of tickets can be sorted by.
pub(crate) enum TicketSortKey {}
/// Which end comes first.
pub(crate) enum SortOrder {}
/// A yes or no in a query string.
pub(crate) enum TrueOrFalse {}

/// A value that is one of a few words.
pub(crate) trait Words {
    /// What it is called in the documents.
    const NAME: &'static str;

    /// All of them.
    fn words() -> Vec<&'static str>;
}

macro_rules! words {
    ($($type:ty, $name:literal, $words:expr;)+) => {$(
        impl Words for $type {
            const NAME: &'static str = $name;

            fn words() -> Vec<&'static str> {
                $words
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                Self::NAME.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": Self::words() })
            }
        }
    )+};
}

words! {
    Status, "ConversationStatus", Self::ALL.iter().map(|one| one.as_str()).collect();
    TicketStatus, "TicketStatus", Self::ALL.iter().map(|one| one.as_str()).collect();
    TicketPriority, "TicketPriority", Self::ALL.iter().map(|one| one.as_str()).collect();
    SupportType, "SupportType", Self::ALL.iter().map(|one| one.as_str()).collect();
    Channel, "Channel", vec![Self::Support.as_str(), Self::HelpCenter.as_str()];
    Resolution, "HandoverResolution", vec![Self::Accepted.as_str(), Self::Rejected.as_str()];
    Code, "ErrorCode", Self::ALL.iter().map(|one| one.as_str()).collect();
    HelpCenterStatus, "HelpCenterStatus", vec!["open", "closed"];
    HelpCenterSender, "HelpCenterSender", vec!["user", "support"];
    HandoverStatus, "HandoverStatus", vec!["pending", "accepted", "rejected"];
    TimelineType, "TimelineType", vec![
        "created", "message", "note", "claimed", "handover_requested", "handover_accepted", "handover_rejected",
        "ticket_created", "ticket_status_changed", "ticket_assigned", "ticket_priority_changed", "ticket_rated", "closed",
        "reopened", "rated",
    ];
    QueueSort, "QueueSort", vec!["createdAt", "updatedAt", "last_message_at", "status"];
    TicketSortKey, "TicketSort", vec!["createdAt", "updatedAt", "priority", "status", "support_type"];
    SortOrder, "SortOrder", vec!["asc", "desc"];
    TrueOrFalse, "TrueOrFalse", vec!["true", "false"];
}

/// How many there are of each word, zero included.
pub(crate) struct CountsOf<T>(PhantomData<T>);

impl<T: Words> JsonSchema for CountsOf<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("CountsOf{}", T::NAME).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let counts: Map<String, Value> =
            T::words().into_iter().map(|word| (word.to_owned(), json!({ "type": "integer", "minimum": 0 }))).collect();
        json_schema!({ "type": "object", "properties": counts, "required": T::words() })
    }
}
