//! Database lookups of sends that the state refuses: the repeat of a send that succeeded gets the first answer, whatever
//! the state is now. Other commands do not wait for a lookup.

use super::answer::{CachedSend, CommandError, Outcome};
use super::effect::{Effect, Effects, Lookup, StoredSend};
use super::in_flight::Pending;
use crate::domain::{ConversationId, IdempotencyKey, Refusal};

#[derive(Debug, Default)]
pub(super) struct SendLookups {
    count: u64,
    pending: Vec<(Lookup, Pending, Refusal)>,
}

impl SendLookups {
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn begin(&mut self, key: IdempotencyKey, pending: Pending, refusal: Refusal, effects: &mut Effects) {
        self.count += 1;
        let lookup = Lookup(self.count);
        self.pending.push((lookup, pending, refusal));
        effects.push(Effect::FindSend { lookup, key });
    }

    pub(super) fn end(
        &mut self,
        lookup: Lookup,
        found: Result<Option<Box<StoredSend>>, CommandError>,
        conversation: ConversationId,
        effects: &mut Effects,
    ) {
        let Some(index) = self.pending.iter().position(|(pending, ..)| *pending == lookup) else { return };
        let (_, pending, refusal) = self.pending.swap_remove(index);
        let outcome =
            found.and_then(|found| first_outcome(&pending, found, conversation).unwrap_or(Err(refusal.into())));
        effects.push(Effect::Reply(pending.responder, outcome));
    }
}

/// `None` if nothing is stored under the key.
fn first_outcome(
    pending: &Pending,
    found: Option<Box<StoredSend>>,
    conversation: ConversationId,
) -> Option<Result<Outcome, CommandError>> {
    let send = found.map(|found| CachedSend::from(*found))?;
    Some(send.repeat(&pending.command, conversation).map_err(CommandError::from))
}
