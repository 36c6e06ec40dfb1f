//! What happened in a run, as its clients saw it: the input of the [`checker`](super::checker).
//!
//! A history does not know how a call is made or how an event arrives, so any harness can record one: a load test over
//! sockets, a test that injects faults, a deterministic simulator. Times are the harness's own clock ([`Elapsed`]), real
//! or simulated.
//!
//! # How to record a run
//!
//! 1. Register who takes part: [`History::add_person`]. Before a customer opens a conversation, register that too:
//!    [`History::add_conversation`].
//! 2. Record each call twice: [`History::invoke`] immediately before the request leaves, [`History::finish`] when its
//!    answer is there. A call whose outcome is unknown is finished with [`Outcome::Unknown`] or not at all; the checker
//!    then accepts that it took effect once, at any later time, or never. A retry under the same idempotency key is the
//!    same call.
//! 3. Give each message a text from which the harness can tell the call again, and pass [`Message::Of`] that call
//!    wherever the message appears. The identity must come from the text, not from the server's id: otherwise a message
//!    that is stored twice under two ids is not recognised.
//! 4. Record what each subscriber is shown, in the order in which it arrives there: [`History::add_listener`], then for
//!    each session [`History::begin_join`], [`History::complete_join`], any number of [`History::record_shown`] and
//!    [`History::record_notice`], and [`History::end_session`] if the connection is lost for good.
//! 5. When nothing is under way any more, read back what is stored: [`History::record_final_read`]. Without it, the
//!    rules about durability are not checked.
//! 6. Call [`check`](super::checker::check).
//!
//! The sequence in which the methods are called must agree with the times that they are given. The recorder's clock must
//! not run backwards. It may stand still: a call that finished at the time at which another was invoked counts as
//! concurrent with it.
//!
//! ```
//! use switchboard_loadtest::checker;
//! use switchboard_loadtest::history::{Action, Elapsed, FinalRead, History, Message, Outcome};
//!
//! let mut history = History::new();
//! let jane = history.add_person("jane", false);
//! let conversation = history.add_conversation(jane);
//!
//! let open = history.invoke(conversation, jane, Action::Open, Elapsed(10));
//! history.finish(open, Outcome::Ok { seq: Some(1) }, Elapsed(20));
//!
//! let phone = history.add_listener(conversation, jane, false);
//! history.begin_join(phone, Elapsed(30));
//! history.complete_join(phone, Elapsed(40));
//!
//! let send = history.invoke(conversation, jane, Action::Send, Elapsed(50));
//! history.record_shown(phone, 2, Message::Of(send), Elapsed(60));
//! history.finish(send, Outcome::Ok { seq: Some(2) }, Elapsed(70));
//!
//! let visible = vec![(1, Message::Of(open))]; // The second message is lost.
//! history.record_final_read(conversation, FinalRead { visible, ..FinalRead::default() });
//!
//! let verdict = checker::check(&history);
//! assert!(!verdict.is_clean());
//! println!("{}", verdict.violations[0]);
//! ```
//!
//! # Memory
//!
//! Nearly every message that a listener is shown is the next one of the conversation's order. A listener therefore keeps
//! runs of places ([`Run`]), and the conversation keeps once, in its ledger, which message a place
//! holds. A listener costs memory where it differs, not for each message.

mod recording;
mod records;

use std::ops::{Index, IndexMut};

pub use recording::{ListenerRecord, Notice, Run, Session};
pub use records::{
    Action, Call, CallRecord, Conversation, ConversationRecord, Elapsed, FinalRead, FinalState, Listener, Message,
    Outcome, Person, PersonRecord, RefusalKind,
};

/// The calls, deliveries and final reads of a run. See the [module](self).
///
/// Keys ([`Person`], [`Conversation`], [`Call`], [`Listener`]) are valid for the history that returned them; a key of
/// another history panics or names something else.
#[derive(Clone, Debug, Default)]
pub struct History {
    people: Vec<PersonRecord>,
    conversations: Vec<ConversationRecord>,
    calls: Vec<CallRecord>,
    listeners: Vec<ListenerRecord>,
}

impl History {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a customer or an agent. Names appear in violations, and [`History::find_person`] looks them up.
    pub fn add_person(&mut self, name: impl Into<String>, is_agent: bool) -> Person {
        self.people.push(PersonRecord { name: name.into(), is_agent });
        Person(last_index(&self.people))
    }

    /// Registers a conversation that this customer is about to open.
    pub fn add_conversation(&mut self, customer: Person) -> Conversation {
        let key = Conversation(u32::try_from(self.conversations.len()).unwrap_or(u32::MAX));
        self.conversations.push(ConversationRecord {
            label: format!("conversation {}", key.0),
            customer,
            calls: Vec::new(),
            listeners: Vec::new(),
            ledger: Vec::new(),
            final_read: None,
        });
        key
    }

    /// Names a conversation in violations, by the server's id for instance.
    pub fn set_label(&mut self, conversation: Conversation, id: impl Into<String>) {
        self[conversation].label = id.into();
    }

