//! The help center.

use serde::Deserialize;

use super::{InvalidSetting, UnknownWord};
use crate::domain::{AutoReply, AutoReplyPolicy, MessageText};

/// The help center.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelpCenterSettings {
    /// The message that follows a customer's by itself.
    pub auto_reply: AutoReplySettings,
}

/// The message that follows a customer's by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoReplySettings {
    /// When it follows. Default `unassigned`.
    pub policy: PolicySetting,
    /// What it says.
    pub text: String,
    /// Whom it is shown to come from. Default `Support`.
    pub sender_name: String,
}

/// `unassigned`: behind each message of the customer while no agent holds the conversation; `first`: behind their very
/// first one; `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PolicySetting(pub AutoReplyPolicy);

impl TryFrom<String> for PolicySetting {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        match word.as_str() {
            "unassigned" => Ok(Self(AutoReplyPolicy::Unassigned)),
            "first" => Ok(Self(AutoReplyPolicy::First)),
            "never" => Ok(Self(AutoReplyPolicy::Never)),
            _ => Err(UnknownWord { got: word, allowed: "`unassigned`, `first`, `never`" }),
        }
    }
}

/// The most characters of a sender's name.
const NAME_LENGTH: usize = 100;

impl AutoReplySettings {
    /// The auto-reply as it is configured; `None` where [`problems`] has something to say.
    #[must_use]
    pub fn auto_reply(&self) -> Option<AutoReply> {
        let text = MessageText::parse_for_help_center(&self.text).ok()?;
        Some(AutoReply { policy: self.policy.0, text, sender_name: self.sender_name.trim().to_owned() })
    }
}

pub(super) fn problems(settings: &HelpCenterSettings) -> Vec<InvalidSetting> {
    let AutoReplySettings { text, sender_name, .. } = &settings.auto_reply;
    let text = MessageText::parse_for_help_center(text).err().map(|error| InvalidSetting {
        key: "help_center.auto_reply.text",
        got: format!("a text that {error}"),
        allowed: format!("1 to {} characters", MessageText::MAX_LENGTH_IN_HELP_CENTER),
    });
    let length = sender_name.trim().chars().count();
    let is_name = (1..=NAME_LENGTH).contains(&length) && !sender_name.contains('\0');
    let sender_name = (!is_name).then(|| InvalidSetting {
        key: "help_center.auto_reply.sender_name",
        got: format!("{sender_name:?}"),
        allowed: format!("1 to {NAME_LENGTH} characters"),
    });
    text.into_iter().chain(sender_name).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::check::tests::{complaint, load};
    use crate::domain::AutoReplyPolicy;

    #[test]
    fn an_auto_reply_has_a_policy_that_is_known() {
        for (word, policy) in [
            ("unassigned", AutoReplyPolicy::Unassigned),
            ("first", AutoReplyPolicy::First),
            ("never", AutoReplyPolicy::Never),
        ] {
            let (_, settings) = load(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY", word)]).expect("valid");
            assert_eq!(settings.help_center.auto_reply.auto_reply().expect("valid").policy, policy);
        }
        let complaint = complaint(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY", "always")]);
        assert!(complaint.contains("`unassigned`, `first`, `never`"), "{complaint}");
    }

    #[test]
    fn its_text_is_a_message_and_stays_as_it_was_given() {
        let (_, settings) = load(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__TEXT", "24")]).expect("valid");
        assert_eq!(settings.help_center.auto_reply.auto_reply().expect("valid").text.as_str(), "24");
        let too_long = "x".repeat(2001);
        for text in [" ", too_long.as_str()] {
            let complaint = complaint(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__TEXT", text)]);
            assert!(complaint.contains("help_center.auto_reply.text"), "{complaint}");
        }
    }

    #[test]
    fn its_sender_has_a_name() {
        let too_long = "x".repeat(101);
        for name in [" ", too_long.as_str()] {
            let complaint = complaint(&[("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__SENDER_NAME", name)]);
            assert!(complaint.contains("help_center.auto_reply.sender_name"), "{complaint}");
        }
    }
}
