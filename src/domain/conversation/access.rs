//! Whose a conversation is: what its customer may read, join and write, on which channel.

use super::Conversation;
use crate::domain::{Channel, EmailAddress, Owner, Refusal, UserId};

impl Conversation {
    /// Whether this account owns it, in any channel.
    ///
    /// # Errors
    /// [`Refusal::AccessDenied`].
    pub fn permit_owner(&self, account: &UserId) -> Result<(), Refusal> {
        match &self.owner {
            Owner::Account(owner) if owner == account => Ok(()),
            _ => Err(Refusal::AccessDenied),
        }
    }

    /// Whether it is a conversation that belongs to this guest. Otherwise the guest's token is void.
    #[must_use]
    pub fn is_of_guest(&self, email: &EmailAddress) -> bool {
        self.channel == Channel::Support && self.owner == Owner::Guest(email.clone())
    }

    /// The same, for what a guest asks for.
    ///
    /// # Errors
    /// [`Refusal::AccessDenied`].
    pub fn permit_guest(&self, email: &EmailAddress) -> Result<(), Refusal> {
        if self.is_of_guest(email) { Ok(()) } else { Err(Refusal::AccessDenied) }
    }

    /// Whether a customer may read and join it as one of their conversations on `/support`. Those of the help center are
    /// not among them.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] or [`Refusal::AccessDenied`].
    pub fn permit_customer(&self, account: &UserId) -> Result<(), Refusal> {
        match self.channel {
            Channel::Support => self.permit_owner(account),
            Channel::HelpCenter | Channel::Ticket => Err(Refusal::NotFound),
        }
    }
}