    /// A request leaves. Until [`History::finish`], its outcome is [`Outcome::Unknown`].
    pub fn invoke(&mut self, conversation: Conversation, by: Person, action: Action, now: Elapsed) -> Call {
        let finished = Elapsed::NEVER;
        self.calls.push(CallRecord { conversation, by, action, invoked: now, finished, outcome: Outcome::Unknown });
        let call = Call(last_index(&self.calls));
        self[conversation].calls.push(call);
        call
    }

    /// The answer to a request is there, or is given up. With [`Outcome::Unknown`] the call may still take effect at any
    /// later time.
    pub fn finish(&mut self, call: Call, outcome: Outcome, now: Elapsed) {
        let record = &mut self[call];
        record.outcome = outcome;
        record.finished = if outcome == Outcome::Unknown { Elapsed::NEVER } else { now };
    }

    /// Registers a subscriber of a conversation, over all its connections. One that `catches_up` fetches what it missed
    /// each time it returns: the checker then requires that what it was shown and what it fetched has no gap.
    pub fn add_listener(&mut self, conversation: Conversation, person: Person, catches_up: bool) -> Listener {
        self.listeners.push(ListenerRecord::new(conversation, person, catches_up));
        let listener = Listener(last_index(&self.listeners));
        self[conversation].listeners.push(listener);
        listener
    }

    /// The listener asks to join and may be shown messages from now on. Begins a new session, and ends the one before.
    pub fn begin_join(&mut self, listener: Listener, now: Elapsed) {
        self[listener].begin_join(now);
    }

    /// The listener has joined: it must be shown every message that is sent from now on until the session ends. Begins
    /// a session if [`History::begin_join`] did not.
    pub fn complete_join(&mut self, listener: Listener, now: Elapsed) {
        self[listener].complete_join(now);
    }

    /// The listener's connection is lost and is not recovered by the server: what is on its way need not arrive. A
    /// connection that the server recovers continues its session, and nothing is recorded for it.
    pub fn end_session(&mut self, listener: Listener, now: Elapsed) {
        self[listener].end_session(now);
    }

    /// The listener is shown a message that the customer may see, at place `seq` of the conversation's order.
    pub fn record_shown(&mut self, listener: Listener, seq: i64, message: Message, now: Elapsed) {
        let Some(conversation) = self.listeners.get(listener.0 as usize).map(|record| record.conversation) else {
            return;
        };
        let agrees = self.agrees_with_ledger(conversation, seq, message);
        self[listener].record_shown(seq, if agrees { None } else { Some(message) }, now);
    }

    /// The listener fetched a message that it may have missed.
    pub fn record_fetched(&mut self, listener: Listener, seq: i64, message: Message, now: Elapsed) {
        let conversation = self[listener].conversation;
        let agrees = self.agrees_with_ledger(conversation, seq, message);
        self[listener].record_fetched(seq, if agrees { None } else { Some(message) }, now);
    }

    /// The listener is notified of something else than a message that the customer may see.
    pub fn record_notice(&mut self, listener: Listener, notice: Notice, now: Elapsed) {
        self[listener].notices.push((now, notice));
    }

    /// What is stored of a conversation after the last call has ended.
    pub fn record_final_read(&mut self, conversation: Conversation, read: FinalRead) {
        self[conversation].final_read = Some(read);
    }

    /// Everyone who takes part, in the order of registration.
    #[must_use]
    pub fn people(&self) -> &[PersonRecord] {
        &self.people
    }

    /// Every conversation with its key, in the order of registration.
    pub fn conversations(&self) -> impl Iterator<Item = (Conversation, &ConversationRecord)> {
        (0..).map(Conversation).zip(&self.conversations)
    }

    /// Every call, in the order of invocation.
    #[must_use]
    pub fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    /// The message that the first listener who was shown this place was shown there.
    #[must_use]
    pub fn ledger_entry(&self, conversation: Conversation, seq: i64) -> Option<Message> {
        *self[conversation].ledger.get(usize::try_from(seq.checked_sub(1)?).ok()?)?
    }

    /// The person of this name.
    #[must_use]
    pub fn find_person(&self, name: &str) -> Option<Person> {
        let at = self.people.iter().position(|person| person.name == name)?;
        u32::try_from(at).ok().map(Person)
    }

    /// Whether the message is the one in the ledger at this place. An empty place is filled with it.
    fn agrees_with_ledger(&mut self, conversation: Conversation, seq: i64, message: Message) -> bool {
        /// A place further ahead than this is a fault of the server. It is kept with its listener: a ledger up to there
        /// would take any amount of memory.
        const MAX_AHEAD: usize = 1 << 20;
        let ledger = &mut self[conversation].ledger;
        let Some(at) = seq.checked_sub(1).and_then(|at| usize::try_from(at).ok()) else { return false };
        if at >= ledger.len() {
            if at - ledger.len() > MAX_AHEAD {
                return false;
            }
            ledger.resize(at + 1, None);
        }
        ledger.get_mut(at).is_some_and(|entry| *entry.get_or_insert(message) == message)
    }
}

fn last_index<T>(items: &[T]) -> u32 {
    u32::try_from(items.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

macro_rules! indexed {
    ($key:ident => $field:ident: $record:ty) => {
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
