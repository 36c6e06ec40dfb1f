//! `docs/CONTRACT.md` quotes the contract correctly and names existing tests.

use std::path::Path;

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// Words separated by single spaces: line breaks do not matter.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rows of the list: the contract document, the quote, and the tests.
fn rows() -> Vec<(String, String, Vec<String>)> {
    let mut document = String::new();
    let mut rows = Vec::new();
    for line in read("docs/CONTRACT.md").unwrap().lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut document);
        } else if let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) {
            let (quote, tests) = row.rsplit_once(" | ").unwrap();
            let tests = tests.split("<br>").map(|test| test.trim_matches('`').to_owned()).collect();
            rows.push((document.clone(), quote.replace("\\|", "|"), tests));
        }
    }
    rows.retain(|(_, quote, _)| quote != "sentence");
    rows
}

#[test]
fn every_quote_is_in_its_document() {
    let rows = rows();
    assert!(rows.len() > 150, "only {} rows", rows.len());
    let wrong: Vec<_> = rows
        .iter()
        .filter(|(document, quote, _)| {
            let text = flat(&read(&format!("tests/contract/{document}")).unwrap());
            let full = text.contains(&flat(quote));
            !full && !quote.split('…').all(|part| text.contains(&flat(part)))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_test_named_in_the_list_exists() {
    let mut wrong = Vec::new();
    for (_, quote, tests) in rows() {
        for test in tests {
            let exists = test.split_once("::").is_some_and(|(file, name)| {
                let path = if file.starts_with("src/") || file.starts_with("crates/") {
                    file.to_owned()
                } else {
                    format!("tests/{file}")
                };
                read(&path).is_some_and(|source| {
                    let spelled = [format!("fn {name}("), format!("('{name}'"), format!("(\"{name}\"")];
                    // A long name may begin on a line of its own.
                    let source = source.replace("(\n  '", "('");
                    spelled.iter().any(|spelled| source.contains(spelled))
                })
            });
            if !exists {
                wrong.push(format!("{test}, for {quote:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_chapter_of_the_contract_is_in_the_list() {
    for document in ["support-user.md", "support-admin.md", "decisions.md"] {
        let quotes: Vec<String> = rows().into_iter().filter(|row| row.0 == document).map(|row| flat(&row.1)).collect();
        let text = read(&format!("tests/contract/{document}")).unwrap();
        for chapter in text.split("\n## ").skip(1) {
            let title = chapter.lines().next().unwrap();
            // Chapters about the apps' screens, and about other documents.
            let others = ["Overview", "REST API Endpoints", "Mobile App Integration Guide", "Help center"];
            let chapter = flat(chapter);
            let has_quote =
                quotes.iter().any(|quote| quote.split('…').all(|part| chapter.contains(flat(part).as_str())));
            assert!(has_quote || others.contains(&title), "{document}: {title}");
        }
    }
}
