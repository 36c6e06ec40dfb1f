//! `hot`: many of the customer's devices write into one conversation at once; agents and the customer listen.

use std::rc::Rc;

use super::{Workers, shared_conversation};
use crate::LoadtestError;
use crate::run_state::RunState;

pub(super) async fn start(run_state: &Rc<RunState>) -> Result<Workers, LoadtestError> {
    shared_conversation::start(run_state, run_state.options.users, run_state.options.agents.max(2)).await
}
