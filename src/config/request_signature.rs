//! What requests without a token must prove: the section `guard`.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::invalid::{InvalidSetting, UnknownValue};

/// What requests without a token must prove.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSignatureSettings {
    /// What a request without a token must carry: nothing, the device headers, or also a signature. Allowed: `off`,
    /// `device`, `signed`. Default: `"off"`; production: `"signed"`.
    #[schemars(with = "String")]
    pub mode: SignatureMode,
    /// Secret that the apps sign with. Allowed: 32 bytes or more if the mode is `signed`; in production no other secret,
    /// not the development secret, and 80 bits of entropy or more, as `auth.jwt_secret`. Default: `""`.
    #[schemars(with = "String")]
    pub secret: SecretString,
}

/// What a request without a token must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum SignatureMode {
    /// Nothing.
    Off,
    /// The device headers.
    Device,
    /// The device headers and a signature.
    Signed,
}

impl TryFrom<String> for SignatureMode {
    type Error = UnknownValue;

    fn try_from(value: String) -> Result<Self, UnknownValue> {
        match value.as_str() {
            "off" => Ok(Self::Off),
            "device" => Ok(Self::Device),
            "signed" => Ok(Self::Signed),
            _ => Err(UnknownValue { got: value, allowed: "`off`, `device`, `signed`" }),
        }
    }
}

impl RequestSignatureSettings {
    pub(super) fn invalid(&self) -> Option<InvalidSetting> {
        let length = self.secret.expose_secret().len();
        (self.mode == SignatureMode::Signed && length < 32).then(|| InvalidSetting {
            key: "guard.secret",
            got: if length == 0 { "not set".to_owned() } else { format!("a secret of {length} bytes") },
            allowed: "a secret of 32 bytes or more where guard.mode is \"signed\"".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::{load, load_error};

    #[test]
    fn signed_requests_need_a_secret() {
        let secret = "0123456789abcdef0123456789abcdef";
        let production = [("SWITCHBOARD_ENV", "production"), ("JWT_SECRET", secret)];
        let error = load_error(&production);
        assert!(error.contains("guard.secret is not set; allowed:"), "{error}");
        let [environment, token_secret] = production;
        let guard_secret = ("SWITCHBOARD__GUARD__SECRET", "fedcba9876543210fedcba9876543210");
        load(&[environment, token_secret, guard_secret]).expect("these should load");
        load(&[environment, token_secret, ("SWITCHBOARD__GUARD__MODE", "device")]).expect("these should load");
    }
}
