//! Cross-origin requests.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::invalid::InvalidSetting;

/// Cross-origin requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorsSettings {
    /// Origins that may call, such as `https://app.example.com`; `*` means any. Allowed: `*` or origins. Default:
    /// `["*"]`; production: `[]`.
    pub origins: Vec<String>,
    /// Whether requests may carry credentials such as cookies; not together with `*`. Allowed: `true`, `false`. Default:
    /// `false`.
    pub credentials: bool,
}

impl CorsSettings {
    pub(super) fn invalid(&self) -> Vec<InvalidSetting> {
        let with_any = self.credentials && self.origins.iter().any(|origin| origin == "*");
        let with_any = with_any.then(|| InvalidSetting {
            key: "cors.origins",
            got: "\"*\" together with cors.credentials".to_owned(),
            allowed: "a list of origins, or cors.credentials = false".to_owned(),
        });
        let is_origin =
            |text: &str| text == "*" || Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text);
        let malformed = self.origins.iter().filter(|origin| !is_origin(origin)).map(|origin| InvalidSetting {
            key: "cors.origins",
            got: format!("{origin:?}"),
            allowed: "\"*\", or origins such as \"https://app.example.com\"".to_owned(),
        });
        with_any.into_iter().chain(malformed).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::load_error;

    #[test]
    fn any_origin_together_with_credentials_is_refused() {
        let error = load_error(&[
            ("SWITCHBOARD_ENV", "production"),
            ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
            ("SWITCHBOARD__CORS__ORIGINS", "*"),
            ("SWITCHBOARD__CORS__CREDENTIALS", "true"),
        ]);
        assert!(error.contains("cors.origins is \"*\" together with cors.credentials"), "{error}");
    }
}
