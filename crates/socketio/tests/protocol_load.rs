//! Leaks of abandoned sessions, and the cost of slow readers. A test program of its own, because it measures the
//! memory of its process.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

mod protocol_load {
    mod abandonment;
    mod backpressure;
}
