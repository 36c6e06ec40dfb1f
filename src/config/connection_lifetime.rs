//! How long a connection may last: `auth.max_connection_seconds`.

use serde::Deserialize;

use super::UnknownValue;

/// How long a connection may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "NumberOrText")]
pub enum ConnectionLifetime {
    /// An agent's as long as the token that opened it; a customer's without limit.
    Token,
    /// As for [`ConnectionLifetime::Token`], and any one's this many seconds at most.
    Seconds(u64),
    /// Without limit.
    Unlimited,
}

/// As a file spells it, or an environment variable.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

/// A year.
const MAX_SECONDS: u64 = 31_536_000;

impl TryFrom<NumberOrText> for ConnectionLifetime {
    type Error = UnknownValue;

    fn try_from(value: NumberOrText) -> Result<Self, UnknownValue> {
        let number = match &value {
            NumberOrText::Number(number) => Some(*number),
            NumberOrText::Text(text) if text == "token" => return Ok(Self::Token),
            NumberOrText::Text(text) => text.parse().ok(),
        };
        match number {
            Some(0) => Ok(Self::Unlimited),
            Some(seconds) if seconds <= MAX_SECONDS => Ok(Self::Seconds(seconds)),
            _ => {
                let got = match value {
                    NumberOrText::Number(number) => number.to_string(),
                    NumberOrText::Text(text) => text,
                };
                Err(UnknownValue { got, allowed: "`token`, or whole seconds from 0 to 31536000" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::{load, load_error};

    const VARIABLE: &str = "SWITCHBOARD__AUTH__MAX_CONNECTION_SECONDS";

    #[test]
    fn it_is_that_of_the_token_or_a_number_of_seconds() {
        for (value, expected) in [
            ("token", ConnectionLifetime::Token),
            ("0", ConnectionLifetime::Unlimited),
            ("1", ConnectionLifetime::Seconds(1)),
            ("31536000", ConnectionLifetime::Seconds(31_536_000)),
        ] {
            let (_, settings) = load(&[(VARIABLE, value)]).expect("these settings should load");
            assert_eq!(settings.auth.max_connection_seconds, expected, "{value}");
        }
        let (_, settings) = load(&[]).expect("the defaults");
        assert_eq!(settings.auth.max_connection_seconds, ConnectionLifetime::Token);
        for value in ["31536001", "-1", "1.5", "Token", "", "an hour"] {
            let error = load_error(&[(VARIABLE, value)]);
            assert!(error.contains("`token`, or whole seconds from 0 to 31536000"), "{value}: {error}");
        }
    }

    #[test]
    fn a_number_in_a_file_is_one() {
        let parsed: Result<ConnectionLifetime, _> = serde_json::from_str("60");
        assert_eq!(parsed.ok(), Some(ConnectionLifetime::Seconds(60)));
    }
}
