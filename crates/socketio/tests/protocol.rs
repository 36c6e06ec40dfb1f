//! Engine.IO and Socket.IO as clients see them, byte by byte: the rules of both protocols, each with a test.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

mod protocol {
    mod closing;
    mod heartbeat;
    mod packets;
    mod polling;
    mod probing;
    mod rate_limits;
    mod received;
    mod recovery;
    mod recovery_limits;
    mod recovery_offset;
    mod recovery_replay;
    mod regressions;
    mod requests;
    mod rooms;
    mod takeover;
    mod unjoined;
    mod upgrade;
    mod websocket;
}
