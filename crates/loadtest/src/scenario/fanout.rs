//! `fanout`: a few write into one conversation, and many sockets listen, the customer's and agents' alternately.

use std::rc::Rc;

use super::{Workers, shared_conversation};
use crate::LoadtestError;
use crate::run_state::RunState;

const SENDERS: usize = 8;

pub(super) async fn start(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    shared_conversation::start(run_state, SENDERS, run_state.options.users).await
}
