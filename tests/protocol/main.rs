//! Engine.IO and Socket.IO as clients see them, byte by byte: every row of the protocol's tables, against a server that
//! knows nothing of chat.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bitten;
mod closing;
mod codecs;
mod heartbeat;
mod packets;
mod polling;
mod probing;
mod recovery;
mod recovery_limits;
mod requests;
mod rooms;
mod support;
mod table;
mod takeover;
mod upgrade;
mod websocket;
