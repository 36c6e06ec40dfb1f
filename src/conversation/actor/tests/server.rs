//! A server without HTTP and sockets, and the events that it has published.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use entity::messages;
use parking_lot::Mutex;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::{Settings, Sources};
use crate::conversation::{
    Clock, CommandError, ConversationIds, EventPublisher, Opened, Registry, RegistryParts, Sent, SystemClock,
};
use crate::database::{Database, DatabaseRuntime};
use crate::domain::{
    Assignee, Command, Conversation, ConversationId, Customer, Event, Handover, Ownership, Posted, Timestamp,
};
use crate::journal::Journal;
use crate::store;
use crate::testing::{TestDatabase, customer, open};

pub(super) type Answer = Result<Outcome, CommandError>;

/// The answer to any command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Opened { conversation: Arc<Conversation>, message: Arc<Posted> },
    Entered(Arc<Conversation>),
    Posted(Arc<Posted>),
    Claimed(Assignee),
    Owned(Ownership),
    HandoverRequested(Box<Handover>),
    Ticket(Arc<Conversation>),
    Done,
}

impl From<Opened> for Outcome {
    fn from(Opened { conversation, message }: Opened) -> Self {
        Self::Opened { conversation, message }
    }
}

impl From<Sent> for Outcome {
    fn from(Sent { message, opened }: Sent) -> Self {
        match opened {
            Some(conversation) => Self::Opened { conversation, message },
            None => Self::Posted(message),
        }
    }
}

/// Executes a command of any kind.
pub(super) async fn execute(registry: &Arc<Registry>, id: ConversationId, command: Command) -> Answer {
    match command {
        Command::Open(open) => registry.execute(id, *open).await.map(Into::into),
        Command::Send(send) => registry.execute(id, send).await.map(Into::into),
        Command::Reply(reply) => registry.execute(id, reply).await.map(Outcome::Posted),
        Command::Note(note) => registry.execute(id, note).await.map(Outcome::Posted),
        Command::WriteToHelpCenter(post) => registry.execute(id, *post).await.map(Outcome::Posted),
        Command::EnterHelpCenter(enter) => registry.execute(id, *enter).await.map(Outcome::Entered),
        Command::Claim(claim) => registry.execute(id, claim).await.map(Outcome::Claimed),
        Command::RequestHandover(request) => registry.execute(id, *request).await.map(Outcome::HandoverRequested),
        Command::CreateTicket(create) => registry.execute(id, *create).await.map(Outcome::Ticket),
        Command::SetTicketStatus(set) => registry.execute(id, set).await.map(Outcome::Ticket),
        Command::AssignTicket(assign) => registry.execute(id, assign).await.map(Outcome::Ticket),
        Command::PrioritiseTicket(prioritise) => registry.execute(id, prioritise).await.map(Outcome::Ticket),
        Command::AnswerHandover(answer) => registry.execute(id, answer).await.map(|()| Outcome::Done),
        Command::Release(release) => registry.execute(id, release).await.map(|()| Outcome::Done),
        Command::TakeOver(take_over) => registry.execute(id, *take_over).await.map(Outcome::Owned),
        Command::Assign(assign) => registry.execute(id, assign).await.map(Outcome::Owned),
        Command::Reopen(reopen) => registry.execute(id, reopen).await.map(Outcome::Claimed),
        Command::WithdrawHandover(withdraw) => registry.execute(id, withdraw).await.map(|()| Outcome::Done),
        Command::ExpireHandover(expire) => registry.execute(id, expire).await.map(|()| Outcome::Done),
        Command::Close(close) => registry.execute(id, close).await.map(|()| Outcome::Done),
        Command::Rate(rating) => registry.execute(id, rating).await.map(|()| Outcome::Done),
        Command::ClaimGuest(claim) => registry.execute(id, *claim).await.map(|()| Outcome::Done),
    }
}

/// Executes a first message.
pub(super) async fn open_with(
    registry: &Arc<Registry>,
    command: Command,
) -> Result<(ConversationId, Outcome), CommandError> {
    let Command::Open(open) = command else { panic!("{command:?} opens nothing") };
    let opened = registry.open(*open).await?;
    Ok((opened.conversation.id, opened.into()))
}

/// Keeps every published event; panics or blocks once if a test asks for it.
#[derive(Default)]
pub(super) struct RecordingPublisher {
    published: watch::Sender<Vec<Event>>,
    pub(super) panics: AtomicBool,
    hold: Mutex<Option<(oneshot::Sender<()>, mpsc::Receiver<()>)>>,
}

impl EventPublisher for RecordingPublisher {
    fn publish(&self, _: &Conversation, events: &[Event]) {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "the publisher panics, as the test wants");
        if let Some((entered, until)) = self.hold.lock().take() {
            entered.send(()).expect("the test waits for this");
            let _ = until.recv();
        }
        self.published.send_modify(|published| published.extend(events.iter().cloned()));
    }
}

impl RecordingPublisher {
    /// Has the next announcement take until the answer's second half is dropped; the first tells when it has begun.
    pub(super) fn hold(&self) -> (oneshot::Receiver<()>, mpsc::Sender<()>) {
        let (entered, has_entered) = oneshot::channel();
        let (letting_go, until) = mpsc::channel();
        *self.hold.lock() = Some((entered, until));
        (has_entered, letting_go)
    }

