//! Decoding what was encoded gives the same event and the same state, and rows of earlier releases have their defaults.

mod generator;
mod previous_release;

use std::collections::HashMap;

use proptest::prelude::*;
use sea_orm::prelude::Uuid;

use super::*;
use crate::domain::{Conversation, Handover};
use generator::{conversations, events};

/// The event that is read back where the conversation's rows are those of `conversation`, and the handover's that of
/// `handover`.
fn read_back(row: EventRow, conversation: &Conversation, handover: Option<&Handover>) -> Event {
    let handovers: HashMap<Uuid, Handover> =
        handover.map(|handover| (handover.id.0, handover.clone())).into_iter().collect();
    match row {
        EventRow::Message(row) => decode_message_event(row).expect("a valid row"),
        EventRow::Other(row) => {
            decode_event(row, &EventContext { conversation, handovers: &handovers }).expect("a valid row")
        }
    }
}

proptest! {
    #[test]
    fn an_event_is_read_as_it_was_written((event, conversation) in events()) {
        let handover = match &event.change {
            Change::HandoverResolved { handover, .. } => Some(handover.as_ref()),
            _ => None,
        };
        prop_assert_eq!(read_back(encode(&event), &conversation, handover), event);
    }

    #[test]
    fn a_conversation_is_read_as_it_was_written(conversation in conversations()) {
        let mut read = decode_conversation(encode_conversation(&conversation)).expect("a valid row");
        let ticket = conversation.ticket.as_deref().map(|ticket| encode_ticket(&conversation, ticket));
        read.ticket = ticket.map(|row| Box::new(decode_ticket(row).expect("a valid row")));
        read.pending_handover.clone_from(&conversation.pending_handover);
        read.pending_since = conversation.pending_since;
        prop_assert_eq!(read, conversation);
    }

    #[test]
    fn a_handover_is_read_as_it_was_written((event, _) in events()) {
        if let Change::HandoverRequested { handover, is_target_online } = &event.change {
            let row = encode_handover(&event, handover, *is_target_online);
            prop_assert_eq!(row.is_announced, *is_target_online);
            prop_assert_eq!(&decode_handover(row).expect("a valid row"), handover.as_ref());
        }
    }

    /// An agent may see `data` in the timeline; what only the server needs is not in it.
    #[test]
    fn the_timeline_shows_no_contact_data((event, _) in events()) {
        if let EventRow::Other(row) = encode(&event) {
            let fields = row.data.as_object().expect("an object");
            prop_assert!(fields.keys().all(|name| !["email", "phone_number", "guest"].contains(&name.as_str())));
        }
    }
}
