//! What happened in a run, as its clients saw it: every call from its invocation to its end, what every listener was
//! shown, and what was read back at last. [`super::checker`] judges it.
//!
//! It knows nothing of how a call is made or an event arrives, so whoever tests a server under faults can record one
//! too. Moments are the recorder's own clock. What listeners see is kept as runs, since nearly all of it is the next
//! message of the one order: a listener costs memory where it differs, not for each message.

use std::ops::{Index, IndexMut};
use std::time::Duration;

use super::recording::{Heard, ListenerRecord};

/// Since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// A call that never ended ends here.
    pub const NEVER: Self = Self(u64::MAX);

    /// So long after the run began.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    /// How long after `earlier` it is; nothing where it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
    };
}

key! {
    /// Somebody who calls or listens.
    Person
}
key! {
    /// A conversation of the run.
    Conversation
}
key! {
    /// Something that somebody asked for.
    Call
}
key! {
    /// A client that has joined a conversation, over all its connections.
    Listener
}

/// Which message it is, told by what it says and not by what the server calls it: so a message that was stored twice
/// under two ids is seen to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The message of this call.
    Of(Call),
    /// Somebody else's, told by its id.
    Foreign(u64),
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The customer begins the conversation with a message.
    Open,
    /// The customer writes.
    Send,
    /// An agent writes; takes the conversation where nobody has it.
    Reply,
    /// An agent writes what only agents may see.
    Note,
    /// An agent takes it.
    Claim,
    /// An agent closes it.
    Close,
    /// The customer rates it.
    Rate,
    /// Its agent offers it to this one.
    Handover(Person),
    /// Whom it was offered to says yes or no to that offer.
    Respond {
        /// The call that made the offer.
        handover: Call,
        /// Yes.
        accept: bool,
    },
}

impl Action {
    /// Whether it makes a message that the customer sees.
    #[must_use]
    pub fn is_visible(self) -> bool {
        matches!(self, Self::Open | Self::Send | Self::Reply)
    }
}

/// Why the server did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The conversation is closed.
    Closed,
    /// It is another agent's.
    HeldByAnother,
    /// It is not closed yet.
    NotClosed,
    /// It is rated already.
    AlreadyRated,
    /// A handover is pending already.
    HandoverPending,
    /// The handover has its answer already.
    HandoverResolved,
    /// Something that says nothing of the conversation's state: a limit, a bad request.
    Other,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done. A visible message has its `seq`.
    Ok {
        /// The place in the order, where the answer named one.
        seq: Option<i64>,
    },
    /// It was not, and nothing has happened.
    Refused(Refusal),
    /// Nobody knows: the connection broke, the answer was 503, or there was none. It happened once or not at all.
    Unknown,
}

/// A call from beginning to end.
#[derive(Clone, Copy, Debug)]
pub struct CallRecord {
    /// In which conversation.
    pub conversation: Conversation,
    /// By whom.
    pub by: Person,
    /// What was asked for.
    pub action: Action,
    /// When the request left.
    pub invoked: Moment,
    /// When the answer was there; [`Moment::NEVER`] where there was none.
    pub finished: Moment,
    /// How it ended.
    pub outcome: Outcome,
}

impl CallRecord {
    /// It was acknowledged.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self.outcome, Outcome::Ok { .. })
    }

    /// Whether it may have happened.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        !matches!(self.outcome, Outcome::Refused(_))
    }
}

/// Somebody who calls or listens.
#[derive(Clone, Debug)]
pub struct PersonRecord {
    /// The account.
    pub name: String,
    /// Agents may see notes.
    pub is_agent: bool,
}

/// What was read back when all was quiet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// What the customer sees: `seq` and message, in the order in which the server gave them.
    pub visible: Vec<(i64, Message)>,
    /// What an agent sees, where it was read: `position`, `seq` (none for a note) and message.
    pub whole: Option<Vec<(i64, Option<i64>, Message)>>,
    /// Whose it is and whether it is closed and rated, where that was read.
    pub state: Option<StoredState>,
}

/// A conversation's state as it was read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredState {
    /// Whose it is; nothing for nobody.
    pub owner: Option<Person>,
    /// It is closed.
    pub closed: bool,
    /// It has a rating.
    pub rated: bool,
}

/// One conversation of the run.
#[derive(Clone, Debug)]
pub struct ConversationRecord {
    /// As the server calls it; a number of ours until it does.
    pub label: String,
    /// Whose it is.
    pub customer: Person,
    /// What was asked for in it, in the order of invocation.
    pub calls: Vec<Call>,
    /// Who listened.
    pub listeners: Vec<Listener>,
    /// By `seq` less one, what the first listener who saw it took it for.
    pub ledger: Vec<Option<Message>>,
    /// What was read back.
    pub stored: Option<Stored>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct History {
    people: Vec<PersonRecord>,
    conversations: Vec<ConversationRecord>,
    calls: Vec<CallRecord>,
    listeners: Vec<ListenerRecord>,
}

impl History {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Somebody takes part.
    pub fn person(&mut self, name: impl Into<String>, is_agent: bool) -> Person {
        self.people.push(PersonRecord { name: name.into(), is_agent });
        Person(last_index(&self.people))
    }

    /// A conversation is about to be opened by its customer.
    pub fn conversation(&mut self, customer: Person) -> Conversation {
        let key = Conversation(u32::try_from(self.conversations.len()).unwrap_or(u32::MAX));
        self.conversations.push(ConversationRecord {
            label: format!("conversation {}", key.0),
            customer,
            calls: Vec::new(),
            listeners: Vec::new(),
            ledger: Vec::new(),
            stored: None,
        });
        key
    }

