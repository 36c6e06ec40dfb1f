//! The apps that conversations are opened in.

/// The app that a conversation was opened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The support app (`support-user.md`).
    Support,
    /// The help center (`help-center.md`).
    HelpCenter,
    /// The thread of a ticket that was created without a conversation. It is not shown as a conversation.
    Ticket,
}

impl Channel {
    /// As storage and the wire spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::HelpCenter => "help_center",
            Self::Ticket => "ticket",
        }
    }

    /// Reads [`Channel::as_str`] back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Support, Self::HelpCenter, Self::Ticket].into_iter().find(|channel| channel.as_str() == text)
    }
}
