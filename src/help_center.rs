//! The help center (`help-center.md`), behind both of its doors: the namespace `/help-center` and
//! `/api/help-center/messages` come to the same calls and show the same shapes.
//!
//! An account has one conversation here. It is found by its account; where there is none it is made, under an id
//! derived from the account, so that whoever comes by two doors at once comes to the same one. What may happen in it is
//! decided by its actor, as of any other.

mod payload;
mod send;

use std::sync::{Arc, OnceLock};

use crate::api_error::ApiError;
use crate::conversation::Registry;
use crate::database::{Database, DatabaseError};
use crate::domain::{
    AutoReply, Channel, ClientMessageId, Conversation, ConversationId, EnterHelpCenter, EventId, HelpCenterPost,
    MessageText, Origin, Posted, UserId,
};
use crate::identity::Principal;
use crate::store::{self, History, MessageRange};

pub(crate) use payload::{MessagePayload, ThreadPayload};
pub(crate) use send::SendBody;

/// Characters of a `User-Agent` that are kept.
const USER_AGENT_LENGTH: usize = 512;

/// Everything that can be done in the help center. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HelpCenter {
    registry: Arc<Registry>,
    database: Database,
    auto_reply: Arc<AutoReply>,
}

/// Somebody who comes, and where they come from: what their conversation keeps where this makes it.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    account: UserId,
    origin: Origin,
}

impl Arrival {
    /// Of a person, from where and with what the server saw them come.
    pub(crate) fn new(person: &Principal, ip_address: Option<String>, user_agent: Option<&str>) -> Self {
        let account = person.id.clone();
        let customer = person.as_customer();
        let user_agent = user_agent.map(|it| it.chars().take(USER_AGENT_LENGTH).collect());
        let origin = Origin { channel: Channel::HelpCenter, customer, device_metadata: None, ip_address, user_agent };
        Self { account, origin }
    }
}

/// A conversation and a stretch of its messages.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) conversation: Conversation,
    pub(crate) history: History,
}

impl HelpCenter {
    /// The most messages that are shown at once, the newest: `help_center:connected`, and a page of REST.
    pub const SHOWN: u32 = MessageRange::MAX_LIMIT;

    /// Works with these; `auto_reply` is what follows customers' messages.
    #[must_use]
    pub fn new(registry: Arc<Registry>, database: Database, auto_reply: AutoReply) -> Self {
        Self { registry, database, auto_reply: Arc::new(auto_reply) }
    }

    /// Somebody's conversation; made, empty, where there is none.
    pub(crate) async fn enter(&self, arrival: &Arrival) -> Result<Conversation, ApiError> {
        if let Some(conversation) = store::help_center_of(&self.database, arrival.account.clone()).await? {
            return Ok(conversation);
        }
        let id = self.registry.help_center_id(&arrival.account);
        let conversation = self.registry.execute(id, EnterHelpCenter { origin: arrival.origin.clone() }).await?;
        Ok(Conversation::clone(&conversation))
    }

    /// A stretch of somebody's conversation, as it is stored.
    pub(crate) async fn read(&self, arrival: &Arrival, stretch: MessageRange) -> Result<Thread, ApiError> {
        let conversation = self.enter(arrival).await?;
        let history = store::visible_messages(&self.database, &conversation, stretch).await?;
        Ok(Thread { conversation, history })
    }

    /// Writes, and gives the message; the first one's where this repeats it.
    pub(crate) async fn write(
        &self,
        arrival: &Arrival,
        text: MessageText,
        client_message_id: Option<ClientMessageId>,
    ) -> Result<Arc<Posted>, ApiError> {
        let found = store::help_center_of(&self.database, arrival.account.clone()).await?;
        let id = found.map_or_else(|| self.registry.help_center_id(&arrival.account), |conversation| conversation.id);
        self.write_to(id, arrival, text, client_message_id).await
    }

    /// As [`Self::write`], where the conversation is known.
    pub(crate) async fn write_to(
        &self,
        id: ConversationId,
        arrival: &Arrival,
        text: MessageText,
        client_message_id: Option<ClientMessageId>,
    ) -> Result<Arc<Posted>, ApiError> {
        let post = HelpCenterPost {
            origin: arrival.origin.clone(),
            text,
            client_message_id,
            auto_reply: Arc::clone(&self.auto_reply),
        };
        Ok(self.registry.execute(id, post).await?)
    }

    /// The `seq` of a message, by its id; nothing where the conversation has no such message.
    pub(crate) async fn seq_of(&self, arrival: &Arrival, message: EventId) -> Result<Option<i64>, ApiError> {
        let conversation = self.enter(arrival).await?;
        Ok(store::seq_of(&self.database, conversation.id, message).await?)
    }

    /// Begins to listen to somebody's conversation: `begin` gets its newest messages, and what happens afterwards is
    /// what it has not got. It runs on the conversation's thread, and must not block.
    pub(crate) async fn listen<T: Send + 'static>(
        &self,
        arrival: &Arrival,
        begin: impl FnOnce(Thread) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let entered = self.enter(arrival).await?;
        let (id, version) = (entered.id, entered.version);
        let (database, account) = (self.database.clone(), arrival.account.clone());
        let beside = Arc::new(OnceLock::new());
        let found = Arc::clone(&beside);
        let newest = async move {
            let conversation = store::help_center_of(&database, account).await?;
            let conversation =
                conversation.ok_or_else(|| DatabaseError::Fault("it is not there any more".to_owned()))?;
            let history =
                store::visible_messages(&database, &conversation, MessageRange::Last { limit: Self::SHOWN }).await?;
            let _ = found.set((conversation, history.has_more));
            Ok(history.messages)
        };
        let begun = self.registry.listen(id, version, newest, move |mut missed| {
            let (mut conversation, has_more) = beside.get()?.clone();
            // What was announced while it was read is not announced again.
            if let Some(since) = missed.since
                && since.version > conversation.version
            {
                conversation = Conversation::clone(&since);
            }
            missed.messages.retain(|posted| posted.message.seq.is_some());
            Some(begin(Thread { conversation, history: History { messages: missed.messages, has_more } }))
        });
        begun.await?.ok_or_else(ApiError::internal)
    }
}
