//! Finding conversations by words: in the customer's e-mail address, number, name and tag, and in what was written,
//! notes included. Upper and lower case are the same; every character stands for itself.
//!
//! On PostgreSQL trigram indexes find the words, wherever they stand; what was written in the last second is not
//! indexed yet and is read (migration 000008). On SQLite, and where PostgreSQL does not have `pg_trgm`, everything is
//! read. Trigrams begin at three letters or digits in a row: a term without them is looked for in the [`RECENT`]
//! conversations that were last written in.

use entity::{conversations, messages, users};
use sea_orm::Condition;
use sea_orm::sea_query::extension::postgres::PgExpr;
use sea_orm::sea_query::{Expr, ExprTrait, IntoIden, LikeExpr, Order, Query, SelectStatement, UnionType};

use super::filter::{ORIGIN_ID, ORIGINS};
use crate::database::Backend;
use crate::domain::TextError;

/// How many conversations are looked through for a term that no index serves.
pub const RECENT: u64 = 1000;

/// Letters or digits in a row that an index needs.
const TRIGRAM: usize = 3;

/// A person's words in one, as the migration's index has them.
const PERSON: &str = "(coalesce(users.first_name, '') || ' ' || coalesce(users.last_name, '') || '\n' \
    || coalesce(users.email, '') || '\n' || coalesce(users.phone_number, '') || '\n' || coalesce(users.smipay_tag, ''))";

/// The conversations that are looked through for a term that no index serves.
const LATELY: &str = "lately";

/// What somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm(String);

impl SearchTerm {
    /// The most characters (Unicode scalar values) that a term has.
    pub const MAX_LENGTH: usize = 200;

