use crate::source_files::SourceFile;

use super::WordList;

const RULES: &str = "# a comment
told | announced |
put out | disconnect |
behind | after | behind a proxy; left behind
";

/// The subjects and lines of what is found in a Rust file.
fn found(text: &str) -> Vec<(String, usize)> {
    let file = SourceFile::new("a.rs", text.to_owned()).expect("a Rust file");
    let findings = WordList::parse(RULES).expect("rules").check(&file);
    findings.into_iter().map(|finding| (finding.subject, finding.line)).collect()
}

#[test]
fn a_word_is_found_in_prose_and_in_every_form_of_a_name() {
    let text = "// Told.\nlet told_at_once = 1;\nstruct ToldAtOnce;\nconst TOLD: u8 = 1;\nlet x = \"told\";";
    assert_eq!(found(text).iter().map(|(_, line)| *line).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_word_within_another_is_not_found() {
    assert!(found("// untold retold").is_empty());
}

#[test]
fn a_phrase_is_found_across_the_lines_of_a_comment_and_in_a_name() {
    assert_eq!(found("/// it is put\n/// out"), [("put out".to_owned(), 1)]);
    assert_eq!(found("fn put_out() {}"), [("put out".to_owned(), 1)]);
    assert!(found("// put, out").is_empty());
}

#[test]
fn a_word_is_allowed_within_its_reviewed_phrases() {
    assert!(found("// behind a proxy, or left\n// behind").is_empty());
    assert_eq!(found("// behind a commit"), [("behind".to_owned(), 1)]);
}

#[test]
fn a_line_without_a_suggestion_is_malformed() {
    assert!(WordList::parse("told").is_err());
}
