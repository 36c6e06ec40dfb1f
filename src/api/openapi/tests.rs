//! The document describes every endpoint completely.

use std::collections::BTreeSet;

use super::document;
use crate::api::endpoint_table::endpoints;
use crate::api_error::Code;

#[test]
fn every_route_is_described_with_its_method_and_nothing_else_is() {
    let document = document();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().expect("methods").keys().map(|method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    let served: BTreeSet<(String, String)> =
        endpoints().into_iter().map(|endpoint| (endpoint.path.to_owned(), endpoint.method.to_string())).collect();
    assert_eq!(described, served);
}

#[test]
fn every_code_is_described_but_those_that_belong_to_no_operation() {
    let document = document()["paths"].to_string();
    for code in Code::ALL {
        let belongs = ![Code::MethodNotAllowed, Code::ServerError].contains(&code);
        assert_eq!(document.contains(&format!("\"{}\"", code.as_str())), belongs, "{code:?}");
    }
}

#[test]
fn every_operation_has_its_own_id_and_describes_the_segments_of_its_path() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for operation in methods.as_object().expect("methods").values() {
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} twice");
            let segments: Vec<&str> =
                path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect();
            let described: Vec<&str> = operation["parameters"]
                .as_array()
                .expect("parameters")
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            assert_eq!(described, segments, "{path}");
        }
    }
}

#[test]
fn every_operation_describes_its_success() {
    for endpoint in endpoints() {
        assert!(endpoint.operation.response.is_some(), "{} {}", endpoint.method, endpoint.path);
    }
}
