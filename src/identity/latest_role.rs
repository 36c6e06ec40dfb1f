//! The role of a person's latest token: by its time of issue, then by arrival (`additions.md`, 5). No I/O.
//!
//! Tokens that were issued at the same time, or without `iat`, are distinguished by their fingerprints: one that has arrived
//! before is not the latest because it is used again.

use std::cmp::Ordering;

/// Tokens with one time of issue that are remembered; beyond that the first one to expire is forgotten.
const MAX_TOKENS: usize = 64;

/// A token that is presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PresentedToken {
    pub(super) role: String,
    /// Identifies the token among those of its account.
    pub(super) fingerprint: u64,
    /// `iat` in milliseconds since 1970; 0 without one.
    pub(super) issued_at: i64,
    /// `exp` in seconds since 1970.
    pub(super) expires_at: i64,
    /// Now, in milliseconds since 1970.
    pub(super) now: i64,
    /// When this server saw it before for the first time, in milliseconds since 1970.
    pub(super) seen_before: Option<i64>,
}

/// The latest token of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LatestRole {
    pub(super) role: String,
    pub(super) issued_at: i64,
    /// When it arrived, in milliseconds since 1970.
    pub(super) arrived_at: i64,
    /// Fingerprint and expiry of the tokens with this time of issue.
    pub(super) tokens: Vec<(u64, i64)>,
}

impl LatestRole {
    pub(super) fn of(token: &PresentedToken) -> Self {
        Self {
            role: token.role.clone(),
            issued_at: token.issued_at,
            arrived_at: token.seen_before.unwrap_or(token.now),
            tokens: vec![(token.fingerprint, token.expires_at)],
        }
    }

    /// Whether presenting the token changes nothing.
    pub(super) fn knows(&self, token: &PresentedToken) -> bool {
        match token.issued_at.cmp(&self.issued_at) {
            Ordering::Less => true,
            Ordering::Equal => self.tokens.iter().any(|(fingerprint, _)| *fingerprint == token.fingerprint),
            Ordering::Greater => false,
        }
    }

    /// A token is presented. Returns whether that changes anything.
    pub(super) fn observe(&mut self, token: &PresentedToken) -> bool {
        if self.knows(token) {
            return false;
        }
        if token.issued_at > self.issued_at {
            *self = Self::of(token);
            return true;
        }
        self.tokens.retain(|(_, expires_at)| *expires_at >= token.now / 1000);
        if self.tokens.len() >= MAX_TOKENS {
            let first = self.tokens.iter().enumerate().min_by_key(|(_, (_, expires_at))| *expires_at);
            if let Some(index) = first.map(|(index, _)| index) {
                self.tokens.remove(index);
            }
        }
        self.tokens.push((token.fingerprint, token.expires_at));
        // One that this server saw before the latest one arrived is not later.
        if token.seen_before.is_none_or(|seen| seen > self.arrived_at) {
            self.role.clone_from(&token.role);
            self.arrived_at = token.seen_before.unwrap_or(token.now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(role: &str, fingerprint: u64, issued_at: i64, now: i64) -> PresentedToken {
        let (expires_at, seen_before) = (1_000_000, None);
        PresentedToken { role: role.to_owned(), fingerprint, issued_at, expires_at, now, seen_before }
    }

    #[test]
    fn the_role_is_that_of_the_latest_token_by_issue_then_by_arrival() {
        let mut latest = LatestRole::of(&token("admin", 1, 100, 5));
        for (role, fingerprint, issued_at, expected) in [
            ("user", 2, 99, "admin"),   // older, whenever it arrives
            ("user", 3, 100, "user"),   // issued at the same time, arrived later
            ("admin", 1, 100, "user"),  // used again
            ("user", 3, 100, "user"),   // used again
            ("admin", 4, 100, "admin"), // arrived later
            ("user", 3, 100, "admin"),  // used again
            ("support", 5, 101, "support"),
            ("admin", 4, 100, "support"),
        ] {
            latest.observe(&token(role, fingerprint, issued_at, 6));
            assert_eq!(latest.role, expected, "{role} {fingerprint} {issued_at}");
        }
    }

    #[test]
    fn tokens_without_a_time_of_issue_are_ordered_by_arrival() {
        let mut latest = LatestRole::of(&token("admin", 1, 0, 1));
        assert!(latest.observe(&token("user", 2, 0, 2)));
        assert!(!latest.observe(&token("admin", 1, 0, 3)));
        assert_eq!(latest.role, "user");
        assert!(latest.observe(&token("user", 3, 7, 4)), "any time of issue is later than none");
        assert!(!latest.observe(&token("admin", 9, 0, 5)));
    }

    #[test]
    fn a_token_that_arrived_before_the_latest_one_does_not_become_it_when_it_is_used_again() {
        let mut latest = LatestRole::of(&token("admin", 2, 0, 10));
        let earlier = PresentedToken { seen_before: Some(9), ..token("user", 1, 0, 20) };
        assert!(latest.observe(&earlier), "it is remembered");
        assert_eq!(latest.role, "admin");
        let later = PresentedToken { seen_before: Some(11), ..token("user", 3, 0, 20) };
        assert!(latest.observe(&later));
        assert_eq!((latest.role.as_str(), latest.arrived_at), ("user", 11));
    }

    #[test]
    fn the_remembered_tokens_are_bounded_and_expired_ones_are_forgotten_first() {
        let mut latest = LatestRole::of(&token("admin", 0, 0, 0));
        for fingerprint in 1..200 {
            let expires_at = 1000 + i64::try_from(fingerprint).unwrap();
            latest.observe(&PresentedToken { expires_at, ..token("admin", fingerprint, 0, 0) });
        }
        assert_eq!(latest.tokens.len(), MAX_TOKENS);
        assert!(latest.tokens.iter().all(|(fingerprint, _)| *fingerprint == 0 || *fingerprint > 100));
        latest.observe(&token("user", 999, 0, 10_000_000));
        assert_eq!(latest.tokens, [(0, 1_000_000), (999, 1_000_000)]);
    }
}
