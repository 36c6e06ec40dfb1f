use super::{Policy, check, is_allowed};

const ALLOWED: [&str; 3] = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];

#[test]
fn an_expression_needs_one_allowed_alternative_and_all_of_its_parts() {
    for allowed in [
        "MIT",
        "GPL-3.0 OR MIT",
        "GPL-3.0/MIT",
        "MIT AND ISC",
        "(GPL-3.0 OR MIT) AND ISC",
        "GPL-3.0 OR MIT AND ISC",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
    ] {
        assert!(is_allowed(allowed, &ALLOWED), "{allowed}");
    }
    for refused in ["", "GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "GPL-3.0 WITH LLVM-exception", "(MIT", "MIT ISC"] {
        assert!(!is_allowed(refused, &ALLOWED), "{refused}");
    }
}

#[test]
fn a_banned_crate_and_one_with_another_licence_are_found_once() {
    let policy = Policy::parse("# comment\nallow MIT\nban b: not needed\n").expect("rules");
    let tree = "a v1.0.0|MIT\n\nb v1.0.0|MIT\nc v1.0.0|GPL-3.0\nc v1.0.0|GPL-3.0 (*)\n";
    let messages: Vec<String> = check(tree, &policy).into_iter().map(|f| f.message).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[0], "b is banned: not needed");
    assert!(messages[1].starts_with("c has the licence \"GPL-3.0\""), "{messages:?}");
}

#[test]
fn a_ban_needs_a_reason() {
    assert!(Policy::parse("ban b").is_err());
    assert!(Policy::parse("deny b").is_err());
}
