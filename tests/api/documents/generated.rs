//! The OpenAPI and the AsyncAPI document, in `docs/` and as served.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::assert_up_to_date;
use crate::support::api_document::DOCUMENT;
use crate::support::{ApiServer, Backend, ScratchDatabase, TestUser};

fn pretty(document: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(document).unwrap())
}

#[test]
fn the_openapi_document_in_docs_is_up_to_date() {
    assert_up_to_date("docs/openapi.json", &pretty(&DOCUMENT));
}

#[test]
fn the_asyncapi_document_in_docs_is_up_to_date() {
    assert_up_to_date("docs/asyncapi.json", &pretty(&switchboard::realtime::asyncapi_document()));
}

#[tokio::test]
async fn the_served_openapi_document_is_the_one_in_docs() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let answer = server.get(&TestUser::anonymous(), "/openapi.json").await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    assert_eq!(answer.body, *DOCUMENT);
}

#[tokio::test]
async fn each_path_of_the_document_accepts_exactly_its_methods() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "x").replace("{number}", "x");
        let mut known: BTreeSet<String> =
            methods.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        if known.contains("GET") {
            known.insert("HEAD".to_owned());
        }
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = server.request(method.clone(), &TestUser::anonymous(), &path).send(None).await;
            assert_eq!(answer.status != 405, known.contains(method.as_str()), "{method} {path}: {}", answer.status);
            if answer.status == 405 {
                let allowed = answer.headers["allow"].to_str().unwrap().split(", ").map(str::to_owned).collect();
                assert_eq!(known, allowed, "{path}");
            }
        }
    }
}

#[test]
fn the_asyncapi_document_has_exactly_the_events_of_the_source() {
    let document = switchboard::realtime::asyncapi_document();
    let channels = document["channels"].as_object().unwrap().values();
    let messages: Vec<(&String, &Value)> =
        channels.flat_map(|channel| channel["messages"].as_object().unwrap()).collect();
    let named = |prefix: &str| -> BTreeSet<String> {
        let of_prefix = messages.iter().filter(|(key, _)| key.starts_with(prefix));
        of_prefix.map(|(_, message)| message["name"].as_str().unwrap().to_owned()).collect()
    };
    let source = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/realtime")).concat();
    // Arguments may be on lines of their own.
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
    let named_after = |prefix: &str| -> BTreeSet<String> {
        source.split(prefix).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    // Everything is emitted by way of the table (`emitted_event.rs`), which the document is made from.
    assert_eq!(named_after(".emit(\""), BTreeSet::new());
    // The first argument of a description is the name, or a constant where it is needed twice.
    let constants = |prefix: &str| -> BTreeSet<String> {
        let names = source.split(prefix).skip(1).map(|rest| rest.split(',').next().unwrap());
        names
            .filter(|name| !name.contains('"'))
            .flat_map(|name| named_after(&format!("const {name}: &str = \"")))
            .collect()
    };
    let described = &named_after(" event(\"") | &named_after("EventDescription::new(\"");
    assert_eq!(named("emit."), &described | &constants("EventDescription::new("));
}

fn sources(folder: &Path) -> Vec<String> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![std::fs::read_to_string(&path).unwrap()] })
        .collect()
}
