//! The program: reads its settings, starts the log, runs the command.

use std::process::ExitCode;

use clap::Parser;
use order_timeline::cli;
use order_timeline::config::Config;

/// An event is read into many small values and out of them again; the C library's allocator took a quarter
/// of the service's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main(Config::parse())
}
