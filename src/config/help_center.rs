//! The help center.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, UnknownValue};
use crate::domain::{AutoReply, AutoReplyPolicy, MessageText};

/// The help center.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HelpCenterSettings {
    /// The automatic answer to a customer's message.
    pub auto_reply: AutoReplySettings,
}

/// The automatic answer to a customer's message.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoReplySettings {
    /// Which of a customer's messages get the automatic answer: each one while no agent has the conversation, only the
    /// customer's very first, or none. Allowed: `unassigned`, `first`, `never`. Default: `"unassigned"`.
    #[schemars(with = "String")]
    pub policy: AutoReplyPolicyValue,
    /// Text of the answer. Allowed: 1 to 2000 characters. Default: `"Thanks for your message! Our team has received it
    /// and will answer here as soon as possible."`.
    pub text: String,
    /// Sender that agents see; customers see `support`. Allowed: 1 to 100 characters. Default: `"Support"`.
    pub sender_name: String,
}

/// An [`AutoReplyPolicy`] as the setting spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AutoReplyPolicyValue(pub AutoReplyPolicy);

impl TryFrom<String> for AutoReplyPolicyValue {
    type Error = UnknownValue;

    fn try_from(value: String) -> Result<Self, UnknownValue> {
        match value.as_str() {
            "unassigned" => Ok(Self(AutoReplyPolicy::Unassigned)),
            "first" => Ok(Self(AutoReplyPolicy::First)),
            "never" => Ok(Self(AutoReplyPolicy::Never)),
            _ => Err(UnknownValue { got: value, allowed: "`unassigned`, `first`, `never`" }),
        }
    }
}

/// Characters of a sender's name.
const MAX_NAME_LENGTH: usize = 100;

impl AutoReplySettings {
    /// The configured answer; `None` if the text is invalid, which [`Settings::load`](super::Settings::load) refuses.
    #[must_use]
    pub fn auto_reply(&self) -> Option<AutoReply> {
        let text = MessageText::parse_for_help_center(&self.text).ok()?;
        Some(AutoReply { policy: self.policy.0, text, sender_name: self.sender_name.trim().to_owned() })
    }
}

impl HelpCenterSettings {
    pub(super) fn invalid(&self) -> Vec<InvalidSetting> {
        let AutoReplySettings { text, sender_name, .. } = &self.auto_reply;
        let text = MessageText::parse_for_help_center(text).err().map(|error| InvalidSetting {
            key: "help_center.auto_reply.text",
            got: format!("a text that {error}"),
            allowed: format!("1 to {} characters", MessageText::MAX_LENGTH_IN_HELP_CENTER),
        });
        let length = sender_name.trim().chars().count();
        let is_name = (1..=MAX_NAME_LENGTH).contains(&length) && !sender_name.contains('\0');
        let sender_name = (!is_name).then(|| InvalidSetting {
            key: "help_center.auto_reply.sender_name",
            got: format!("{sender_name:?}"),
            allowed: format!("1 to {MAX_NAME_LENGTH} characters"),
        });
        text.into_iter().chain(sender_name).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::{load, load_error};
    use crate::domain::AutoReplyPolicy;

    #[test]
    fn the_policy_is_one_of_three() {
        for (word, policy) in [
            ("unassigned", AutoReplyPolicy::Unassigned),
            ("first", AutoReplyPolicy::First),
            ("never", AutoReplyPolicy::Never),
        ] {
            let (_, settings) = load(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY", word)]).expect("valid");
            assert_eq!(settings.help_center.auto_reply.auto_reply().expect("valid").policy, policy);
        }
        let error = load_error(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY", "always")]);
        assert!(error.contains("`unassigned`, `first`, `never`"), "{error}");
    }

    #[test]
    fn the_text_is_a_valid_message_and_is_not_parsed_as_a_number() {
        let (_, settings) = load(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__TEXT", "24")]).expect("valid");
        assert_eq!(settings.help_center.auto_reply.auto_reply().expect("valid").text.as_str(), "24");
        let too_long = "x".repeat(2001);
        for text in [" ", too_long.as_str()] {
            let error = load_error(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__TEXT", text)]);
            assert!(error.contains("help_center.auto_reply.text"), "{error}");
        }
    }

    #[test]
    fn the_sender_has_a_name() {
        let too_long = "x".repeat(101);
        for name in [" ", too_long.as_str()] {
            let error = load_error(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__SENDER_NAME", name)]);
            assert!(error.contains("help_center.auto_reply.sender_name"), "{error}");
        }
    }
}