    /// The server has given it an id.
    pub fn label(&mut self, conversation: Conversation, id: impl Into<String>) {
        self[conversation].label = id.into();
    }

    /// A request leaves.
    pub fn invoke(&mut self, conversation: Conversation, by: Person, action: Action, now: Moment) -> Call {
        let finished = Moment::NEVER;
        self.calls.push(CallRecord { conversation, by, action, invoked: now, finished, outcome: Outcome::Unknown });
        let call = Call(last_index(&self.calls));
        self[conversation].calls.push(call);
        call
    }

    /// Its answer is there. One that is [`Outcome::Unknown`] may still happen at any later moment.
    pub fn finish(&mut self, call: Call, outcome: Outcome, now: Moment) {
        let record = &mut self[call];
        record.outcome = outcome;
        record.finished = if outcome == Outcome::Unknown { Moment::NEVER } else { now };
    }

    /// A client that is going to listen. One that `catches_up` fetches what it missed whenever it comes back, so that
    /// all it was shown together must have no hole.
    pub fn listener(&mut self, conversation: Conversation, person: Person, catches_up: bool) -> Listener {
        self.listeners.push(ListenerRecord::new(conversation, person, catches_up));
        let listener = Listener(last_index(&self.listeners));
        self[conversation].listeners.push(listener);
        listener
    }

    /// It asks to join: from now on it may hear.
    pub fn joining(&mut self, listener: Listener, now: Moment) {
        self[listener].joining(now);
    }

    /// It has joined: whatever is invoked from now on it must hear.
    pub fn joined(&mut self, listener: Listener, now: Moment) {
        self[listener].joined(now);
    }

    /// Its connection is gone and will not be recovered; what was under way to it need not arrive.
    pub fn cut(&mut self, listener: Listener, now: Moment) {
        self[listener].end(now);
    }

    /// It was shown a visible message, at this place of the order. In the order, this costs a comparison.
    pub fn saw(&mut self, listener: Listener, seq: i64, message: Message, now: Moment) {
        let Some(conversation) = self.listeners.get(listener.0 as usize).map(|record| record.conversation) else {
            return;
        };
        let agrees = self.agree(conversation, seq, message);
        self[listener].saw(seq, if agrees { None } else { Some(message) }, now);
    }

    /// It fetched a message that it may have missed.
    pub fn fetched(&mut self, listener: Listener, seq: i64, message: Message, now: Moment) {
        let conversation = self[listener].conversation;
        let agrees = self.agree(conversation, seq, message);
        self[listener].fetched(seq, if agrees { None } else { Some(message) }, now);
    }

    /// It was told something else.
    pub fn heard(&mut self, listener: Listener, heard: Heard, now: Moment) {
        self[listener].heard.push((now, heard));
    }

    /// All is quiet, and this was read back.
    pub fn stored(&mut self, conversation: Conversation, stored: Stored) {
        self[conversation].stored = Some(stored);
    }

    /// Everybody.
    #[must_use]
    pub fn people(&self) -> &[PersonRecord] {
        &self.people
    }

    /// Every conversation, with its key.
    pub fn conversations(&self) -> impl Iterator<Item = (Conversation, &ConversationRecord)> {
        (0..).map(Conversation).zip(&self.conversations)
    }

    /// Every call, in the order of invocation.
    #[must_use]
    pub fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    /// What a listener took a place of the order for.
    #[must_use]
    pub fn in_ledger(&self, conversation: Conversation, seq: i64) -> Option<Message> {
        *self[conversation].ledger.get(usize::try_from(seq.checked_sub(1)?).ok()?)?
    }

    /// The person of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Person> {
        let at = self.people.iter().position(|person| person.name == name)?;
        u32::try_from(at).ok().map(Person)
    }

    /// Whether the message is what others saw at this place, or nobody has seen it yet.
    fn agree(&mut self, conversation: Conversation, seq: i64, message: Message) -> bool {
        /// Further ahead of the others than this is no place but a fault; it is kept as one, and costs no memory.
        const FURTHEST: usize = 1 << 20;
        let ledger = &mut self[conversation].ledger;
        let Some(at) = seq.checked_sub(1).and_then(|at| usize::try_from(at).ok()) else { return false };
        if at >= ledger.len() {
            if at - ledger.len() > FURTHEST {
                return false;
            }
            ledger.resize(at + 1, None);
        }
        ledger.get_mut(at).is_some_and(|place| *place.get_or_insert(message) == message)
    }
}

fn last_index<T>(items: &[T]) -> u32 {
    u32::try_from(items.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

macro_rules! indexed {
    ($key:ident => $field:ident: $record:ty) => {
        /// Keys come from this history alone, so what they name is there.
        #[expect(clippy::indexing_slicing, reason = "a key of another history is a defect of the caller")]
        impl Index<$key> for History {
            type Output = $record;

            fn index(&self, key: $key) -> &$record {
                &self.$field[key.0 as usize]
            }
        }

        #[expect(clippy::indexing_slicing, reason = "a key of another history is a defect of the caller")]
        impl IndexMut<$key> for History {
            fn index_mut(&mut self, key: $key) -> &mut $record {
                &mut self.$field[key.0 as usize]
            }
        }
    };
}

indexed!(Person => people: PersonRecord);
indexed!(Conversation => conversations: ConversationRecord);
indexed!(Call => calls: CallRecord);
indexed!(Listener => listeners: ListenerRecord);
