//! A customer's rating, 1 to 5 stars.

use serde::Serialize;

use super::{Customer, Feedback};

/// 1 to 5 stars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rating(u8);

/// A customer's rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRating {
    /// The customer.
    pub from: Customer,
    /// Stars.
    pub rating: Rating,
    /// Free text.
    pub feedback: Option<Feedback>,
}

/// Not a number of stars from 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Rating must be between 1 and 5")]
pub struct RatingError;

impl Rating {
    /// Accepts integers from 1 to 5, also those written with a fraction of zero.
    ///
    /// # Errors
    /// [`RatingError`] for anything else.
    pub fn parse(stars: f64) -> Result<Self, RatingError> {
        [1_u8, 2, 3, 4, 5].into_iter().find(|integer| f64::from(*integer) == stars).map(Self).ok_or(RatingError)
    }

    /// The number of stars.
    #[must_use]
    pub fn stars(self) -> u8 {
        self.0
    }
}
