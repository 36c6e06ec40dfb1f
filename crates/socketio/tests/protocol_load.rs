//! What abandoned sessions leave behind, and what slow readers cost. A test program of its own, because it measures the
//! memory of its process.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

mod protocol_load {
    mod abandonment;
    mod backpressure;
}
