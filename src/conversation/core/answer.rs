//! Answers to commands. Every kind of command has one type of answer; [`Responder`] keeps the two together on the way
//! through the machine.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::domain::{
    AddNote, AnswerHandover, AssignConversation, AssignTicket, Assignee, Author, Change, Channel, Claim, ClaimGuest,
    Close, Command, Conversation, ConversationId, CreateTicket, EnterHelpCenter, Event, ExpireHandover, Handover,
    HelpCenterPost, Open, Ownership, Posted, PrioritiseTicket, Refusal, Release, Reopen, RequestHandover, SendMessage,
    SendReply, SetTicketStatus, SubmitRating, TakeOver, Target, UserId, WithdrawHandover,
};

/// Why a command has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database cannot be reached, or did not answer in time. Retryable; the command may have taken effect.
    #[error("the database is not available")]
    Unavailable,
    /// A queue is full. Retryable.
    #[error("too much is waiting")]
    Overloaded,
    /// A defect of ours.
    #[error("the conversation's actor failed")]
    Fault,
}

/// A conversation that a first message has opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The conversation as of its first message.
    pub conversation: Arc<Conversation>,
    /// The first message.
    pub message: Arc<Posted>,
}

/// A customer's message that is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The message.
    pub message: Arc<Posted>,
    /// The conversation as of its first message, where this is that message: the client repeats its opening send, and
    /// by now knows the conversation's id.
    pub opened: Option<Arc<Conversation>>,
}

/// The conversation after the command.
pub type ConversationState = Arc<Conversation>;

/// A kind of command, and what it is answered with. Everything in an answer is stored.
pub trait ConversationCommand: Into<Command> + sealed::Respond<Self::Answer> {
    /// The answer.
    type Answer: Send + 'static;
}

/// Where the answer to one command goes.
pub type Reply<Answer> = oneshot::Sender<Result<Answer, CommandError>>;

/// Answers one command, with the type of answer that its kind has.
#[derive(Debug)]
pub enum Responder {
    /// For [`Open`].
    Opened(Reply<Opened>),
    /// For [`SendMessage`].
    Sent(Reply<Sent>),
    /// For other messages.
    Posted(Reply<Arc<Posted>>),
    /// For [`Claim`] and [`Reopen`].
    Claimed(Reply<Assignee>),
    /// For [`TakeOver`] and [`AssignConversation`].
    Owned(Reply<Ownership>),
    /// For [`RequestHandover`].
    HandoverRequested(Reply<Box<Handover>>),
    /// For what is answered with the conversation as it is then.
    State(Reply<ConversationState>),
    /// For what is answered with nothing but success.
    Done(Reply<()>),
}

mod sealed {
    use super::{Reply, Responder};

    /// Not nameable outside, so that a kind of command cannot have two types of answer.
    pub trait Respond<Answer> {
        /// The responder for this kind.
        fn responder(reply: Reply<Answer>) -> Responder;
    }
}

macro_rules! answers {
    ($($command:ident => $responder:ident, $answer:ty;)+) => {
        $(
            impl ConversationCommand for $command {
                type Answer = $answer;
            }

            impl sealed::Respond<$answer> for $command {
                        fn responder(reply: Reply<$answer>) -> Responder {
                    Responder::$responder(reply)
                }
            }
        )+
    };
}

answers! {
    Open => Opened, Opened;
    SendMessage => Sent, Sent;
    SendReply => Posted, Arc<Posted>;
    AddNote => Posted, Arc<Posted>;
    HelpCenterPost => Posted, Arc<Posted>;
    Claim => Claimed, Assignee;
    Reopen => Claimed, Assignee;
    TakeOver => Owned, Ownership;
    AssignConversation => Owned, Ownership;
    RequestHandover => HandoverRequested, Box<Handover>;
    CreateTicket => State, ConversationState;
    SetTicketStatus => State, ConversationState;
    AssignTicket => State, ConversationState;
    PrioritiseTicket => State, ConversationState;
    EnterHelpCenter => State, ConversationState;
    Close => Done, ();
    SubmitRating => Done, ();
    AnswerHandover => Done, ();
    WithdrawHandover => Done, ();
    ExpireHandover => Done, ();
    Release => Done, ();
    ClaimGuest => Done, ();
}

/// What a command led to; the answer is made of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was carried out.
    Applied {
        /// The state after it.
        state: Arc<Conversation>,
        /// The message that it wrote.
        message: Option<Arc<Posted>>,
        /// The agent whom it took the conversation from.
        previous: Option<UserId>,
    },
    /// It repeats a send that was carried out before.
    Repeated(CachedSend),
}

impl Outcome {
    /// Of a command that was carried out with these events, none if it changed nothing.
    pub fn applied(state: Arc<Conversation>, events: &[Event]) -> Self {
        // The caller's own message, not the auto-reply that follows it.
        let is_own = |posted: &Posted| !matches!(posted.message.author, Author::AutoReply { .. });
        let message = events.iter().filter_map(Event::posted).rfind(is_own).map(Arc::new);
        let previous = events.iter().find_map(|event| match &event.change {
            Change::TakenOver { previous, .. } => Some(previous.id.clone()),
            Change::Assigned { previous, .. } => previous.as_ref().map(|previous| previous.id.clone()),
            _ => None,
        });
        Self::Applied { state, message, previous }
    }

