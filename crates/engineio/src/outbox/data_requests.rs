//! Data requests (POST) of a polling session: one at a time.

use super::Outbox;
use super::state::PendingPoll;
use crate::close_reason::CloseReason;

impl Outbox {
    /// Registers a data request. A second concurrent one aborts the session and returns `false`.
    pub(crate) fn begin_data_request(&self) -> bool {
        let mut state = self.state.lock();
        if !state.has_data_request {
            state.has_data_request = true;
            return true;
        }
        let wakers = state.abort(CloseReason::TransportError, PendingPoll::AnswerClose, None);
        drop(state);
        wakers.wake();
        false
    }

    /// The data request is answered or abandoned.
    pub(crate) fn end_data_request(&self) {
        self.state.lock().has_data_request = false;
    }
}
