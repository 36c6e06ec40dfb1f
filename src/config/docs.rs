//! The API's own documentation.

use schemars::JsonSchema;
use serde::Deserialize;

/// The API's own documentation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocsSettings {
    /// Whether `/openapi.json` and `/docs`, a page to read and try the API, are served. Allowed: `true`, `false`.
    /// Default: `true`; production: `false`.
    pub enabled: bool,
}
