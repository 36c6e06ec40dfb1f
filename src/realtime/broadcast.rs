//! Which room hears what when something has happened to a conversation (`support-admin.md`, "Real-time").
//!
//! The one place where that is decided: REST, sockets and repeats cannot differ in what they announce, because none of
//! them announces anything. The conversation's actor calls here, once for each event, in order, when it is stored.

use std::sync::OnceLock;

use super::payload::{ConversationClaimed, ConversationClosed, ConversationCreated, NewMessage, Preview, Update};
use super::rooms;
use crate::conversation::Announce;
use crate::domain::{Agent, Change, Conversation, Event, Posted, Status, preview};
use crate::moment::Iso;
use crate::socketio::NamespaceHandle;

/// Announces on `/support`.
///
/// The sockets are made after the conversations that they announce, so they are named later; what happens before that
/// has no socket to hear it.
#[derive(Debug, Default)]
pub struct Broadcaster {
    support: OnceLock<NamespaceHandle>,
}

impl Broadcaster {
    /// Names the sockets to announce to. Only the first call counts.
    pub fn announce_on(&self, support: NamespaceHandle) {
        let _ = self.support.set(support);
    }
}

impl Announce for Broadcaster {
    fn announce(&self, conversation: &Conversation, events: &[Event]) {
        let Some(support) = self.support.get() else { return };
        let telling = Telling { support, conversation };
        for event in events {
            telling.tell(event);
        }
    }
}

struct Telling<'a> {
    support: &'a NamespaceHandle,
    conversation: &'a Conversation,
}

impl Telling<'_> {
    fn tell(&self, event: &Event) {
        match (&event.change, event.posted()) {
            // A conversation is told of by its first message, right behind this; a rating is read in the lists.
            (Change::Created(_) | Change::Rated(_), _) | (Change::Message(_), None) => {}
            (Change::Message(_), Some(posted)) => self.message(&posted),
            (Change::Claimed(agent), _) => self.claimed(agent),
            (Change::Closed(_), _) => self.closed(),
        }
    }

    fn message(&self, posted: &Posted) {
        let id = self.conversation.id;
        let payload = NewMessage::new(posted);
        if posted.message.is_note() {
            self.support.to(&rooms::of_conversation_agents(id)).emit("new_message", &payload);
            return;
        }
        self.support.to(&rooms::of_conversation(id)).emit("new_message", &payload);
        if posted.message.is_opening() {
            self.created(posted);
        } else if posted.message.author.is_customer() {
            self.to_admins(Update::NewUserMessage { message: Preview::new(posted) });
        } else {
            self.to_customer(Update::NewReply { message: Preview::new(posted) });
        }
    }

    fn created(&self, opening: &Posted) {
        let payload = ConversationCreated {
            id: self.conversation.id,
            user_id: self.conversation.owner.account().map(crate::domain::UserId::as_str),
            email: self.conversation.email.as_deref(),
            status: Status::Active.as_str(),
            created_at: Iso(self.conversation.created_at),
            first_message: preview(opening.message.text.as_str()),
        };
        self.support.to(rooms::ADMINS).emit("conversation_created", &payload);
    }

    fn claimed(&self, agent: &Agent) {
        let conversation_id = self.conversation.id;
        let (assigned_to, assigned_admin_name) = (agent.id.as_str(), agent.name.as_str());
        let payload = ConversationClaimed { conversation_id, assigned_to, assigned_admin_name };
        self.support.to(&rooms::of_conversation(conversation_id)).emit("conversation_claimed", &payload);
        self.to_admins(Update::Claimed { assigned_to: Some(assigned_to), assigned_admin_name });
        self.to_customer(Update::Claimed { assigned_to: None, assigned_admin_name });
    }

    fn closed(&self) {
        let conversation_id = self.conversation.id;
        let payload = ConversationClosed { conversation_id };
        self.support.to(&rooms::of_conversation(conversation_id)).emit("conversation_closed", &payload);
        self.to_admins(Update::Closed);
        self.to_customer(Update::Closed);
    }

    fn to_admins(&self, update: Update<'_>) {
        self.support.to(rooms::ADMINS).emit("conversation_updated", &update.of(self.conversation.id));
    }

    fn to_customer(&self, update: Update<'_>) {
        if let Some(account) = self.conversation.owner.account() {
            self.support.to(&rooms::of_user(account)).emit("conversation_updated", &update.of(self.conversation.id));
        }
    }
}
