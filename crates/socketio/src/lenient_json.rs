//! JSON as JavaScript writes it.
//!
//! A JavaScript string is a sequence of UTF-16 code units, and `JSON.stringify` writes a unit that is half of a pair, as
//! half an emoji is, as an escape such as `\ud83d`. It stands for no character, so JSON parsers of most languages refuse
//! the text.

use std::borrow::Cow;

/// Replaces escapes of unpaired surrogates in a JSON text by that of U+FFFD (`\ufffd`), and leaves everything else as it
/// is, whether it is JSON or not. Costs one search where there is no escape of a code unit.
///
/// ```
/// use actix_socketio::lenient_json;
///
/// assert_eq!(lenient_json(r#"["cut \ud83d", "paired \ud83d\ude00"]"#), r#"["cut \ufffd", "paired \ud83d\ude00"]"#);
/// ```
#[must_use]
pub fn lenient_json(text: &str) -> Cow<'_, str> {
    const REPLACEMENT: &str = "\\ufffd";
    let mut replaced: Option<String> = None;
    let (mut copied, mut from) = (0, 0);
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    while let Some(found) = text.get(from..).and_then(|rest| rest.find('\\')) {
        let at = from + found;
        let Some(unit) = escaped_unit(text, at) else {
            // Another escape, of one character; a backslash before `u` among them.
            from = at + 1 + text[at + 1..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let is_pair = (0xd800..0xdc00).contains(&unit)
            && escaped_unit(text, at + 6).is_some_and(|low| (0xdc00..0xe000).contains(&low));
        from = at + if is_pair { 12 } else { 6 };
        if !is_pair && (0xd800..0xe000).contains(&unit) {
            let replaced = replaced.get_or_insert_with(|| String::with_capacity(text.len()));
            replaced.push_str(&text[copied..at]);
            replaced.push_str(REPLACEMENT);
            copied = from;
        }
    }
    match replaced {
        Some(mut replaced) => {
            replaced.push_str(&text[copied..]);
            Cow::Owned(replaced)
        }
        None => Cow::Borrowed(text),
    }
}

/// The code unit of an escape `\uXXXX` at a position.
fn escaped_unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `JSON.stringify` of a string, with every unit escaped that may be.
    fn stringify(units: &[u16], escapes_all: bool) -> String {
        let mut json = String::from("\"");
        for decoded in char::decode_utf16(units.iter().copied()) {
            match decoded {
                Ok('"') => json.push_str("\\\""),
                Ok('\\') => json.push_str("\\\\"),
                Ok(character) if character >= ' ' && !escapes_all => json.push(character),
                Ok(character) => {
                    let mut pair = [0; 2];
                    character.encode_utf16(&mut pair).iter().for_each(|unit| json.push_str(&format!("\\u{unit:04x}")));
                }
                Err(unpaired) => json.push_str(&format!("\\u{:04X}", unpaired.unpaired_surrogate())),
            }
        }
        json.push('"');
        json
    }

    #[test]
    fn unpaired_surrogates_are_replaced_and_nothing_else() {
        for (text, expected) in [
            (r#""cut \ud83d""#, r#""cut \ufffd""#),
            (r#""\uDE00\ud83d\ud83d\ude00\ud83d""#, r#""\ufffd\ufffd\ud83d\ude00\ufffd""#),
            (r#""a\u0000b""#, r#""a\u0000b""#),
            (r#""\\ud83d \\\ud83d \u0041""#, r#""\\ud83d \\\ufffd \u0041""#),
            (r#""\ud83d\n\ud83dx""#, r#""\ufffd\n\ufffdx""#),
            ("\\", "\\"),
            ("\\u", "\\u"),
            ("\\ud83", "\\ud83"),
            ("\\ud8é3 \\é\\u", "\\ud8é3 \\é\\u"),
            ("\\ud83d", "\\ufffd"),
        ] {
            assert_eq!(lenient_json(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_string_that_javascript_can_write_is_read(
            units in prop::collection::vec(
                prop_oneof![any::<u16>(), 0xd7f0..0xe010_u16, Just(0), Just(0x5c), Just(0x75), Just(0x22), 0x20..0x7f_u16],
                0..20,
            ),
            escapes_all in any::<bool>(),
        ) {
            let json = stringify(&units, escapes_all);
            let read: String = serde_json::from_str(&lenient_json(&json)).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn any_text_is_left_as_long_as_it_is(text in "[\\\\u0-9a-fdDé\"]{0,40}") {
            prop_assert_eq!(lenient_json(&text).len(), text.len());
        }
    }
}
