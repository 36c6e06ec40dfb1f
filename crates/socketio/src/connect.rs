//! Letting clients into a namespace: the middleware decides, then the client gets back the socket that it had, or a new
//! one.

use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::Value;

use super::handshake::{ConnectRefusal, Handshake};
use super::hub::Hub;
use super::namespace::Namespace;
use super::namespace_session::{Member, Membership};
use super::peer::Outgoing;
use super::recovery::{Claim, Pid, Recovery};
use super::socket::Socket;
use super::stats::NamespaceStats;
use engineio::SessionHandle;

/// A namespace that can be joined, whatever its sockets' data are.
pub(crate) trait AnyNamespace: Send + Sync {
    fn hub(&self) -> &Arc<Hub>;

    /// What is there now.
    fn stats(&self) -> NamespaceStats;

    /// A client wants to join.
    fn join(self: Arc<Self>, session: &SessionHandle, auth: Option<Value>) -> Box<dyn Membership>;
}

/// A namespace and what its sockets share.
pub(crate) struct NamespaceInner<D> {
    pub(super) definition: Namespace<D>,
    pub(super) hub: Arc<Hub>,
    pub(super) recovery: Option<Arc<Recovery<D>>>,
}

impl<D: Send + Sync + 'static> NamespaceInner<D> {
    pub(crate) fn new(definition: Namespace<D>, hub: Arc<Hub>) -> Self {
        let recovery = hub.limits.recovery.clone();
        Self { definition, recovery: recovery.map(|config| Arc::new(Recovery::new(config, &hub.kept))), hub }
    }

    /// Asks the middleware, then finds the socket that the client had or makes one.
    async fn admit(
        self: Arc<Self>,
        session: SessionHandle,
        auth: Option<Value>,
    ) -> Result<Admitted<D>, ConnectRefusal> {
        let claim = Claim::read(auth.as_ref());
        let handshake = Handshake::new(Arc::clone(&self.hub.name), auth, session.request());
        let decision = (self.definition.authorise)(handshake);
        let data = tokio::time::timeout(self.hub.limits.authorise_timeout, decision)
            .await
            .unwrap_or_else(|_| Err(ConnectRefusal::new("timeout")))?;
        let recovered = match (&self.recovery, claim) {
            (Some(recovery), Some(claim)) => {
                let same_owner = |old: &D| (self.definition.same_owner)(old, &data);
                recovery.claim(claim, &session, same_owner).await
            }
            _ => None,
        };
        let was_recovered = recovered.is_some();
        let (peer, pid, missed) = match recovered {
            Some(recovered) => (recovered.peer, Some(recovered.pid), recovered.missed),
            None => {
                let pid = self.recovery.as_ref().map(|_| Pid::random());
                (self.hub.add_peer(session.clone()), pid, Vec::new())
            }
        };
        let request = Arc::clone(session.request());
        let socket = Socket::new(peer, Arc::clone(&self.hub), data, request, was_recovered);
        if let (Some(recovery), Some(pid)) = (&self.recovery, pid) {
            recovery.keep(pid, socket.clone());
        }
        Ok(Admitted { socket, pid, missed })
    }
}

impl<D: Send + Sync + 'static> AnyNamespace for NamespaceInner<D> {
    fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    fn stats(&self) -> NamespaceStats {
        let mut stats = self.hub.stats();
        if let Some(recovery) = &self.recovery {
            recovery.count(&mut stats);
        }
        stats
    }

    fn join(self: Arc<Self>, session: &SessionHandle, auth: Option<Value>) -> Box<dyn Membership> {
        let admission = Arc::clone(&self).admit(session.clone(), auth).boxed_local();
        Box::new(Member::new(self, session.clone(), admission))
    }
}

/// A client that the middleware let in.
pub(super) struct Admitted<D> {
    pub(super) socket: Socket<D>,
    pub(super) pid: Option<Pid>,
    pub(super) missed: Vec<Arc<Outgoing>>,
}
