//! The journal on real databases, and batching without one.

mod batching;
mod committing;
mod connection_reuse;
mod failing;
mod fencing;
mod help_center;
mod idempotency;
mod search_indexer;
mod side_tables;

use std::sync::Arc;

use entity::{conversation_events, conversations, messages};
use sea_orm::{DatabaseConnection, EntityTrait, PaginatorTrait};
use tokio::sync::oneshot;

use super::*;
use crate::config::{Settings, Sources, TicketSettings};
use crate::database::DatabaseRuntime;
use crate::domain::Command;
use crate::store;
use crate::testing::{InMemoryConversation, TestDatabase, customer, open};

/// One server's journal.
struct Server {
    journal: Journal,
    database: Database,
    _runtime: DatabaseRuntime,
}

fn journal_settings() -> JournalSettings {
    Settings::load(&Sources::default()).expect("the defaults").1.journal
}

fn ticket_settings() -> TicketSettings {
    Settings::load(&Sources::default()).expect("the defaults").1.tickets
}

impl Server {
    async fn start(place: &TestDatabase) -> Self {
        Self::start_with(place, &journal_settings()).await
    }

    async fn start_with(place: &TestDatabase, settings: &JournalSettings) -> Self {
        let (database, runtime) = Database::connect(&place.settings, settings.writers).await.expect("connected");
        Self { journal: Journal::start(&database, settings, &ticket_settings()), database, _runtime: runtime }
    }

    fn append(&self, append: Append) {
        self.journal.append(append).expect("a queue that is not full");
    }

    /// A conversation's stored state.
    async fn stored(&self, id: ConversationId) -> Option<Conversation> {
        store::load(&self.database, id, Vec::new(), None).await.expect("loaded").conversation
    }

    /// A stored conversation with its first message, and the epoch to continue it in.
    async fn opened(&self, opening: &Command) -> Speculating {
        let mut speculating = Speculating::begin(InMemoryConversation::empty());
        let (append, outcome) = speculating.append(opening);
        self.append(append);
        assert_committed(outcome.await);
        speculating
    }

    /// One for each id.
    async fn opened_by(&self, ids: impl IntoIterator<Item = usize>) -> Vec<Speculating> {
        let mut all = Vec::new();
        for id in ids {
            all.push(self.opened(&open(customer(&format!("customer-{id}")), "Hello", "")).await);
        }
        all
    }
}

type Outcome = Result<AppendOutcome, oneshot::error::RecvError>;

/// Appends like an actor: it decides on its speculative state and does not wait for commits.
#[derive(Clone)]
struct Speculating {
    story: InMemoryConversation,
    epoch: Epoch,
}

impl Speculating {
    fn begin(story: InMemoryConversation) -> Self {
        Self { story, epoch: Epoch::begin() }
    }

    /// As an actor that has just loaded the same state, on any server.
    fn reloaded(&self) -> Self {
        Self::begin(self.story.clone())
    }

    fn append(&mut self, command: &Command) -> (Append, oneshot::Receiver<AppendOutcome>) {
        let (done, outcome) = oneshot::channel();
        let append = self.append_and(command, move |what| drop(done.send(what)));
        (append, outcome)
    }

    fn append_and(&mut self, command: &Command, done: impl FnOnce(AppendOutcome) + Send + Sync + 'static) -> Append {
        let expected_version = self.story.state.as_ref().map_or(0, |state| state.version);
        let events = self.story.execute(command).expect("not refused");
        Append {
            conversation: self.story.id,
            epoch: self.epoch.clone(),
            expected_version,
            events: events.into(),
            state: Arc::new(self.story.conversation().clone()),
            done: Completion::new(done),
        }
    }
}

#[track_caller]
fn assert_committed(outcome: Outcome) {
    assert!(matches!(outcome, Ok(AppendOutcome::Committed)), "{outcome:?}");
}

#[track_caller]
fn assert_conflict(outcome: Outcome) {
    assert!(matches!(outcome, Ok(AppendOutcome::Conflict)), "{outcome:?}");
}

#[track_caller]
fn assert_failed(outcome: Outcome) {
    assert!(matches!(outcome, Ok(AppendOutcome::Failed(_))), "{outcome:?}");
}

/// The numbers of conversations, messages and other events.
async fn rows(hand: &DatabaseConnection) -> [u64; 3] {
    [
        conversations::Entity::find().count(hand).await.expect("counted"),
        messages::Entity::find().count(hand).await.expect("counted"),
        conversation_events::Entity::find().count(hand).await.expect("counted"),
    ]
}
