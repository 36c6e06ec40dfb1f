//! Data requests of a polling session: one at a time.

use super::Outbox;
use super::state::Waiting;
use crate::close_reason::CloseReason;

impl Outbox {
    /// A data request begins. `false` where another one is under way: the session is dead now.
    pub(crate) fn begin_post(&self) -> bool {
        let mut state = self.state.lock();
        if !state.posting {
            state.posting = true;
            return true;
        }
        let wakers = state.abort(CloseReason::TransportError, Waiting::Close);
        drop(state);
        wakers.wake();
        false
    }

    /// The data request is done with.
    pub(crate) fn end_post(&self) {
        self.state.lock().posting = false;
    }
}
