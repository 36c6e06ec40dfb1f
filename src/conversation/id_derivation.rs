//! Derivation of the ids of new conversations.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

use crate::domain::{ConversationId, Open, UserId};

/// Derives the ids of new conversations.
///
/// The id of a conversation opened with a `client_message_id` is derived from the sender and that id, so that a repeat,
/// on any server, addresses the same conversation. An account's conversation in the help center has an id derived from
/// the account, so that two devices that connect at the same time address the same one. The derivation is keyed: a
/// client can neither choose nor predict an id.
#[derive(Clone)]
pub struct ConversationIds {
    first_sends: Hmac<Sha256>,
    help_center: Hmac<Sha256>,
}

impl ConversationIds {
    /// Derives its keys from the server's secret, which is the same on every server of a cluster. When the secret
    /// changes, repeats across the change are still found by their idempotency key, and a conversation in the help
    /// center by its account.
    ///
    /// # Errors
    /// Never: HMAC takes a key of any length.
    pub fn new(secret: &SecretString) -> Result<Self, hmac::digest::InvalidLength> {
        let key = |label: &[u8]| {
            let mut key = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())?;
            key.update(label);
            Hmac::new_from_slice(&key.finalize().into_bytes())
        };
        Ok(Self {
            first_sends: key(b"switchboard conversation id v1")?,
            help_center: key(b"switchboard help center id v1")?,
        })
    }

    /// The id of the conversation that this first message opens.
    #[must_use]
    pub fn for_opening(&self, open: &Open) -> ConversationId {
        let Some(key) = open.idempotency_key() else { return ConversationId(Uuid::now_v7()) };
        let mut derivation = self.first_sends.clone();
        // The length prefix separates two pairs with the same concatenation.
        derivation.update(&(key.sender.len() as u64).to_be_bytes());
        derivation.update(key.sender.as_bytes());
        derivation.update(key.client_message_id.as_str().as_bytes());
        derived(derivation)
    }

    /// The id of an account's conversation in the help center.
    #[must_use]
    pub fn for_help_center(&self, account: &UserId) -> ConversationId {
        let mut derivation = self.help_center.clone();
        derivation.update(account.as_str().as_bytes());
        derived(derivation)
    }
}

fn derived(derivation: Hmac<Sha256>) -> ConversationId {
    let digest = derivation.finalize().into_bytes();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, derived)| *byte = derived);
    ConversationId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

impl std::fmt::Debug for ConversationIds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ConversationIds")
    }
}
