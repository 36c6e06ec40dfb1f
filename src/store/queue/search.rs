//! Searches conversations for a term: in the customer's e-mail address, phone number, name and tag, and in messages,
//! notes included. The search ignores case and has no wildcards.
//!
//! On PostgreSQL trigram indexes serve it; messages of the last second are not indexed yet and are read (migration
//! 000008). SQLite, and PostgreSQL without `pg_trgm`, read everything. An index needs three letters or digits in a row: a
//! term without them is searched in the [`RECENT`] conversations with the latest messages.

use entity::{conversations, messages, users};
use sea_orm::Condition;
use sea_orm::sea_query::extension::postgres::PgExpr;
use sea_orm::sea_query::{Expr, ExprTrait, IntoIden, LikeExpr, Order, Query, SelectStatement, UnionType};

use super::origins::{ORIGIN_ID, ORIGINS};
use crate::database::Backend;
use crate::domain::TextError;

/// The number of conversations searched for a term that no index serves.
pub const RECENT: u64 = 1000;

/// Letters or digits in a row that an index needs.
const TRIGRAM_LENGTH: usize = 3;

/// The searched columns of a user as one text: the indexed expression of migration 000005.
const USER_TEXT: &str = "(coalesce(users.first_name, '') || ' ' || coalesce(users.last_name, '') || '\n' \
    || coalesce(users.email, '') || '\n' || coalesce(users.phone_number, '') || '\n' || coalesce(users.smipay_tag, ''))";

/// The alias of the [`RECENT`] conversations.
const RECENT_ALIAS: &str = "recent";

/// A search term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm(String);

impl SearchTerm {
    /// The maximum length in characters (Unicode scalar values).
    pub const MAX_LENGTH: usize = 200;

    /// Takes a term without the white space around it; `None` if nothing is left.
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

    /// Whether a trigram index can find it.
    pub(in crate::store) fn has_trigrams(&self) -> bool {
        self.0.split(|character: char| !character.is_alphanumeric()).any(|run| run.chars().count() >= TRIGRAM_LENGTH)
    }

    /// Patterns of which one matches if the text has the term. Databases ignore case reliably only in ASCII, so a term with
    /// other letters is searched as given, in lower case, in upper case and capitalised.
    fn patterns(&self) -> Vec<String> {
        let mut terms = vec![self.0.clone()];
        if !self.0.is_ascii() {
            for spelling in [self.0.to_lowercase(), self.0.to_uppercase(), capitalised(&self.0)] {
                if terms.iter().all(|term| *term != spelling) {
                    terms.push(spelling);
                }
            }
        }
        terms.iter().map(|term| format!("%{}%", escape_wildcards(term))).collect()
    }

    /// The condition that a text has the term.
    pub(in crate::store) fn is_in(&self, text: &Expr, backend: Backend) -> Condition {
        self.patterns().into_iter().fold(Condition::any(), |any, pattern| {
            any.add(match backend {
                // The escape is the backslash by default; an ESCAPE clause would keep the index from being used.
                Backend::Postgres => text.clone().ilike(LikeExpr::new(pattern)),
                Backend::Sqlite => text.clone().like(LikeExpr::new(pattern).escape('\\')),
            })
        })
    }

    /// The ids of conversations that have the term. `filter` selects the recent ones, where no index serves the term.
    pub(super) fn matching_ids(&self, backend: Backend, filter: &Condition) -> SelectStatement {
        if backend == Backend::Sqlite || self.has_trigrams() {
            self.everywhere(backend)
        } else {
            self.in_recent(backend, filter)
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
        let users = Query::select()
            .column((conversations::Entity, conversations::Column::Id))
            .from(conversations::Entity)
            .inner_join(users::Entity, of_customer(conversations::Entity))
            .cond_where(self.is_in(&Expr::cust(USER_TEXT), backend))
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
        found.union(UnionType::Distinct, contacts).union(UnionType::Distinct, users).take()
    }

    /// The conversations of one of the tables of message texts.
    fn texts(&self, table: &'static str, backend: Backend) -> SelectStatement {
        Query::select()
            .column((table, "conversation_id"))
            .from(table)
            .cond_where(self.is_in(&Expr::col((table, "text")), backend))
            .take()
    }

    fn in_recent(&self, backend: Backend, filter: &Condition) -> SelectStatement {
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
            .from_subquery(recent.clone(), RECENT_ALIAS)
            .inner_join(
                messages::Entity,
                Expr::col((messages::Entity, messages::Column::ConversationId))
                    .equals((RECENT_ALIAS, conversations::Column::Id)),
            )
            .cond_where(self.is_in(&body(), backend))
            .take();
        let contact = self.is_in_contact(RECENT_ALIAS, backend);
        Query::select()
            .column((RECENT_ALIAS, conversations::Column::Id))
            .from_subquery(recent, RECENT_ALIAS)
            .left_join(users::Entity, of_customer(RECENT_ALIAS))
            .cond_where(Condition::any().add(contact).add(self.is_in(&Expr::cust(USER_TEXT), backend)))
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

fn of_customer(table: impl IntoIden) -> Expr {
    Expr::col((users::Entity, users::Column::Id)).equals((table, conversations::Column::UserId))
}

fn body() -> Expr {
    Expr::col((messages::Entity, messages::Column::Body))
}

/// With a capital letter at the beginning of each word.
fn capitalised(term: &str) -> String {
    let mut is_word_start = true;
    let mut capitalised = String::with_capacity(term.len());
    for character in term.chars() {
        if is_word_start {
            capitalised.extend(character.to_uppercase());
        } else {
            capitalised.extend(character.to_lowercase());
        }
        is_word_start = !character.is_alphanumeric();
    }
    capitalised
}

/// Escapes the wildcards of LIKE.
fn escape_wildcards(term: &str) -> String {
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
    fn wildcards_are_escaped() {
        assert_eq!(term(r"100%_\o/").patterns(), [r"%100\%\_\\o/%"]);
    }

    #[test]
    fn letters_beyond_ascii_are_searched_in_every_case() {
        assert_eq!(term("É").patterns(), ["%É%", "%é%"]);
        assert_eq!(term("Élan").patterns(), ["%Élan%", "%élan%", "%ÉLAN%"]);
        assert_eq!(term("özil öz").patterns(), ["%özil öz%", "%ÖZIL ÖZ%", "%Özil Öz%"]);
        assert_eq!(term("Elan").patterns(), ["%Elan%"]);
    }

    #[test]
    fn an_index_needs_three_letters_or_digits_in_a_row() {
        for (text, has_trigrams) in [("abc", true), ("ab", false), ("a-b c", false), ("+234", true), ("%%%%", false)] {
            assert_eq!(term(text).has_trigrams(), has_trigrams, "{text}");
        }
    }
}
