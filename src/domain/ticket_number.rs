//! Ticket numbers as people type them (`additions.md`, 1).

use super::blank::is_default_ignorable;

/// Digits of a number that was made here; later ones may have more.
const DIGITS: usize = 6;

/// Dashes beyond the ASCII hyphen that keyboards, editors and scripts put in its place: General_Category Pd, and the minus.
const DASHES: [char; 25] = [
    '\u{58a}', '\u{5be}', '\u{1400}', '\u{1806}', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}',
    '\u{2015}', '\u{2212}', '\u{2e17}', '\u{2e1a}', '\u{2e3a}', '\u{2e3b}', '\u{2e40}', '\u{2e5d}', '\u{301c}',
    '\u{3030}', '\u{30a0}', '\u{fe31}', '\u{fe32}', '\u{fe58}', '\u{fe63}', '\u{ff0d}',
];

/// The spellings under which a number may be stored: as it was typed, and as it was meant in either case. Its letters are
/// the configured prefix, which is nearly always in upper case.
#[must_use]
pub fn ticket_number_spellings(typed: &str) -> [String; 4] {
    let meant = canonical(typed);
    [typed.trim().to_owned(), meant.to_ascii_uppercase(), meant.to_ascii_lowercase(), meant]
}

/// The number that a person means, but for the case of its letters: without white space and `#` before it, with plain
/// hyphens, and with all its zeros. A text that is no number is only trimmed.
fn canonical(typed: &str) -> String {
    let visible: String = typed.chars().filter(|character| !is_default_ignorable(*character)).collect();
    let number = visible.trim_start_matches(|one: char| one == '#' || one.is_whitespace()).trim_end();
    let plain: String = number.chars().map(|one| if DASHES.contains(&one) { '-' } else { one }).collect();
    let Some((start, digits)) = plain.rsplit_once('-') else { return typed.trim().to_owned() };
    let (start, digits) = (start.trim_end(), digits.trim_start());
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return typed.trim().to_owned();
    }
    format!("{start}-{:0>DIGITS$}", digits.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_understood_as_people_type_it() {
        for typed in [
            "SMI-2026-001234",
            " SMI-2026-001234\n",
            "#SMI-2026-001234",
            "# SMI-2026-1234",
            "SMI-2026-1234",
            "SMI\u{2011}2026\u{2011}001234",
            "SMI\u{2013}2026\u{2014}1234",
            "SMI\u{2212}2026\u{ff0d}01234",
            "\u{200b}SMI-2026-0000001234",
        ] {
            assert_eq!(canonical(typed), "SMI-2026-001234", "{typed:?}");
        }
        assert_eq!(canonical("smi-2026-1234567"), "smi-2026-1234567");
        assert_eq!(canonical("SMI-2026-0"), "SMI-2026-000000");
        for other in ["", "1234", "SMI-2026-", "SMI-2026-12a", "-"] {
            assert_eq!(canonical(&format!(" {other} ")), other);
        }
    }

    proptest! {
        #[test]
        fn a_number_that_was_understood_is_understood_alike_again(typed in "\\PC{0,30}", n in 0..10_000_000_u32, year in 2000..3000_u32) {
            let once = canonical(&typed);
            prop_assert_eq!(canonical(&once), once);
            let number = format!("SMI-{year}-{n:06}");
            prop_assert_eq!(canonical(&format!("#SMI\u{2013}{year}-{n}")), number);
        }
    }
}
