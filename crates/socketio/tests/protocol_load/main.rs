//! What sessions leave behind, and what slow readers cost. A program of its own, because it looks at the memory of its
//! process: nothing else may run in it meanwhile.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod abandonment;
mod backpressure;
#[path = "../protocol/support/mod.rs"]
mod support;
