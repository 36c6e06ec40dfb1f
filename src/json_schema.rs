//! JSON Schemas for the OpenAPI and the AsyncAPI document.
//!
//! They are derived from the structs that the program deserializes and serializes, so that a document cannot deviate
//! from the program. Constraints that validation checks after deserialization are defined here, type by type.

#![expect(
    clippy::indexing_slicing,
    reason = "by key into JSON objects made here: reading an absent key gives null, writing one inserts it"
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

/// Collects the schemas that a document refers to.
pub(crate) struct Schemas {
    serialized: SchemaGenerator,
    deserialized: SchemaGenerator,
}

/// Adds a type to the schemas of a document, and returns its schema or the reference to it.
pub(crate) type SchemaFn = fn(&mut Schemas) -> Value;

/// A key of a query string.
pub(crate) struct QueryKey {
    pub(crate) name: String,
    pub(crate) schema: Value,
    pub(crate) is_required: bool,
}

impl Schemas {
    /// An empty collection; references go to `#/components/schemas/`.
    pub(crate) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            serialized: settings.clone().for_serialize().into_generator(),
            deserialized: settings.for_deserialize().into_generator(),
        }
    }

    /// The schema of a type that the server serializes.
    pub(crate) fn serialized<T: JsonSchema>(&mut self) -> Value {
        self.serialized.subschema_for::<T>().to_value()
    }

    /// The schema of a type that the server deserializes.
    pub(crate) fn deserialized<T: JsonSchema>(&mut self) -> Value {
        self.deserialized.subschema_for::<T>().to_value()
    }

    /// The keys of a query string.
    pub(crate) fn query_keys<T: JsonSchema>(&mut self) -> Vec<QueryKey> {
        let schema = T::json_schema(&mut self.deserialized).to_value();
        let required = |key: &str| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|one| one == key));
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties
            .map(|(key, schema)| QueryKey {
                name: key.clone(),
                schema: without_null(schema),
                is_required: required(key),
            })
            .collect()
    }

    /// All schemas. Those of serialized types permit no other property.
    pub(crate) fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.serialized.take_definitions(true);
        for schema in all.values_mut().filter_map(Value::as_object_mut) {
            let choices = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array).cloned();
            let is_object = |schema: &Value| schema.get("properties").is_some();
            if schema.contains_key("properties") || choices.is_some_and(|choices| choices.iter().any(is_object)) {
                schema.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
        }
        for (name, schema) in self.deserialized.take_definitions(true) {
            all.entry(name).or_insert(schema);
        }
        all
    }
}

/// A key of a query string is present or absent, never null.
fn without_null(schema: &Value) -> Value {
    match schema["anyOf"].as_array() {
        Some(choices) => choices
            .iter()
            .find(|choice| **choice != json!({ "type": "null" }))
            .cloned()
            .unwrap_or_else(|| schema.clone()),
        None => {
            let mut schema = schema.clone();
            if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
                kinds.retain(|kind| kind != "null");
                if let [kind] = kinds.as_slice() {
                    schema["type"] = kind.clone();
                }
            }
            schema
        }
    }
}

