//! A namespace with the type of its sockets' data erased.

use std::sync::Arc;

use engineio::SessionHandle;
use futures_util::FutureExt;
use serde_json::Value;

use crate::connect::NamespaceInner;
use crate::hub::Hub;
use crate::namespace_session::{AnyNamespaceSession, NamespaceSession};
use crate::stats::NamespaceStats;

/// A namespace, whatever the data of its sockets.
pub(crate) trait AnyNamespace: Send + Sync {
    fn hub(&self) -> &Arc<Hub>;

    fn stats(&self) -> NamespaceStats;

    /// Starts the session of a client that sent a CONNECT packet.
    fn connect(self: Arc<Self>, session: &SessionHandle, auth: Option<Value>) -> Box<dyn AnyNamespaceSession>;
}

impl<D: Send + Sync + 'static> AnyNamespace for NamespaceInner<D> {
    fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    fn stats(&self) -> NamespaceStats {
        let mut stats = self.hub.stats();
        if let Some(recovery) = &self.recovery {
            recovery.add_to(&mut stats);
        }
        stats
    }

    fn connect(self: Arc<Self>, session: &SessionHandle, auth: Option<Value>) -> Box<dyn AnyNamespaceSession> {
        let admission = Arc::clone(&self).admit(session.clone(), auth).boxed_local();
        Box::new(NamespaceSession::new(self, session.clone(), admission))
    }
}
