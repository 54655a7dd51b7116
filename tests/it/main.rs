//! One test binary: a module for each stage of the pipeline, route or command.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt; clippy.toml reaches the test functions only, not what they call"
)]

mod fixtures;
mod fold;
mod law;
mod wire;