macro_rules! schemas {
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

/// Contains a character other than white space.
const NON_BLANK: &str = r"\S";

schemas! {
    IsoTimestamp, "Timestamp", {
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
        "type": "string", "minLength": 1, "maxLength": MessageText::MAX_LENGTH, "pattern": NON_BLANK,
    };
    Subject, "Subject", { "type": "string", "minLength": 1, "maxLength": Subject::MAX_LENGTH, "pattern": NON_BLANK };
    Description, "Description", {
        "type": "string", "minLength": 1, "maxLength": Description::MAX_LENGTH, "pattern": NON_BLANK,
    };
    Feedback, "Feedback", { "type": "string", "maxLength": Feedback::MAX_LENGTH };
    Reason, "Reason", { "type": "string", "maxLength": Reason::MAX_LENGTH };
    Reference, "Reference", { "type": "string", "maxLength": Reference::MAX_LENGTH };
    ResolutionNotes, "ResolutionNotes", { "type": "string", "maxLength": ResolutionNotes::MAX_LENGTH };
    ClientMessageId, "ClientMessageId", {
        "description": "The client's idempotency key: a repeated send with the same key is executed once; a guest's has at least 16 characters",
        "type": "string", "minLength": 1, "maxLength": ClientMessageId::MAX_LENGTH, "pattern": NON_BLANK,
    };
    EmailAddress, "EmailAddress", {
        "type": "string", "maxLength": EmailAddress::MAX_LENGTH, "pattern": r"^\s*(?![mM][aA][iI][lL][tT][oO]:)[0-9A-Za-z][^\s@<>,;\x00-\x1f\x7f-\x9f]*@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*\s*$",
        "examples": ["john@example.com"],
    };
    PhoneNumber, "PhoneNumber", {
        "type": "string", "minLength": 1, "maxLength": PhoneNumber::MAX_LENGTH, "pattern": NON_BLANK,
    };
    Rating, "Rating", { "description": "Stars", "type": "integer", "minimum": 1, "maximum": 5 };
    Search, "Search", { "type": "string", "maxLength": 200, "pattern": r"^[^\x00]*$" };
    AnyTicketNumber, "TicketNumber", { "type": "string", "minLength": 1, "pattern": r"\S", "examples": ["SMI-2026-001234"] };
    HelpCenterText, "HelpCenterText", {
        "description": "Length counts Unicode scalar values, without the white space around the text",
        "type": "string", "minLength": 1, "maxLength": MessageText::MAX_LENGTH_IN_HELP_CENTER, "pattern": NON_BLANK,
    };
    Before, "Before", { "description": "A message's `seq` or id", "type": "string", "pattern": r"^(\d{1,10}|[0-9a-fA-F-]{36})$" };
    AssigneeFilter, "AssigneeFilter", {
        "description": "An account, `me` for the caller, or `unassigned`",
        "type": "string", "minLength": 1, "maxLength": UserId::MAX_LENGTH, "pattern": r"^[^\x00]*$",
    };
    Date, "Date", {
        "description": "ISO 8601: a day or a timestamp, in UTC unless it has an offset",
        "type": "string", "pattern": r"^\d{4}-\d\d-\d\d(T.+)?$", "examples": ["2026-02-25", "2026-02-25T10:30:00Z"],
    };
    Number, "Number", { "type": "integer", "minimum": 0, "maximum": u64::MAX };
    Count, "Count", { "type": "integer", "minimum": 1, "maximum": u64::MAX };
}

/// A search term; an empty one is no search.
pub(crate) enum Search {}
/// A ticket's number, as a client spells it.
pub(crate) enum AnyTicketNumber {}
/// The text of a customer's message in the help center.
pub(crate) enum HelpCenterText {}
/// The message that a page ends before.
pub(crate) enum Before {}
/// Whether the help center's conversation is open.
pub(crate) enum HelpCenterStatus {}
/// The author of a message in the help center.
pub(crate) enum HelpCenterSender {}
/// The assignee of a list's entries in a query string.
pub(crate) enum AssigneeFilter {}
/// A day or a timestamp in a query string.
pub(crate) enum Date {}
/// A whole number from 0.
pub(crate) enum Number {}
/// A whole number from 1.
pub(crate) enum Count {}
/// A handover's status.
pub(crate) enum HandoverStatus {}
/// Why a handover was not accepted.
pub(crate) enum HandoverRejection {}
/// The side of a pending handover that the caller is on.
pub(crate) enum HandoverSide {}
/// The type of a timeline's event.
pub(crate) enum TimelineType {}
/// The sort keys of the queue.
pub(crate) enum QueueSort {}
/// The sort keys of the list of tickets.
pub(crate) enum TicketSortKey {}
/// Ascending or descending.
pub(crate) enum SortOrder {}
/// A boolean in a query string.
pub(crate) enum TrueOrFalse {}

/// A type whose values are words, an enum in JSON Schema.
pub(crate) trait Words {
    /// The schema's name.
    const NAME: &'static str;

    /// All values.
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
    HandoverSide, "HandoverSide", vec!["to_me", "from_me"];
    HandoverRejection, "HandoverRejection", vec!["declined", "withdrawn", "expired", "closed", "superseded"];
    TimelineType, "TimelineType", vec![
        "created", "message", "note", "claimed", "released", "taken_over", "assigned", "handover_requested",
        "handover_accepted", "handover_rejected", "handover_withdrawn", "handover_expired",
        "ticket_created", "ticket_status_changed", "ticket_assigned", "ticket_priority_changed", "ticket_rated", "closed",
        "reopened", "rated", "moved_to_account",
    ];
    QueueSort, "QueueSort", vec!["createdAt", "updatedAt", "last_message_at", "status"];
    TicketSortKey, "TicketSort", vec!["createdAt", "updatedAt", "priority", "status", "support_type"];
    SortOrder, "SortOrder", vec!["asc", "desc"];
    TrueOrFalse, "TrueOrFalse", vec!["true", "false"];
}

/// One or several words of a query string, separated by commas; `open` stands for several of them.
pub(crate) struct SomeOf<T>(PhantomData<T>);

impl<T: Words> JsonSchema for SomeOf<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("SomeOf{}", T::NAME).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let word = format!("(open|{})", T::words().join("|"));
        json_schema!({
            "description": "One or several, separated by commas; `open` is all that the analytics count as open",
            "type": "string", "pattern": format!("^{word}(,{word})*$"),
        })
    }
}

/// An object with a count per word, including zeros.
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
