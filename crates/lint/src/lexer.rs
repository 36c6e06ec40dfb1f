//! Rust source as tokens: identifiers and punctuation, with their lines. Comments and literals are dropped.
//!
//! Exact enough to find functions, modules and paths: it knows nested comments, raw strings and lifetimes, and joins
//! `::`. Whatever else Rust's grammar has is not needed.

#[cfg(test)]
mod tests;

use std::iter::Peekable;
use std::str::Chars;

/// An identifier, a keyword, or punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// One character, `::`, or an identifier.
    pub(crate) text: String,
    /// From 1.
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is_identifier(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of `source`.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: source.chars().peekable(), line: 1, tokens: Vec::new() };
    while let Some(c) = lexer.next() {
        lexer.token(c);
    }
    lexer.tokens
}

struct Lexer<'s> {
    rest: Peekable<Chars<'s>>,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some_and(|c| {
            self.line += usize::from(c == '\n');
            true
        })
    }

    fn push(&mut self, text: String, line: usize) {
        self.tokens.push(Token { text, line });
    }

    fn token(&mut self, first: char) {
        let line = self.line;
        match first {
            c if c.is_whitespace() => {}
            '/' if self.next_if('/') => while self.next().is_some_and(|c| c != '\n') {},
            '/' if self.next_if('*') => self.block_comment(),
            '"' => self.string(),
            '\'' => self.quote(),
            ':' if self.next_if(':') => self.push("::".to_owned(), line),
            c if c.is_alphabetic() || c == '_' => self.word(c, line),
            c if c.is_ascii_digit() => self.number(),
            c => self.push(c.to_string(), line),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some('*') if self.next_if('/') => depth -= 1,
                Some('/') if self.next_if('*') => depth += 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// The rest of a string whose opening quote is read.
    fn string(&mut self) {
        loop {
            match self.next() {
                Some('\\') => drop(self.next()),
                Some('"') | None => return,
                Some(_) => {}
            }
        }
    }

    /// The rest of a raw string whose `r` is read: `#"…"#`, any number of `#`.
    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.next_if('#') {
            hashes += 1;
        }
        if !self.next_if('"') {
            return; // A raw identifier, whose name follows as a token of its own.
        }
        loop {
            match self.next() {
                Some('"') if (0..hashes).all(|_| self.next_if('#')) => return,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// A character literal or a lifetime whose quote is read.
    fn quote(&mut self) {
        match self.next() {
            Some('\\') => {
                self.next();
                while self.next().is_some_and(|c| c != '\'') {}
            }
            // `'a'` is a character, `'a` a lifetime; both are dropped.
            Some(c) if c.is_alphabetic() || c == '_' => {
                while self.rest.next_if(|c| c.is_alphanumeric() || *c == '_').is_some() {}
                self.next_if('\'');
            }
            Some(_) => drop(self.next_if('\'')),
            None => {}
        }
    }

    fn word(&mut self, first: char, line: usize) {
        let mut word = first.to_string();
        while let Some(c) = self.rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
        }
        match (word.as_str(), self.rest.peek()) {
            ("r" | "br" | "cr", Some('"' | '#')) => self.raw_string(),
            ("b" | "c", Some('"')) => {
                self.next();
                self.string();
            }
            ("b", Some('\'')) => {
                self.next();
                self.quote();
            }
            _ => self.push(word, line),
        }
    }

    fn number(&mut self) {
        while self.rest.next_if(|c| c.is_alphanumeric() || *c == '_').is_some() {}
    }
}
