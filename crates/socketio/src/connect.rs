//! Admits clients to a namespace: the middleware decides, then the client gets its previous socket back or a new one.

use std::sync::Arc;

use engineio::SessionHandle;
use serde_json::Value;

use crate::handshake::{ConnectRefusal, Handshake};
use crate::hub::Hub;
use crate::namespace::Namespace;
use crate::recovery::{Pid, Recovery, RecoveryRequest};
use crate::socket::Socket;

/// A namespace's definition and the state that its sockets share.
pub(crate) struct NamespaceInner<D> {
    pub(super) definition: Namespace<D>,
    pub(super) hub: Arc<Hub>,
    pub(super) recovery: Option<Arc<Recovery<D>>>,
}

/// A client that the middleware accepted.
pub(super) struct Admission<D> {
    pub(super) socket: Socket<D>,
    /// `None` if the namespace does not recover.
    pub(super) pid: Option<Pid>,
}

impl<D: Send + Sync + 'static> NamespaceInner<D> {
    pub(crate) fn new(definition: Namespace<D>, hub: Arc<Hub>) -> Self {
        let recovery = hub.config.recovery.clone();
        Self { definition, recovery: recovery.map(|config| Arc::new(Recovery::new(config, &hub.total_cost))), hub }
    }

    /// Runs the middleware, then recovers the client's socket or creates one.
    pub(super) async fn admit(
        self: Arc<Self>,
        session: SessionHandle,
        auth: Option<Value>,
    ) -> Result<Admission<D>, ConnectRefusal> {
        let recovery_request = RecoveryRequest::from_auth(auth.as_ref());
        let handshake = Handshake::new(Arc::clone(&self.hub.name), auth, session.request());
        let decision = (self.definition.authorise)(handshake);
        let data = tokio::time::timeout(self.hub.config.authorise_timeout, decision)
            .await
            .unwrap_or_else(|_| Err(ConnectRefusal::new("timeout")))?;
        let recovered = match (&self.recovery, recovery_request) {
            (Some(recovery), Some(request)) => {
                let is_same_owner = |old: &D| (self.definition.is_same_owner)(old, &data);
                recovery.recover(request, &session, is_same_owner, self.hub.replay_pace).await
            }
            _ => None,
        };
        let was_recovered = recovered.is_some();
        let (peer, pid) = match recovered {
            Some(recovered) => (recovered.peer, Some(recovered.pid)),
            None => {
                let pid = self.recovery.as_ref().map(|_| Pid::random());
                (self.hub.add_peer(session.clone()), pid)
            }
        };
        let request = Arc::clone(session.request());
        let socket = Socket::new(peer, Arc::clone(&self.hub), data, request, was_recovered);
        if let (Some(recovery), Some(pid)) = (&self.recovery, pid) {
            recovery.insert(pid, socket.clone());
        }
        Ok(Admission { socket, pid })
    }
}
