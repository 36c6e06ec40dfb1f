//! How a search compares texts (`additions.md`, 4): folded, so that case, diacritics, invisible characters, white space and
//! the typographic forms of quotes and dashes do not matter; and phone numbers by their digits.

use icu_casemap::CaseMapper;
use icu_properties::props::{Dash, Diacritic, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::blank::is_default_ignorable;
use super::text::TextError;
use super::ticket_number::ticket_number_spellings;

/// The form in which texts are compared: Unicode NFC, case-folded, without diacritics and default-ignorable characters,
/// with plain quotes and dashes, and single blanks for white space and control characters. Folding it again changes
/// nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    // Nearly all texts of most installations.
    if text.is_ascii() {
        return collapsed(text.chars().map(|character| character.to_ascii_lowercase()));
    }
    let visible: String = text.chars().filter(|character| !is_default_ignorable(*character)).nfd().collect();
    let cases = CaseMapper::new();
    let folded = cases.fold_string(&visible);
    // What a letter folds to may have diacritics itself, and a diacritic may fold to a letter.
    let plain = folded.nfd().filter(|character| !is_diacritic(*character)).map(plain).nfc().collect::<String>();
    // Without the diacritics other characters may compose, whose case is folded like this.
    let folded = cases.fold_string(&plain);
    collapsed(folded.nfd().filter(|character| !is_diacritic(*character)).nfc())
}

