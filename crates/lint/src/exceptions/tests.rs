use crate::finding::{Finding, Rule};

use super::Exceptions;

fn finding(path: &str, subject: &str) -> Finding {
    Finding { path: path.to_owned(), line: 1, rule: Rule::Word, subject: subject.to_owned(), message: String::new() }
}

#[test]
fn an_exception_covers_its_rule_path_and_subject() {
    let mut exceptions = Exceptions::parse("word | a.rs | told | a reason\n* | b/ | * | a reason\n").expect("rules");
    assert!(exceptions.excuse(&finding("a.rs", "told")));
    assert!(!exceptions.excuse(&finding("a.rs", "anew")));
    assert!(!exceptions.excuse(&finding("c.rs", "told")));
    assert!(exceptions.excuse(&finding("b/c.rs", "anew")));
    assert_eq!(exceptions.unused().count(), 0);
}

#[test]
fn an_exception_that_excuses_nothing_is_a_finding() {
    let exceptions = Exceptions::parse("\n# comment\nword | a.rs | told | a reason\n").expect("rules");
    assert_eq!(exceptions.unused().map(|finding| finding.line).collect::<Vec<_>>(), [3]);
}

#[test]
fn an_exception_needs_a_reason() {
    assert!(Exceptions::parse("word | a.rs | told |").is_err());
    assert!(Exceptions::parse("word | a.rs | told").is_err());
}
