//! The enumerations of a ticket: status, priority and type (`support-admin.md`, "Tickets").

macro_rules! values {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them, in the order in which the contract lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As storage and the wire spell it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Reads [`Self::as_str`] back.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }
    };
}

values! {
    /// A ticket's status.
    TicketStatus {
        /// Support has not answered.
        Pending = "pending",
        /// Support works on it.
        InProgress = "in_progress",
        /// Support waits for the customer.
        WaitingUser = "waiting_user",
        /// Solved.
        Resolved = "resolved",
        /// Closed.
        Closed = "closed",
        /// Escalated.
        Escalated = "escalated",
    }
}

impl TicketStatus {
    /// Those of a ticket that waits for support.
    pub const OPEN: [Self; 3] = [Self::Pending, Self::InProgress, Self::Escalated];

    /// Whether the ticket is done: the customer cannot write to it, and may rate it.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }
}

values! {
    /// Priority of a ticket, the least urgent first.
    TicketPriority {
        /// Can wait.
        Low = "low",
        /// Normal.
        Medium = "medium",
        /// Soon.
        High = "high",
        /// Immediately.
        Urgent = "urgent",
    }
}

impl TicketPriority {
    /// 1 for the least urgent to 4, to sort by.
    #[must_use]
    pub fn rank(self) -> i16 {
        match self {
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
            Self::Urgent => 4,
        }
    }
}

values! {
    /// What a ticket is about.
    SupportType {
        /// Registering.
        RegistrationIssue = "REGISTRATION_ISSUE",
        /// Signing in.
        LoginIssue = "LOGIN_ISSUE",
        /// A transaction.
        TransactionIssue = "TRANSACTION_ISSUE",
        /// A payment.
        PaymentIssue = "PAYMENT_ISSUE",
        /// The account.
        AccountIssue = "ACCOUNT_ISSUE",
        /// The wallet.
        WalletIssue = "WALLET_ISSUE",
        /// A card.
        CardIssue = "CARD_ISSUE",
        /// Proof of identity.
        KycVerificationIssue = "KYC_VERIFICATION_ISSUE",
        /// Safety.
        SecurityIssue = "SECURITY_ISSUE",
        /// A feature request.
        FeatureRequest = "FEATURE_REQUEST",
        /// A bug report.
        BugReport = "BUG_REPORT",
        /// Billing.
        BillingIssue = "BILLING_ISSUE",
        /// A refund.
        RefundRequest = "REFUND_REQUEST",
        /// A question.
        GeneralInquiry = "GENERAL_INQUIRY",
        /// Anything else.
        Other = "OTHER",
    }
}

impl SupportType {
    /// The priority of a customer's ticket of this kind, unless they choose one (`decisions.md`, "Tickets without an
    /// agent").
    #[must_use]
    pub fn default_priority(self) -> TicketPriority {
        match self {
            Self::SecurityIssue | Self::RefundRequest | Self::RegistrationIssue | Self::LoginIssue => {
                TicketPriority::High
            }
            Self::FeatureRequest | Self::GeneralInquiry | Self::Other => TicketPriority::Low,
            _ => TicketPriority::Medium,
        }
    }
}