    /// Takes what was typed, less the white space around it; nothing is no term.
    ///
    /// # Errors
    /// [`TextError`] when it is longer than [`SearchTerm::MAX_LENGTH`] or holds U+0000.
    pub fn parse(text: &str) -> Result<Option<Self>, TextError> {
        let text = text.trim();
        if text.chars().count() > Self::MAX_LENGTH {
            return Err(TextError::TooLong { limit: Self::MAX_LENGTH });
        }
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    /// Whether trigrams can find it.
    pub(in crate::store) fn has_trigrams(&self) -> bool {
        self.0.split(|character: char| !character.is_alphanumeric()).any(|run| run.chars().count() >= TRIGRAM)
    }

    /// Patterns, one of which fits where the term is. Databases know upper and lower case of ASCII for sure, and of the
    /// rest as far as they were told: what is written small, large or with capitals in front is found in any case.
    fn patterns(&self) -> Vec<String> {
        let mut terms = vec![self.0.clone()];
        if !self.0.is_ascii() {
            for spelt in [self.0.to_lowercase(), self.0.to_uppercase(), capitalised(&self.0)] {
                if terms.iter().all(|term| *term != spelt) {
                    terms.push(spelt);
                }
            }
        }
        terms.iter().map(|term| format!("%{}%", literally(term))).collect()
    }

    /// Whether it is in a text.
    pub(in crate::store) fn is_in(&self, text: &Expr, backend: Backend) -> Condition {
        self.patterns().into_iter().fold(Condition::any(), |any, pattern| {
            any.add(match backend {
                // Its escape is the backslash anyway; naming it would hide the pattern from the index.
                Backend::Postgres => text.clone().ilike(LikeExpr::new(pattern)),
                Backend::Sqlite => text.clone().like(LikeExpr::new(pattern).escape('\\')),
            })
        })
    }

    /// The ids of conversations that it is in, for what also fits `filter`.
    pub(super) fn found_in(&self, backend: Backend, filter: &Condition) -> SelectStatement {
        if backend == Backend::Sqlite || self.has_trigrams() {
            self.everywhere(backend)
        } else {
            self.lately(backend, filter)
        }
    }

    fn everywhere(&self, backend: Backend) -> SelectStatement {
        let contacts = match backend {
            Backend::Postgres => Query::select()
                .column(ORIGIN_ID)
                .from(ORIGINS)
                .cond_where(self.is_in(&Expr::col((ORIGINS, "contact")), backend))
                .take(),
            Backend::Sqlite => Query::select()
                .column((conversations::Entity, conversations::Column::Id))
                .from(conversations::Entity)
                .cond_where(self.is_in_contact(conversations::Entity, backend))
                .take(),
        };
        let people = Query::select()
            .column((conversations::Entity, conversations::Column::Id))
            .from(conversations::Entity)
            .inner_join(users::Entity, of_person(conversations::Entity))
            .cond_where(self.is_in(&Expr::cust(PERSON), backend))
            .take();
        let mut found = match backend {
            Backend::Postgres => self.texts("searchable_texts", backend),
            Backend::Sqlite => Query::select()
                .column((messages::Entity, messages::Column::ConversationId))
                .from(messages::Entity)
                .cond_where(self.is_in(&body(), backend))
                .take(),
        };
        if backend == Backend::Postgres {
            found.union(UnionType::Distinct, self.texts("unsearchable_texts", backend));
        }
        found.union(UnionType::Distinct, contacts).union(UnionType::Distinct, people).take()
    }

    /// Conversations in one of the tables of what was written.
    fn texts(&self, table: &'static str, backend: Backend) -> SelectStatement {
        Query::select()
            .column((table, "conversation_id"))
            .from(table)
            .cond_where(self.is_in(&Expr::col((table, "text")), backend))
            .take()
    }

    fn lately(&self, backend: Backend, filter: &Condition) -> SelectStatement {
        let recent = Query::select()
            .columns([
                conversations::Column::Id,
                conversations::Column::UserId,
                conversations::Column::Email,
                conversations::Column::PhoneNumber,
            ])
            .from(conversations::Entity)
            .cond_where(filter.clone())
            .order_by(conversations::Column::LastMessageAt, Order::Desc)
            .order_by(conversations::Column::Id, Order::Desc)
            .limit(RECENT)
            .take();
        let written = Query::select()
            .column((messages::Entity, messages::Column::ConversationId))
            .from_subquery(recent.clone(), LATELY)
            .inner_join(
                messages::Entity,
                Expr::col((messages::Entity, messages::Column::ConversationId))
                    .equals((LATELY, conversations::Column::Id)),
            )
            .cond_where(self.is_in(&body(), backend))
            .take();
        let contact = self.is_in_contact(LATELY, backend);
        Query::select()
            .column((LATELY, conversations::Column::Id))
            .from_subquery(recent, LATELY)
            .left_join(users::Entity, of_person(LATELY))
            .cond_where(Condition::any().add(contact).add(self.is_in(&Expr::cust(PERSON), backend)))
            .union(UnionType::Distinct, written)
            .take()
    }

    fn is_in_contact(&self, table: impl IntoIden + Copy, backend: Backend) -> Condition {
        let column = |column| Expr::col((table, column));
        Condition::any()
            .add(self.is_in(&column(conversations::Column::Email), backend))
            .add(self.is_in(&column(conversations::Column::PhoneNumber), backend))
    }
}

fn of_person(table: impl IntoIden) -> Expr {
    Expr::col((users::Entity, users::Column::Id)).equals((table, conversations::Column::UserId))
}

fn body() -> Expr {
    Expr::col((messages::Entity, messages::Column::Body))
}

/// With a capital at the beginning of each word.
fn capitalised(term: &str) -> String {
    let mut begins = true;
    let mut capitalised = String::with_capacity(term.len());
    for character in term.chars() {
        if begins {
            capitalised.extend(character.to_uppercase());
        } else {
            capitalised.extend(character.to_lowercase());
        }
        begins = !character.is_alphanumeric();
    }
    capitalised
}

/// Every character for itself.
fn literally(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len());
    for character in term.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(text: &str) -> SearchTerm {
        SearchTerm::parse(text).expect("a good term").expect("a term")
    }

    #[test]
    fn a_term_has_at_most_200_characters_and_none_of_them_is_nul() {
        assert_eq!(SearchTerm::parse("  "), Ok(None));
        assert_eq!(term("  a b ").0, "a b");
        assert!(SearchTerm::parse(&"é".repeat(200)).is_ok());
        assert_eq!(SearchTerm::parse(&"é".repeat(201)), Err(TextError::TooLong { limit: 200 }));
        assert_eq!(SearchTerm::parse("a\0b"), Err(TextError::Nul));
    }

    #[test]
    fn every_character_stands_for_itself() {
        assert_eq!(term(r"100%_\o/").patterns(), [r"%100\%\_\\o/%"]);
    }

    #[test]
    fn letters_beyond_ascii_are_looked_for_in_every_case() {
        assert_eq!(term("É").patterns(), ["%É%", "%é%"]);
        assert_eq!(term("Élan").patterns(), ["%Élan%", "%élan%", "%ÉLAN%"]);
        assert_eq!(term("özil öz").patterns(), ["%özil öz%", "%ÖZIL ÖZ%", "%Özil Öz%"]);
        assert_eq!(term("Elan").patterns(), ["%Elan%"]);
    }

    #[test]
    fn trigrams_begin_at_three_letters_or_digits_in_a_row() {
        for (text, has_trigrams) in [("abc", true), ("ab", false), ("a-b c", false), ("+234", true), ("%%%%", false)] {
            assert_eq!(term(text).has_trigrams(), has_trigrams, "{text}");
        }
    }
}
