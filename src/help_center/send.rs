//! A send, by whichever door.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::{ClientMessageId, MessageText};
use crate::json_schema::HelpCenterText;
use crate::wire::Validator;

/// What the app sends; every field may be missing or null, and each rule is checked behind this.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HelpCenterSendRequest")]
pub(crate) struct SendBody {
    #[schemars(with = "HelpCenterText")]
    text: Option<String>,
    #[schemars(with = "Option<ClientMessageId>")]
    pub(crate) client_message_id: Option<String>,
}

impl SendBody {
    /// How the app spells a send's name.
    pub(crate) const CLIENT_MESSAGE_ID: &str = "clientMessageId";

    /// What is wrong with the text goes into `fields`.
    pub(crate) fn text(&self, fields: &mut Validator) -> Option<MessageText> {
        fields.required("text", self.text.as_deref(), MessageText::parse_for_help_center)
    }
}
