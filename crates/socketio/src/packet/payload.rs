//! The JSON array of an event or an acknowledgement, kept as received text until it is needed.
//!
//! Parsed JSON can take a hundred times the memory of its text, so nothing is parsed while attachments are missing or the
//! event waits for its handler. What parsing will cost is known from the text ([`Shape`]).

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::shape::Shape;
use super::{DecodeError, RESERVED_EVENTS, parse};
use crate::arguments::Arguments;
use crate::config::SocketIoConfig;

/// Attachments up to this size are copied, so that they do not keep a larger buffer that they are a slice of.
const COPIED_ATTACHMENT: usize = 16 * 1024;

/// An array of JSON as text, with its attachments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Payload {
    /// Its own allocation: a slice would keep the message that it arrived in, and a polling body has many.
    json: Box<str>,
    /// What parsing the text will cost.
    shape: Shape,
    attachments: Vec<Bytes>,
    is_binary: bool,
}

/// An event whose text has been parsed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParsedEvent {
    pub(crate) name: String,
    pub(crate) arguments: Arguments,
    /// The arguments are too deep, or would take too much memory, and are empty.
    pub(crate) is_refused: bool,
}

impl Payload {
    /// # Errors
    /// [`DecodeError::Payload`] if the text is obviously no array.
    pub(super) fn new(json: &str, is_binary: bool) -> Result<Self, DecodeError> {
        if !json.starts_with('[') {
            return Err(DecodeError::Payload);
        }
        Ok(Self { json: json.into(), shape: Shape::of(json), attachments: Vec::new(), is_binary })
    }

    /// Checks an event or acknowledgement whose attachments have yet to arrive, if that takes no more memory than it may.
    /// What is parsed for this is not kept.
    ///
    /// # Errors
    /// [`DecodeError`] if a placeholder refers to an attachment that was not announced, or the text is no JSON.
    pub(super) fn check_placeholders(&self, announced: usize, depth: usize, memory: usize) -> Result<(), DecodeError> {
        if !self.shape.fits(depth, memory) {
            return Ok(());
        }
        let values: Vec<Value> = parse(&self.json)?;
        let fit = values.iter().all(|value| placeholders_fit(value, announced));
        fit.then_some(()).ok_or(DecodeError::Attachments)
    }

    pub(super) fn push_attachment(&mut self, bytes: Bytes) {
        let bytes = if bytes.len() <= COPIED_ATTACHMENT { Bytes::copy_from_slice(&bytes) } else { bytes };
        self.attachments.push(bytes);
    }

    /// A bound for the memory of the parsed arguments without their attachments, in bytes; 0 if they will be refused.
    pub(crate) fn parsed_bytes(&self, config: &SocketIoConfig) -> usize {
        if self.shape.fits(config.max_json_depth, config.max_parsed_bytes) { self.shape.memory() } else { 0 }
    }

    pub(super) fn attachment_count(&self) -> usize {
        self.attachments.len()
    }

    /// Parses an event.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not a valid event.
    pub(crate) fn into_event(self, config: &SocketIoConfig) -> Result<ParsedEvent, DecodeError> {
        if !self.shape.fits(config.max_json_depth, config.max_parsed_bytes) {
            let EventName(name) = parse(&self.json)?;
            return Ok(ParsedEvent { name: event_name(name)?, arguments: Arguments::default(), is_refused: true });
        }
        let mut values: Vec<Value> = parse(&self.json)?;
        if values.is_empty() {
            return Err(DecodeError::Payload);
        }
        let name = event_name(values.remove(0))?;
        Ok(ParsedEvent { name, arguments: self.with_attachments(values)?, is_refused: false })
    }

    /// Parses the arguments of an acknowledgement. `None` if they are too deep, or would take too much memory.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not a valid one.
    pub(crate) fn into_arguments(self, config: &SocketIoConfig) -> Result<Option<Arguments>, DecodeError> {
        if !self.shape.fits(config.max_json_depth, config.max_parsed_bytes) {
            let _: IgnoredAny = parse(&self.json)?;
            return Ok(None);
        }
        let values = parse(&self.json)?;
        self.with_attachments(values).map(Some)
    }

    fn with_attachments(self, values: Vec<Value>) -> Result<Arguments, DecodeError> {
        if self.is_binary && !values.iter().all(|value| placeholders_fit(value, self.attachments.len())) {
            return Err(DecodeError::Attachments);
        }
        Ok(Arguments { values, attachments: self.attachments })
    }
}

fn event_name(value: Value) -> Result<String, DecodeError> {
    match value {
        Value::String(name) if !RESERVED_EVENTS.contains(&name.as_str()) => Ok(name),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(DecodeError::Payload),
    }
}

/// The first element of an array. The others are checked to be JSON, and not kept.
struct EventName(Value);

impl<'de> Deserialize<'de> for EventName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;

        impl<'de> Visitor<'de> for First {
            type Value = EventName;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array that begins with a string or a number")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<EventName, A::Error> {
                let name = match elements.next_element()? {
                    Some(Name::Text(text)) => Value::String(text),
                    Some(Name::Number(number)) => Value::Number(number),
                    None => return Err(serde::de::Error::invalid_length(0, &self)),
                };
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(EventName(name))
            }
        }

        deserializer.deserialize_seq(First)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(serde_json::Number),
}

/// Whether every placeholder refers to an announced attachment. The recursion is bounded, because the depth of the value
/// was checked before it was parsed.
fn placeholders_fit(value: &Value, attachments: usize) -> bool {
    match value {
        Value::Array(values) => values.iter().all(|value| placeholders_fit(value, attachments)),
        Value::Object(object) if object.get("_placeholder") == Some(&Value::Bool(true)) => {
            object.get("num").and_then(Value::as_u64).is_some_and(|number| number < attachments as u64)
        }
        Value::Object(object) => object.values().all(|value| placeholders_fit(value, attachments)),
        _ => true,
    }
}
