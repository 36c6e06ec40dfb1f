//! The id of a conversation that is about to begin.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

use crate::domain::{ConversationId, Open, UserId};

/// Gives ids to new conversations.
///
/// A first send with a `client_message_id` gets an id derived from its sender and that name, so that a repeat of it, on
/// any server, meets the same conversation; an account's conversation in the help center gets one derived from the
/// account, so that two devices that come at once meet in it. The derivation is keyed: nobody can choose an id, or tell
/// one beforehand.
#[derive(Clone)]
pub struct ConversationIds {
    first_sends: Hmac<Sha256>,
    help_center: Hmac<Sha256>,
}

impl ConversationIds {
    /// Derives ids under keys of their own made from the server's secret, the same on every server of a cluster. When
    /// the secret changes, repeats across the change are still found, by their name, and a conversation in the help
    /// center by its account.
    ///
    /// # Errors
    /// Never for a secret that HMAC takes, which is any.
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

    /// The id for the conversation that this first message begins.
    #[must_use]
    pub fn for_opening(&self, open: &Open) -> ConversationId {
        let Some(key) = open.idempotency_key() else { return ConversationId(Uuid::now_v7()) };
        let mut derivation = self.first_sends.clone();
        // The length in front keeps two pairs with the same concatenation apart.
        derivation.update(&(key.sender.len() as u64).to_be_bytes());
        derivation.update(key.sender.as_bytes());
        derivation.update(key.client_message_id.as_str().as_bytes());
        derived(derivation)
    }

    /// The id for an account's conversation in the help center.
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
