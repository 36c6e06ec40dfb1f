//! Engine.IO and Socket.IO as clients see them, byte by byte: every row of the protocol's tables, against a server that
//! knows nothing of chat.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod closing;
mod codecs;
mod documented_rules;
mod heartbeat;
mod packets;
mod polling;
mod probing;
mod recovery;
mod recovery_limits;
mod regressions;
mod requests;
mod rooms;
mod support;
mod takeover;
mod upgrade;
mod websocket;
