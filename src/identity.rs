//! Who is calling: a token becomes a [`Principal`], and whoever has come is kept in the directory of people
//! (`decisions.md`, "Who is who").
//!
//! What a principal may do is decided elsewhere: their role by the edge, ownership by `domain`.

mod directory;
mod keys;
mod nonces;
mod principal;
mod request_signature;
mod rsa_key;
mod token;
mod token_cache;
mod verifier;

pub use directory::Directory;
pub use keys::KeyFileError;
pub use nonces::Nonces;
pub use principal::{Identity, Principal, TokenError};
pub use request_signature::{Guard, GuardRefusal, GuardedRequest, Nonce};
pub use token::{TokenClaims, sign, sign_as_configured};
pub use verifier::Verifier;
