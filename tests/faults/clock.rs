//! A clock that jumps, hours and days, ahead and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use switchboard::conversation::{Clock, SystemClock};

/// See the module. Cheap to clone; all clones jump together.
#[derive(Clone, Debug, Default)]
pub(crate) struct JumpingClock(Arc<AtomicI64>);

impl JumpingClock {
    /// So many minutes off the right time from now on.
    pub(crate) fn jump(&self, minutes: i64) {
        self.0.store(minutes, Ordering::Relaxed);
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::minutes(self.0.load(Ordering::Relaxed))
    }
}
