//! How a customer found it.

use serde::Serialize;

/// How many stars: 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rating(u8);

/// A number of stars that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Rating must be between 1 and 5")]
pub struct RatingError;

impl Rating {
    /// Takes whole numbers only, however they are spelled.
    ///
    /// # Errors
    /// [`RatingError`] for anything else.
    pub fn parse(stars: f64) -> Result<Self, RatingError> {
        [1_u8, 2, 3, 4, 5].into_iter().find(|whole| f64::from(*whole) == stars).map(Self).ok_or(RatingError)
    }

    /// How many.
    #[must_use]
    pub fn stars(self) -> u8 {
        self.0
    }
}
