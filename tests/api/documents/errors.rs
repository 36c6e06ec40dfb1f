//! `docs/ERRORS.md` is generated from the table of codes.

use std::fmt::Write as _;

use reqwest::StatusCode;
use switchboard::api_error::Code;

use super::assert_up_to_date;
use crate::support::api_document::DOCUMENT;

const HEAD: &str = "\
# Error codes

Generated from `src/api_error.rs`; a test compares (`UPDATE_DOCS=1 scripts/test rust documents` writes it).

REST answers `{ success: false, statusCode, error, message, code }` and, where fields break their rules, `details`. On
sockets an ack has `error: { code, message }`, and `connect_error` has `data.code`. `message` is one sentence for the
user; clients distinguish errors by `code`. \"Retry\" states whether the same request may be sent again unchanged, on REST
after `Retry-After`.

| code | status | retry | meaning | messages on REST |
|---|---|---|---|---|
";

/// The messages that the OpenAPI document has as examples of this code.
fn sentences(code: Code) -> Vec<String> {
    let mut found = Vec::new();
    let operations =
        DOCUMENT["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    for operation in operations {
        for answer in operation["responses"].as_object().unwrap().values() {
            let examples = answer["content"]["application/json"]["examples"].as_object();
            for example in examples.into_iter().flat_map(|examples| examples.values()) {
                let (body, sentence) = (&example["value"], &example["value"]["message"]);
                let sentence = sentence.as_str().unwrap().to_owned();
                if body["code"] == code.as_str() && !found.contains(&sentence) {
                    found.push(sentence);
                }
            }
        }
    }
    found.sort();
    found
}

/// The doc comment of each code, in order.
fn meanings() -> Vec<String> {
    let source = include_str!("../../../src/api_error.rs");
    let table = source.split("pub enum Code {").nth(1).unwrap().split("\n}").next().unwrap();
    table.lines().filter_map(|line| line.trim().strip_prefix("/// ")).map(str::to_owned).collect()
}

#[test]
fn the_table_of_errors_is_up_to_date() {
    let mut table = HEAD.to_owned();
    let meanings = meanings();
    assert_eq!(meanings.len(), Code::ALL.len(), "a line for each code");
    for (code, meaning) in Code::ALL.into_iter().zip(meanings) {
        let status = StatusCode::from_u16(code.status()).unwrap();
        let again = if code.is_retryable() { "yes" } else { "no" };
        let sentences = sentences(code).join("<br>");
        writeln!(table, "| `{}` | {status} | {again} | {meaning} | {sentences} |", code.as_str()).unwrap();
    }
    assert_up_to_date("docs/ERRORS.md", &table);
}
