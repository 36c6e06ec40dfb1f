use super::tokens;

fn texts(source: &str) -> Vec<String> {
    tokens(source).into_iter().map(|token| token.text).collect()
}

#[test]
fn comments_and_literals_are_dropped() {
    let source = "a /* b /* c */ d */ e // f\n\"g \\\" h\" r#\"i \" j\"# b\"k\" b'l' 'm' '\\'' '\\u{6e}' 1_000u8 n";
    assert_eq!(texts(source), ["a", "e", "n"]);
}

#[test]
fn a_lifetime_is_no_character() {
    assert_eq!(texts("fn f<'a>(x: &'a str) {}"), ["fn", "f", "<", ">", "(", "x", ":", "&", "str", ")", "{", "}"]);
}

#[test]
fn a_path_separator_is_one_token() {
    assert_eq!(texts("a::b:c"), ["a", "::", "b", ":", "c"]);
}

#[test]
fn lines_are_counted_through_strings_and_comments() {
    let lines: Vec<usize> = tokens("a\n\"x\ny\" b /* \n */ c").iter().map(|token| token.line).collect();
    assert_eq!(lines, [1, 3, 4]);
}