fn collapsed(characters: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    for character in characters {
        if character.is_whitespace() || character.is_control() {
            if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
        } else {
            text.push(character);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// A mark that changes how a letter is spoken. The voicing marks of kana make another letter, as vowel signs do.
fn is_diacritic(character: char) -> bool {
    !character.is_ascii()
        && !matches!(character, '\u{3099}' | '\u{309a}')
        && CodePointSetData::new::<Diacritic>().contains(character)
        && CodePointMapData::<GeneralCategory>::new().get(character) == GeneralCategory::NonspacingMark
}

/// The plain form of a letter with a stroke, which Unicode does not decompose, and of a typographic quote or dash.
fn plain(character: char) -> char {
    match character {
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        'ħ' => 'h',
        'ŧ' => 't',
        'ı' => 'i',
        '\u{2018}'..='\u{201b}'
        | '\u{2032}'
        | '\u{2035}'
        | '\u{2039}'
        | '\u{203a}'
        | '\u{2bb}'..='\u{2bd}'
        | '´'
        | '\u{ff07}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{2036}' | '«' | '»' | '\u{301d}'..='\u{301f}' | '\u{ff02}' => '"',
        _ if !character.is_ascii() && CodePointSetData::new::<Dash>().contains(character) => '-',
        _ => character,
    }
}

/// What a searchable text is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// Messages of a conversation, notes included.
    Messages = 0,
    /// How a conversation's customer is known and reached.
    Contact = 1,
    /// The digits of a phone number.
    PhoneDigits = 2,
    /// A ticket's number and subject.
    Ticket = 3,
    /// A ticket's description, by which only tickets are found.
    Description = 4,
}

/// Separates texts that a term cannot span; folding leaves no such character.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// What a conversation is found by besides its messages.
#[derive(Clone, Debug, Default)]
pub struct SearchableConversation {
    /// Its customer's address.
    pub email: Option<String>,
    /// Its customer's number.
    pub phone_number: Option<String>,
    /// Its ticket's number, subject and description.
    pub ticket: Option<(String, String, String)>,
}

/// What an account's conversations are found by.
#[derive(Clone, Debug, Default)]
pub struct SearchableAccount {
    /// The token's `first_name`.
    pub first_name: Option<String>,
    /// The token's `last_name`.
    pub last_name: Option<String>,
    /// The token's `name`.
    pub name: Option<String>,
    /// Its address.
    pub email: Option<String>,
    /// Its number.
    pub phone_number: Option<String>,
    /// Its tag.
    pub tag: Option<String>,
}

impl SearchableConversation {
    /// Its folded texts.
    #[must_use]
    pub fn texts(&self) -> Vec<(TextKind, String)> {
        let contact = [self.email.as_deref(), self.phone_number.as_deref()];
        let (number, subject, description) = match &self.ticket {
            Some((number, subject, description)) => (Some(number), Some(subject), Some(description)),
            None => (None, None, None),
        };
        texts(&[
            (TextKind::Contact, &contact),
            (TextKind::Ticket, &[number.map(String::as_str), subject.map(String::as_str)]),
            (TextKind::Description, &[description.map(String::as_str)]),
        ])
        .chain(digits_text(self.phone_number.as_deref()))
        .collect()
    }
}

impl SearchableAccount {
    /// Its folded texts: the name in either order.
    #[must_use]
    pub fn texts(&self) -> Vec<(TextKind, String)> {
        let (first, last) = (self.first_name.as_deref(), self.last_name.as_deref());
        let (one, other) =
            first.zip(last).map(|(first, last)| (format!("{first} {last}"), format!("{last} {first}"))).unzip();
        let (one, other): (Option<String>, Option<String>) = (one, other);
        let contact = [
            one.as_deref().or(first),
            other.as_deref().or(last),
            self.name.as_deref(),
            self.email.as_deref(),
            self.phone_number.as_deref(),
            self.tag.as_deref(),
        ];
        texts(&[(TextKind::Contact, &contact)]).chain(digits_text(self.phone_number.as_deref())).collect()
    }
}

type Parts<'a> = (TextKind, &'a [Option<&'a str>]);

fn texts(parts: &[Parts<'_>]) -> impl Iterator<Item = (TextKind, String)> {
    let joined = |(kind, fields): &Parts<'_>| {
        let fields: Vec<_> =
            fields.iter().flatten().map(|field| fold(field)).filter(|field| !field.is_empty()).collect();
        (!fields.is_empty()).then(|| (*kind, fields.join(&SEPARATOR.to_string())))
    };
    parts.iter().filter_map(joined).collect::<Vec<_>>().into_iter()
}

fn digits_text(number: Option<&str>) -> Option<(TextKind, String)> {
    Some((TextKind::PhoneDigits, phone_digits(number?)?))
}

/// The digits of a phone number, as they are stored for search; none if there are fewer than a search needs.
fn phone_digits(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= SearchTerm::MIN_DIGITS).then_some(digits)
}

/// A search term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm {
    folded: String,
    digits: Option<String>,
}

impl SearchTerm {
    /// The maximum length in characters (Unicode scalar values).
    pub const MAX_LENGTH: usize = 200;
    /// The fewest digits of a number that are compared as a phone number's.
    const MIN_DIGITS: usize = 3;
    /// The fewest characters of a conversation's id that it is found by.
    const MIN_ID_LENGTH: usize = 8;

    /// Folds a term; `None` if nothing is left of it.
    ///
    /// # Errors
    /// [`TextError`] when it is longer than [`SearchTerm::MAX_LENGTH`] or holds U+0000.
    pub fn parse(text: &str) -> Result<Option<Self>, TextError> {
        if text.trim().chars().count() > Self::MAX_LENGTH {
            return Err(TextError::TooLong { limit: Self::MAX_LENGTH });
        }
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        let folded = fold(text);
        let digits = digits_of(&folded);
        Ok((!folded.is_empty()).then_some(Self { folded, digits }))
    }

    /// What a folded text must contain.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// What the digits of a phone number must contain, if the term may be one: without the prefix of national and
    /// international calls, so that a national number finds an international one.
    #[must_use]
    pub fn digits(&self) -> Option<&str> {
        self.digits.as_deref()
    }

    /// The first and the last id that begin with the term, if it is at least the first part of one.
    #[must_use]
    pub fn ids(&self) -> Option<(Uuid, Uuid)> {
        let is_part = |character: char| character.is_ascii_hexdigit() || character == '-';
        if self.folded.len() < Self::MIN_ID_LENGTH || !self.folded.chars().all(is_part) {
            return None;
        }
        let begin: String = self.folded.chars().filter(|character| *character != '-').collect();
        let filled = |with: char| {
            let rest = 32_usize.checked_sub(begin.len())?;
            let all: String = begin.chars().chain(std::iter::repeat_n(with, rest)).collect();
            Uuid::parse_str(&all).ok()
        };
        let ids = filled('0').zip(filled('f'))?;
        // Hyphens only where an id has them, and so none in the middle of something else.
        let spelled = ids.0.hyphenated().to_string();
        (spelled.starts_with(&self.folded) || begin == self.folded).then_some(ids)
    }

    /// The spellings of the ticket's number that the term is, if it is one.
    #[must_use]
    pub fn ticket_numbers(&self) -> Option<[String; 4]> {
        self.folded.contains('-').then(|| ticket_number_spellings(&self.folded))
    }

    /// Whether a message has the term.
    #[must_use]
    pub fn is_in_message(&self, body: &str) -> bool {
        fold(body).contains(&self.folded)
    }

    /// Whether one of these folded texts has the term. `kinds` are those that are searched.
    #[must_use]
    pub fn is_in(&self, texts: &[(TextKind, String)], kinds: &[TextKind]) -> bool {
        texts.iter().filter(|(kind, _)| kinds.contains(kind)).any(|(kind, text)| match kind {
            TextKind::PhoneDigits => self.digits().is_some_and(|digits| text.contains(digits)),
            _ => text.contains(&self.folded),
        })
    }
}

fn digits_of(folded: &str) -> Option<String> {
    let is_part = |character: char| character.is_ascii_digit() || " +-()./".contains(character);
    let digits = folded.chars().filter(char::is_ascii_digit).collect::<String>();
    let digits = digits.trim_start_matches('0');
    (folded.chars().all(is_part) && digits.len() >= SearchTerm::MIN_DIGITS).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_alike_is_compared_alike() {
        for (text, folded) in [
            ("José", "jose"),
            ("Jose\u{301}", "jose"),
            ("can\u{2019}t", "can't"),
            ("\u{201c}so\u{201d} — co\u{2011}op \u{2212}5", "\"so\" - co-op -5"),
            ("Straße STRASSE", "strasse strasse"),
            ("ΣΊΣΥΦΟΣ σίσυφος", "σισυφοσ σισυφοσ"),
            ("İstanbul ısı", "istanbul isi"),
            ("Łódź Ørsted Đà", "lodz orsted da"),
            ("a\u{200b}b\u{ad}c\u{fe0f}", "abc"),
            (" a\u{a0}\u{3000} b\n\tc\u{2028}", "a b c"),
            ("ﬁn", "fin"),
            ("한국 \u{1112}\u{1161}\u{11ab}국", "한국 한국"),
            ("ガード", "ガード"),
            ("कि", "कि"),
            ("Ёлка", "елка"),
            ("\u{1}x\u{1f}y", "x y"),
            ("퇵 👩\u{200d}👧", "퇵 👩👧"),
        ] {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in "(\\PC|[İẞΣσςÅǅŉe\u{301}\u{345}\u{307}\u{200b}\u{3099}ﬁ\u{1e9e}\u{390} \n]){0,30}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn composed_and_decomposed_texts_fold_alike(text in "(\\PC|[İẞΣÅǅ각éãǖ\u{1e9b}]){0,20}") {
            let (nfc, nfd): (String, String) = (text.nfc().collect(), text.nfd().collect());
            prop_assert_eq!(fold(&nfc), fold(&nfd));
        }

        #[test]
        fn ascii_folds_as_everything_does(text in "[ -~\n\t]{0,30}") {
            // The character beyond ASCII takes the text the other way.
            let long = fold(&format!("{text} \u{4e2d}"));
            let short = format!("{} \u{4e2d}", fold(&text));
            prop_assert_eq!(short.trim_start(), long);
        }
    }

    fn term(text: &str) -> SearchTerm {
        SearchTerm::parse(text).expect("a good term").expect("a term")
    }

    #[test]
    fn a_term_has_at_most_200_characters_and_none_of_them_is_nul() {
        for empty in ["", "  ", "\u{200b}", "\u{301}"] {
            assert_eq!(SearchTerm::parse(empty), Ok(None), "{empty:?}");
        }
        assert_eq!(term("  A b ").folded(), "a b");
        assert!(SearchTerm::parse(&"é".repeat(200)).is_ok());
        assert_eq!(SearchTerm::parse(&"é".repeat(201)), Err(TextError::TooLong { limit: 200 }));
        assert_eq!(SearchTerm::parse("a\0b"), Err(TextError::Nul));
    }

    #[test]
    fn a_phone_number_is_found_as_it_is_dialled() {
        for (typed, stored, is_found) in [
            ("0803 123 4567", "+2348031234567", true),
            ("+234 (803) 123-4567", "+2348031234567", true),
            ("00234 8031234567", "+2348031234567", true),
            ("8031234", "+234 803 123 4567", true),
            ("0803", "+234-803-123-4567", true),
            ("+234", "+2348031234567", true),
            ("0803 123 4568", "+2348031234567", false),
            ("08", "+2348031234567", false),
            ("0803 x", "+2348031234567", false),
        ] {
            let account = SearchableAccount { phone_number: Some(stored.to_owned()), ..SearchableAccount::default() };
            let kinds = [TextKind::Contact, TextKind::PhoneDigits];
            assert_eq!(term(typed).is_in(&account.texts(), &kinds), is_found, "{typed} in {stored}");
        }
    }

    #[test]
    fn an_id_is_found_by_its_beginning() {
        let id = Uuid::parse_str("0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506").expect("an id");
        for (typed, is_found) in [
            ("0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506", true),
            ("0192F3A45B6C7D8E9FA0B1C2D3E4F506", true),
            ("0192f3a4", true),
            ("0192f3a4-", true),
            ("0192f3a4-5b6", true),
            ("0192f3a", false),
            ("0192f3a5", false),
            ("0192-f3a4", false),
            ("0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f5067", false),
        ] {
            let is_in = term(typed).ids().is_some_and(|(first, last)| (first..=last).contains(&id));
            assert_eq!(is_in, is_found, "{typed}");
        }
    }
}