    /// What was published so far; what follows an answer that is out may be missing.
    pub(super) fn published(&self) -> Vec<Event> {
        self.published.borrow().clone()
    }

    /// What was published, once it is as many events.
    pub(super) async fn wait_for_published(&self, count: usize) -> Vec<Event> {
        self.published
            .subscribe()
            .wait_for(|published| published.len() >= count)
            .await
            .expect("the publisher is alive")
            .clone()
    }

    /// Waits until the event of `id` at `position` is published, and returns the events of `id`.
    pub(super) async fn wait_for_position(&self, id: ConversationId, position: i64) -> Vec<Event> {
        let is_of_conversation = |event: &&Event| event.conversation == id;
        self.published
            .subscribe()
            .wait_for(|published| published.iter().filter(is_of_conversation).any(|event| event.position >= position))
            .await
            .expect("the publisher is alive")
            .iter()
            .filter(is_of_conversation)
            .cloned()
            .collect()
    }
}

/// The machine's clock, which panics once when asked to.
#[derive(Default)]
pub(super) struct TestClock {
    pub(super) panics: AtomicBool,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "the clock panics, as the test wants");
        SystemClock.now()
    }
}

pub(super) struct Server {
    pub(super) registry: Arc<Registry>,
    pub(super) publisher: Arc<RecordingPublisher>,
    pub(super) clock: Arc<TestClock>,
    pub(super) database: Database,
    _runtime: DatabaseRuntime,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.registry.stop();
    }
}

impl Server {
    pub(super) async fn start(test_database: &TestDatabase) -> Self {
        Self::start_with(test_database, |_| {}).await
    }

    /// With changed settings; those of the database are in `test_database`.
    pub(super) async fn start_with(test_database: &TestDatabase, change: impl FnOnce(&mut Settings)) -> Self {
        let (_, mut settings) = Settings::load(&Sources::default()).expect("the defaults");
        settings.server.request_timeout_ms = 20_000;
        change(&mut settings);
        let (database, runtime) =
            Database::connect(&test_database.settings, settings.journal.writers).await.expect("connected");
        let (publisher, clock) = (Arc::new(RecordingPublisher::default()), Arc::new(TestClock::default()));
        let request_timeout = settings.server.request_timeout();
        let registry = Registry::start(RegistryParts {
            database: database.clone(),
            journal: Journal::start(&database, &settings.journal, &settings.tickets),
            publisher: Arc::<RecordingPublisher>::clone(&publisher),
            clock: Arc::<TestClock>::clone(&clock),
            ids: ConversationIds::new(&settings.auth.jwt_secret).expect("any secret is valid"),
            settings: settings.conversation,
            request_timeout,
        });
        Self { registry, publisher, clock, database, _runtime: runtime }
    }

    /// Opens a conversation of Ada's and waits until it is published, which may be later than the answer.
    pub(super) async fn opened(&self) -> ConversationId {
        self.opened_by(customer("ada")).await
    }

    pub(super) async fn opened_by(&self, customer: Customer) -> ConversationId {
        let (id, _) = open_with(&self.registry, open(customer, "Hello", "")).await.expect("opened");
        let is_published = |published: &Vec<Event>| published.iter().any(|event| event.conversation == id);
        self.publisher.published.subscribe().wait_for(is_published).await.expect("the publisher is alive");
        id
    }

    /// Executes a command and waits for the answer.
    pub(super) async fn ask(&self, id: ConversationId, command: Command) -> Answer {
        execute(&self.registry, id, command).await
    }

    /// Executes a command in a task of its own; tasks start in the order in which they are spawned.
    pub(super) fn asking(&self, id: ConversationId, command: Command) -> JoinHandle<Answer> {
        let registry = Arc::clone(&self.registry);
        actix::spawn(async move { execute(&registry, id, command).await })
    }

    pub(super) async fn stored(&self, id: ConversationId) -> Option<Conversation> {
        store::load(&self.database, id, Vec::new(), None).await.expect("loaded").conversation
    }
}

/// The message of an answer; panics if it has none.
#[track_caller]
pub(super) fn posted(answer: Answer) -> Arc<Posted> {
    match answer {
        Ok(Outcome::Opened { message, .. } | Outcome::Posted(message)) => message,
        other => panic!("no message: {other:?}"),
    }
}

/// All messages of a conversation, in order.
pub(super) async fn written(test_database: &TestDatabase, id: ConversationId) -> Vec<messages::Model> {
    messages::Entity::find()
        .filter(messages::Column::ConversationId.eq(id.0))
        .order_by_asc(messages::Column::Position)
        .all(&test_database.connection().await)
        .await
        .expect("read")
}

/// `seq` of all visible ones is 1, 2, 3 …
#[track_caller]
pub(super) fn assert_seq_has_no_gap(written: &[messages::Model]) {
    let seqs: Vec<i64> = written.iter().filter_map(|message| message.seq).collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as i64), "{seqs:?}");
}
