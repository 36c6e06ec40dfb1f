//! The help center (`help-center.md`): the namespace `/help-center` and `/api/help-center/messages` share these actions.
//!
//! An account has one conversation here. A new one gets an id derived from the account, so that concurrent first visits
//! create the same conversation. Its rules are those of any conversation, applied by its actor.

use std::sync::{Arc, OnceLock};

use crate::api_error::ApiError;
use crate::client_info::ClientInfo;
use crate::conversation::Registry;
use crate::database::{Database, DatabaseError};
use crate::domain::{
    AutoReply, Channel, ClientMessageId, Conversation, ConversationId, EnterHelpCenter, EventId, HelpCenterPost,
    MessageText, Origin, Posted, UserId,
};
use crate::identity::Principal;
use crate::store::{self, History, MessageRange};

/// The actions of the help center. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HelpCenter {
    registry: Arc<Registry>,
    database: Database,
    auto_reply: Arc<AutoReply>,
}

/// An account that uses the help center, and the origin of its conversation if this visit creates it.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    account: UserId,
    origin: Origin,
}

impl Visit {
    pub(crate) fn new(principal: &Principal, client: ClientInfo) -> Self {
        let ClientInfo { ip_address, user_agent, device_metadata } = client;
        let customer = principal.as_customer();
        let origin = Origin { channel: Channel::HelpCenter, customer, device_metadata, ip_address, user_agent };
        Self { account: principal.id.clone(), origin }
    }
}

/// A conversation and a range of its messages.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) conversation: Conversation,
    pub(crate) history: History,
}

impl HelpCenter {
    /// Messages on a page, and in `help_center:connected`: at most so many, the newest.
    pub const PAGE_SIZE: u32 = MessageRange::MAX_LIMIT;

    /// `auto_reply` follows customers' messages.
    #[must_use]
    pub fn new(registry: Arc<Registry>, database: Database, auto_reply: AutoReply) -> Self {
        Self { registry, database, auto_reply: Arc::new(auto_reply) }
    }

    /// The account's conversation, which is created empty if there is none.
    pub(crate) async fn enter(&self, visit: &Visit) -> Result<Conversation, ApiError> {
        if let Some(conversation) = store::help_center_of(&self.database, visit.account.clone()).await? {
            return Ok(conversation);
        }
        let id = self.registry.help_center_id(&visit.account);
        let conversation = self.registry.execute(id, EnterHelpCenter { origin: visit.origin.clone() }).await?;
        Ok(Conversation::clone(&conversation))
    }

    /// Reads a range of the account's conversation from the database.
    pub(crate) async fn read(&self, visit: &Visit, range: MessageRange) -> Result<Thread, ApiError> {
        let conversation = self.enter(visit).await?;
        let history = store::visible_messages(&self.database, &conversation, range).await?;
        Ok(Thread { conversation, history })
    }

    /// Posts a message and returns it. A repeat under the same `client_message_id` returns the first one.
    pub(crate) async fn send(
        &self,
        visit: &Visit,
        text: MessageText,
        client_message_id: Option<ClientMessageId>,
    ) -> Result<Arc<Posted>, ApiError> {
        let found = store::help_center_of(&self.database, visit.account.clone()).await?;
        let id = found.map_or_else(|| self.registry.help_center_id(&visit.account), |conversation| conversation.id);
        self.send_to(id, visit, text, client_message_id).await
    }

    /// As [`Self::send`], to a conversation whose id is known.
    pub(crate) async fn send_to(
        &self,
        id: ConversationId,
        visit: &Visit,
        text: MessageText,
        client_message_id: Option<ClientMessageId>,
    ) -> Result<Arc<Posted>, ApiError> {
        let post = HelpCenterPost {
            origin: visit.origin.clone(),
            text,
            client_message_id,
            auto_reply: Arc::clone(&self.auto_reply),
        };
        Ok(self.registry.execute(id, post).await?)
    }

    /// The `seq` of a message in the account's conversation.
    pub(crate) async fn seq_of(&self, visit: &Visit, message: EventId) -> Result<Option<i64>, ApiError> {
        let conversation = self.enter(visit).await?;
        Ok(store::seq_of(&self.database, conversation.id, message).await?)
    }

    /// Subscribes to the account's conversation. `begin` receives its newest messages; every later event is published
    /// after it returns. It runs on the actor's thread and must not block.
    pub(crate) async fn subscribe<T: Send + 'static>(
        &self,
        visit: &Visit,
        begin: impl FnOnce(Thread) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let entered = self.enter(visit).await?;
        let (id, version) = (entered.id, entered.version);
        let (database, account) = (self.database.clone(), visit.account.clone());
        // `read` returns messages alone; the conversation that was read with them takes this way to `begin`.
        let read_conversation = Arc::new(OnceLock::new());
        let read_by_query = Arc::clone(&read_conversation);
        let read = async move {
            let conversation = store::help_center_of(&database, account).await?;
            let conversation =
                conversation.ok_or_else(|| DatabaseError::Fault("the conversation has disappeared".to_owned()))?;
            let newest = MessageRange::Last { limit: Self::PAGE_SIZE };
            let history = store::visible_messages(&database, &conversation, newest).await?;
            let _ = read_by_query.set((conversation, history.has_more));
            Ok(history.messages)
        };
        let begun = self.registry.subscribe_with_backlog(id, version, read, move |mut backlog| {
            let (mut conversation, has_more) = read_conversation.get()?.clone();
            // Events that were published during the read are not published again.
            if let Some(since) = backlog.conversation
                && since.version > conversation.version
            {
                conversation = Conversation::clone(&since);
            }
            backlog.messages.retain(|posted| posted.message.seq.is_some());
            Some(begin(Thread { conversation, history: History { messages: backlog.messages, has_more } }))
        });
        begun.await?.ok_or_else(ApiError::internal)
    }
}
