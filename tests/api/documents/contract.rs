//! The examples of the contract match the documents, except for the fields that `decisions.md` adds ("Beyond the
//! contract").

use std::collections::BTreeSet;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};
use switchboard::realtime::asyncapi_document;

use crate::support::api_document::{DOCUMENT, validator};

const USER: &str = include_str!("../../contract/support-user.md");
const ADMIN: &str = include_str!("../../contract/support-admin.md");

/// A JSON example, with the headings above it.
struct Example {
    chapter: String,
    heading: String,
    value: Value,
}

/// Every block of JSON in a contract document, in order.
fn examples(text: &str) -> Vec<Example> {
    let (mut chapter, mut heading, mut found) = (String::new(), String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("### ") {
            chapter = title.to_owned();
        } else if let Some(title) = line.strip_prefix("#### ") {
            heading = title.to_owned();
        } else if line == "```json" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let value = serde_json::from_str(&block.join("\n")).unwrap();
            found.push(Example { chapter: chapter.clone(), heading: heading.clone(), value });
        }
    }
    found
}

/// The errors of a value, without those that additions to the contract explain: a field that only our answers have, and
/// ids, for which the contract writes `conv-uuid`.
fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    const ON_TOP: [&str; 5] = ["seq", "has_more", "created_at", "read_up_to", "unread_count"];
    let faults = validator.iter_errors(value).flat_map(|error| match error.kind() {
        // One of several schemas: the errors of the one that matches best.
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let least = context.iter().map(|errors| left(errors.iter())).min_by_key(Vec::len);
            least.unwrap_or_default()
        }
        _ => left(std::iter::once(&error)),
    });
    fn left<'a>(errors: impl Iterator<Item = &'a jsonschema::ValidationError<'a>>) -> Vec<String> {
        errors
            .filter(|error| match error.kind() {
                ValidationErrorKind::Required { property } => !ON_TOP.iter().any(|key| *property == json!(key)),
                ValidationErrorKind::Format { format } => format != "uuid",
                // If no schema of several matches, every property is unevaluated; the other errors explain why.
                ValidationErrorKind::UnevaluatedProperties { .. } => false,
                _ => true,
            })
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect()
    }
    faults.collect()
}

/// The JSON pointer of the schema that describes an example.
fn place(example: &Example) -> String {
    let (path, method, part) = match (example.chapter.as_str(), example.heading.as_str()) {
        ("1. Send Message (Start or Continue Chat)", "Payload") => ("chat/send", "post", "requestBody"),
        ("1. Send Message (Start or Continue Chat)", _) => ("chat/send", "post", "responses/201"),
        ("2. Send Message (Unauthenticated)", "Payload") => ("chat/send-unauthenticated", "post", "requestBody"),
        ("3. Get My Conversations", "Response") => ("conversations", "get", "responses/200"),
        ("4. Get Conversation Detail (Full Chat)", "Response") => ("conversations/{id}", "get", "responses/200"),
        ("5. Rate Conversation", "Payload") => ("conversations/{id}/rate", "post", "requestBody"),
        (chapter, heading) => panic!("an unknown example: {chapter}, {heading}"),
    };
    let path = format!("/api/v1/support/{path}").replace('/', "~1");
    format!("/paths/{path}/{method}/{part}/content/application~1json/schema")
}

#[test]
fn every_json_example_of_the_contract_fits_the_openapi_document() {
    let examples = examples(USER);
    assert_eq!(examples.len(), 7);
    for example in examples {
        let complaints = complaints(&validator(&DOCUMENT, &place(&example)), &example.value);
        assert!(complaints.is_empty(), "{}, {}: {complaints:#?}", example.chapter, example.heading);
    }
    // `support-admin.md` and `decisions.md` list fields without JSON; the tests of each endpoint compare those.
    for text in [ADMIN, include_str!("../../contract/decisions.md")] {
        assert!(!text.contains("```json"));
    }
}