    /// The message that the command wrote.
    pub fn message(&self) -> Option<&Arc<Posted>> {
        match self {
            Self::Applied { message, .. } => message.as_ref(),
            Self::Repeated(send) => Some(&send.message),
        }
    }

    fn into_message(self) -> Option<Arc<Posted>> {
        match self {
            Self::Applied { message, .. } => message,
            Self::Repeated(send) => Some(send.message),
        }
    }

    fn into_opened(self) -> Option<Opened> {
        match self {
            Self::Applied { state: conversation, message, .. } => {
                message.map(|message| Opened { conversation, message })
            }
            Self::Repeated(CachedSend { message, opened }) => {
                opened.map(|conversation| Opened { conversation, message })
            }
        }
    }

    fn into_sent(self) -> Option<Sent> {
        match self {
            Self::Applied { message, .. } => message.map(|message| Sent { message, opened: None }),
            Self::Repeated(CachedSend { message, opened }) => Some(Sent { message, opened }),
        }
    }

    fn into_state(self) -> Option<Arc<Conversation>> {
        match self {
            Self::Applied { state, .. } => Some(state),
            Self::Repeated(_) => None,
        }
    }

    fn into_ownership(self) -> Option<Ownership> {
        match self {
            Self::Applied { state, previous, .. } => Some(Ownership { assignee: state.assignee.clone()?, previous }),
            Self::Repeated(_) => None,
        }
    }
}

impl Responder {
    /// A responder, and where its answer arrives.
    pub fn new<C: ConversationCommand>() -> (Self, oneshot::Receiver<Result<C::Answer, CommandError>>) {
        let (reply, answer) = oneshot::channel();
        (<C as sealed::Respond<C::Answer>>::responder(reply), answer)
    }

    /// Whether the caller has given up waiting.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Opened(reply) => reply.is_closed(),
            Self::Sent(reply) => reply.is_closed(),
            Self::Posted(reply) => reply.is_closed(),
            Self::Claimed(reply) => reply.is_closed(),
            Self::Owned(reply) => reply.is_closed(),
            Self::HandoverRequested(reply) => reply.is_closed(),
            Self::State(reply) => reply.is_closed(),
            Self::Done(reply) => reply.is_closed(),
        }
    }

    /// Answers. A caller that has given up gets nothing.
    pub fn respond(self, outcome: Result<Outcome, CommandError>) {
        match self {
            Self::Opened(reply) => send(reply, outcome, Outcome::into_opened),
            Self::Sent(reply) => send(reply, outcome, Outcome::into_sent),
            Self::Posted(reply) => send(reply, outcome, Outcome::into_message),
            Self::Claimed(reply) => send(reply, outcome, |outcome| outcome.into_state()?.assignee.clone()),
            Self::Owned(reply) => send(reply, outcome, Outcome::into_ownership),
            Self::HandoverRequested(reply) => {
                send(reply, outcome, |outcome| outcome.into_state()?.pending_handover.clone());
            }
            Self::State(reply) => send(reply, outcome, Outcome::into_state),
            Self::Done(reply) => send(reply, outcome, |_| Some(())),
        }
    }
}

/// `answer` is `None` only if the rules have a defect: a claim that leaves the conversation without an assignee.
fn send<Answer>(
    reply: Reply<Answer>,
    outcome: Result<Outcome, CommandError>,
    answer: impl FnOnce(Outcome) -> Option<Answer>,
) {
    // An error means that the caller has given up.
    let _ = reply.send(outcome.and_then(|outcome| answer(outcome).ok_or(CommandError::Fault)));
}

/// A send that was decided before, or found in the database.
#[derive(Clone, Debug)]
pub struct CachedSend {
    message: Arc<Posted>,
    /// The conversation that the message opened, as of that message; `None` for any other message.
    opened: Option<Arc<Conversation>>,
}

impl CachedSend {
    /// Of a message and its conversation, as of that message or later.
    pub fn new(message: Arc<Posted>, conversation: &Conversation) -> Self {
        // In the help center the conversation exists before its first message, which opens nothing.
        let opens = conversation.channel != Channel::HelpCenter
            && message.message.is_opening()
            && message.message.author.is_customer();
        let opened = opens.then(|| Arc::new(conversation.as_opened(&message.message)));
        Self { message, opened }
    }

    /// The message.
    pub fn message(&self) -> &Posted {
        &self.message
    }

    /// The outcome of a command under the same key: the first one's, if this is its repeat.
    ///
    /// # Errors
    /// [`Refusal::ClientMessageIdReused`] if it is another send.
    pub fn repeat(&self, command: &Command, conversation: ConversationId) -> Result<Outcome, Refusal> {
        let is_repeat = match command {
            Command::Open(open) => self.opened.as_ref().is_some_and(|opened| {
                let target = if opened.channel == Channel::Ticket { Target::Ticket } else { Target::Conversation };
                target == open.target()
            }),
            _ => self.message.conversation == conversation,
        };
        if is_repeat && command.would_write(&self.message.message) {
            Ok(Outcome::Repeated(self.clone()))
        } else {
            Err(Refusal::ClientMessageIdReused)
        }
    }
}
