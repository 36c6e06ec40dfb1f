//! Words and phrases that are not used, in names as well as in prose.
//!
//! A text is taken as a sequence of words: letters, split at `_`, at digits and where a capital begins a new word, so
//! that `told_at_once` and `ToldAtOnce` contain `told`. A phrase also matches across the line breaks of a comment.

#[cfg(test)]
mod tests;

use crate::LintError;
use crate::finding::{Finding, Rule};
use crate::source_files::SourceFile;

/// The forbidden words, from `rules/words.txt`.
pub(crate) struct WordList {
    entries: Vec<Entry>,
}

struct Entry {
    phrase: Vec<String>,
    instead: String,
    /// Phrases in which the word is right: `behind a proxy`.
    allowed: Vec<Vec<String>>,
}

/// A word of a text, in lower case.
struct Word {
    text: String,
    line: usize,
    /// Whether only white space or a comment's leader is between it and the word before.
    continues: bool,
}

impl WordList {
    /// Reads lines of `word or phrase | what to write instead | phrases it is allowed in, separated by ";"`.
    pub(crate) fn parse(rules: &str) -> Result<Self, LintError> {
        let lines = rules.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let entry = |line: &str| {
            let mut columns = line.split('|').map(str::trim);
            let (Some(phrase), Some(instead)) = (columns.next(), columns.next()) else {
                return Err(LintError::MalformedRule { file: "words.txt", line: line.to_owned() });
            };
            let allowed = columns.next().unwrap_or_default().split(';').map(phrase_of).filter(|p| !p.is_empty());
            Ok(Entry { phrase: phrase_of(phrase), instead: instead.to_owned(), allowed: allowed.collect() })
        };
        Ok(Self { entries: lines.map(entry).collect::<Result<_, _>>()? })
    }

    /// Every use of a forbidden word.
    pub(crate) fn check(&self, file: &SourceFile) -> Vec<Finding> {
        let words = words(&file.text);
        let mut findings = Vec::new();
        for start in 0..words.len() {
            for entry in self.entries.iter().filter(|entry| matches(&words, start, &entry.phrase)) {
                if entry.allowed.iter().any(|phrase| is_within(&words, start, entry.phrase.len(), phrase)) {
                    continue;
                }
                let subject = entry.phrase.join(" ");
                findings.push(Finding {
                    path: file.path.clone(),
                    line: words.get(start).map_or(0, |word| word.line),
                    rule: Rule::Word,
                    message: format!("“{subject}”: {}", entry.instead),
                    subject,
                });
            }
        }
        findings
    }
}

fn phrase_of(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// Whether the words from `start` on are the phrase.
fn matches(words: &[Word], start: usize, phrase: &[String]) -> bool {
    let candidate = words.get(start..start + phrase.len()).unwrap_or_default();
    !candidate.is_empty()
        && candidate.iter().zip(phrase).all(|(word, wanted)| word.text == *wanted)
        && candidate.iter().skip(1).all(|word| word.continues)
}

/// Whether `length` words from `start` on are part of an occurrence of the phrase.
fn is_within(words: &[Word], start: usize, length: usize, phrase: &[String]) -> bool {
    let first = (start + length).saturating_sub(phrase.len());
    (first..=start).any(|at| matches(words, at, phrase))
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut line = 1;
    let mut continues = false; // the word that is to begin
    let mut inside = false;
    let mut before_is_lower = false;
    for c in text.chars() {
        line += usize::from(c == '\n');
        if c.is_alphabetic() {
            let begins = !inside || (c.is_uppercase() && before_is_lower);
            match words.last_mut() {
                Some(word) if !begins => word.text.extend(c.to_lowercase()),
                _ => words.push(Word { text: c.to_lowercase().collect(), line, continues: continues || inside }),
            }
            (inside, before_is_lower, continues) = (true, c.is_lowercase(), true);
        } else {
            inside = false;
            continues &= c.is_whitespace() || matches!(c, '_' | '/' | '!' | '#' | '*' | '>');
        }
    }
    words
}
