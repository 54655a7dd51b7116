//! One test binary: a module for each stage of the pipeline, route or command.

mod fixtures;
mod fold;
mod law;
mod wire;
