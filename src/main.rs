//! The program: reads its settings, starts the log, runs the command.

use std::process::ExitCode;

use clap::Parser;
use order_timeline::cli;
use order_timeline::config::Config;

fn main() -> ExitCode {
    cli::main(Config::parse())
}
