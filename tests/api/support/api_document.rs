//! Checks every answer that a test receives against the OpenAPI document.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(switchboard::api::openapi_document);

/// Validators by the JSON pointer of their schema: compiling one costs more than using it.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);

/// The errors of `value` under the schema at this JSON pointer.
pub(crate) fn complaints(pointer: &str, value: &Value) -> Vec<String> {
    let mut validators = VALIDATORS.lock().unwrap();
    let validator = validators.entry(pointer.to_owned()).or_insert_with(|| validator(&DOCUMENT, pointer));
    validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

/// A validator for the schema at a JSON pointer of an OpenAPI or AsyncAPI document.
pub(crate) fn validator(document: &Value, pointer: &str) -> Validator {
    let schema = document.pointer(pointer).unwrap_or_else(|| panic!("the document has no {pointer}"));
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": document["components"],
    });
    jsonschema::options().should_validate_formats(true).build(&root).unwrap()
}

/// The document's path that matches this one: the one with the fewest parameters.
pub(crate) fn template(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split('/').collect();
    let paths = DOCUMENT["paths"].as_object().unwrap().keys();
    let fits = |template: &&String| {
        let wanted: Vec<&str> = template.split('/').collect();
        wanted.len() == parts.len()
            && wanted
                .iter()
                .zip(&parts)
                .all(|(wanted, part)| wanted == part || (wanted.starts_with('{') && !part.is_empty()))
    };
    paths.filter(fits).min_by_key(|template| template.matches('{').count()).map(String::as_str)
}

/// Panics if the document does not allow this answer.
pub(crate) fn check(method: &Method, path: &str, status: StatusCode, body: &Value) {
    let described = template(path);
    if path.starts_with("/socket.io")
        || path == "/openapi.json"
        || path.starts_with("/docs")
        || *method == Method::OPTIONS
    {
        return;
    }
    let is_head = *method == Method::HEAD;
    let verb = if is_head { "get".to_owned() } else { method.as_str().to_lowercase() };
    let operation = described.and_then(|template| DOCUMENT["paths"][template].get(&verb));
    let pointer = match (described, operation) {
        (Some(template), Some(operation)) if operation["responses"].get(status.as_str()).is_some() => format!(
            "/paths/{}/{verb}/responses/{}/content/application~1json/schema",
            template.replace('~', "~0").replace('/', "~1"),
            status.as_str()
        ),
        // What the document states for all operations.
        (_, Some(_)) => {
            assert!(
                status == 413 || status == 500,
                "{method} {path} was answered {status}, which is not documented: {body}"
            );
            "/components/schemas/Error".to_owned()
        }
        (Some(_), None) => {
            assert_eq!(status, 405, "{method} {path}: {body}");
            "/components/schemas/Error".to_owned()
        }
        (None, None) => {
            assert_eq!(status, 404, "{method} {path}: {body}");
            "/components/schemas/Error".to_owned()
        }
    };
    if !is_head {
        let complaints = complaints(&pointer, body);
        assert!(complaints.is_empty(), "{method} {path} was answered {status}, but {complaints:#?}\nin {body:#}");
    }
}