#[test]
fn every_example_of_the_openapi_document_fits_its_own_schema() {
    let mut seen = 0;
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let at = format!("/paths/{}/{method}", path.replace('/', "~1"));
            let answers =
                operation["responses"].as_object().unwrap().keys().map(|status| format!("/responses/{status}"));
            for part in answers.chain(operation.get("requestBody").map(|_| "/requestBody".to_owned())) {
                let media = format!("{at}{part}/content/application~1json");
                let validator = validator(&DOCUMENT, &format!("{media}/schema"));
                let examples = DOCUMENT.pointer(&format!("{media}/examples")).and_then(Value::as_object);
                for (name, example) in examples.into_iter().flatten() {
                    let complaints: Vec<String> =
                        validator.iter_errors(&example["value"]).map(|error| error.to_string()).collect();
                    assert!(complaints.is_empty(), "{method} {path} {part} {name}: {complaints:#?}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 200, "only {seen} examples");
}

/// The rows of the table of events in `support-admin.md`: the events, their receivers, and the payload's description.
fn event_rows() -> Vec<(Vec<String>, String, String)> {
    let table = ADMIN.split("| event | to | payload |").nth(1).unwrap();
    let mut last = Vec::new();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|')).map(move |line| {
        let cells: Vec<&str> = line.trim_matches('|').splitn(3, " | ").map(str::trim).collect();
        let names: Vec<String> = cells[0].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        if !names.is_empty() {
            last = names;
        }
        (last.clone(), cells[1].to_owned(), cells[2].to_owned())
    });
    rows.collect()
}

/// The top-level keys of `{ a, b: "c", d {…}, e? }`.
fn keys(shape: &str) -> BTreeSet<String> {
    let (mut depth, mut flat) = (0, String::new());
    for letter in shape.chars() {
        match letter {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            _ if depth == 1 => flat.push(letter),
            _ => {}
        }
    }
    let key = |part: &str| part.split(':').next().unwrap().trim().trim_end_matches('?').trim().to_owned();
    flat.split(',').map(key).filter(|key| !key.is_empty()).collect()
}

/// The possible and the required keys of a payload, for each of its variants.
fn payload_keys(document: &Value, schema: &Value) -> Vec<(BTreeSet<String>, BTreeSet<String>)> {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let own = |key: &str| -> BTreeSet<String> {
        match &schema[key] {
            Value::Object(properties) => properties.keys().cloned().collect(),
            Value::Array(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
            _ => BTreeSet::new(),
        }
    };
    let (all, needed) = (own("properties"), own("required"));
    let choices = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    match choices {
        None => vec![(all, needed)],
        Some(choices) => choices
            .iter()
            .flat_map(|choice| payload_keys(document, choice))
            .map(|(more, more_needed)| (&all | &more, &needed | &more_needed))
            .collect(),
    }
}

#[test]
fn every_payload_has_exactly_the_keys_of_the_contracts_table() {
    let document = asyncapi_document();
    let mut seen = 0;
    for (events, to, description) in event_rows() {
        let shapes: Vec<&str> =
            description.split('`').skip(1).step_by(2).filter(|text| text.starts_with('{')).collect();
        for (index, shape) in shapes.iter().enumerate() {
            // `ticket_assigned`, `status_changed`: one shape each. Otherwise every event may have every shape.
            let pairwise = events.len() > 1 && shapes.len() == events.len();
            let chosen = if pairwise { &events[index..=index] } else { &events[..] };
            for event in chosen {
                let payload = &document["channels"]["support"]["messages"][format!("on.{event}")]["payload"];
                let possible = payload_keys(&document, payload);
                let keys = keys(shape);
                assert!(
                    possible.iter().any(|(all, needed)| keys.is_subset(all) && needed.is_subset(&keys)),
                    "{event} to {to}: {keys:?} is none of {possible:?}"
                );
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 21, "payloads");
}

/// The keys that the contract's JavaScript reads of an event: `data.message`.
#[test]
fn every_key_that_the_apps_read_is_in_the_payload() {
    let document = asyncapi_document();
    let mut seen = 0;
    for block in USER.split("socket.on('").skip(1) {
        let (event, code) = block.split_once('\'').unwrap();
        if ["connect", "disconnect", "connect_error"].contains(&event) {
            continue;
        }
        let payload = &document["channels"]["support"]["messages"][format!("on.{event}")]["payload"];
        let possible = payload_keys(&document, payload);
        let code = code.split("\n});").next().unwrap();
        for read in code.split("data.").skip(1) {
            let key: String = read.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            assert!(possible.iter().any(|(all, _)| all.contains(&key)), "{event}: data.{key}");
            seen += 1;
        }
    }
    assert!(seen > 25, "only {seen} keys");
}
