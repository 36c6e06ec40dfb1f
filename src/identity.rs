//! Authentication: a token becomes a [`Principal`], who is recorded in the user directory (`decisions.md`, "Who is
//! who"). Requests without a token may have to be signed.
//!
//! Authorisation is elsewhere: the API and the sockets check roles, `domain` checks ownership.

mod directory;
mod guest;
mod guest_tokens;
mod keys;
mod latest_role;
mod nonces;
mod principal;
mod request_signature;
mod roles;
mod rsa_key;
mod token;
mod token_cache;
mod verifier;

pub use directory::Directory;
pub use guest::{Guest, GuestPlace};
pub use guest_tokens::GuestTokens;
pub use keys::KeyFileError;
pub use nonces::NonceStore;
pub use principal::{Identity, Person, Principal, TokenError};
pub use request_signature::{Nonce, RequestRefusal, RequestVerifier, SignedRequest};
pub use roles::{RoleListener, Roles};
pub use token::{TokenClaims, sign, sign_as_configured};
pub use verifier::Verifier;
