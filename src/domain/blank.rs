//! What a reader sees of a text (`additions.md`, 1): nothing, where it consists of white space and of characters that
//! render as nothing.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Whether a reader sees nothing: no text at all, or one of white space and invisible characters only.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(renders_as_nothing)
}

/// Whether Unicode lets a program ignore this character when it displays a text: joiners, marks of direction, variation
/// selectors, fillers and the like.
pub(super) fn is_default_ignorable(character: char) -> bool {
    // Most characters of most texts, without a lookup.
    !character.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

fn renders_as_nothing(character: char) -> bool {
    /// Blanks that are neither white space nor default-ignorable: BRAILLE PATTERN BLANK, the annotation marks, KHITAN
    /// SMALL SCRIPT FILLER, MUSICAL SYMBOL NULL NOTEHEAD.
    const BLANKS: [char; 6] = ['\u{2800}', '\u{fff9}', '\u{fffa}', '\u{fffb}', '\u{16fe4}', '\u{1d159}'];
    character.is_whitespace()
        || character.is_control()
        || is_default_ignorable(character)
        || BLANKS.contains(&character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INVISIBLE: [char; 24] = [
        ' ',
        '\n',
        '\u{1}',
        '\u{7f}',
        '\u{a0}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{17b4}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{202a}',
        '\u{2060}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{1d159}',
        '\u{e0020}',
        '\u{e0100}',
    ];

    #[test]
    fn every_invisible_character_alone_is_blank() {
        assert!(is_blank(""));
        for character in INVISIBLE {
            assert!(is_blank(&character.to_string()), "{:x}", u32::from(character));
        }
    }

    #[test]
    fn whatever_is_seen_is_not_blank() {
        for text in ["a", "0", ".", "é", "\u{301}", "中", "👋", "👩\u{200d}👧", "\u{fffd}", "\u{2801}", "\u{3163}"]
        {
            assert!(!is_blank(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn invisible_characters_around_a_text_change_nothing(
            text in any::<String>(),
            before in prop::collection::vec(prop::sample::select(INVISIBLE.to_vec()), 0..5),
            after in prop::collection::vec(prop::sample::select(INVISIBLE.to_vec()), 0..5),
        ) {
            let surrounded: String = before.into_iter().chain(text.chars()).chain(after).collect();
            prop_assert_eq!(is_blank(&surrounded), is_blank(&text));
        }
    }
}
