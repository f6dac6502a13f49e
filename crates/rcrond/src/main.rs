//! Elects the active server of each cluster by a lease in a store: rcrond(8).

mod check;
mod cli;
mod config;

use clap::Parser;
use cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.check {
        return check::run(&cli.conf);
    }
    if cli.init_store {
        return check::init_store(&cli.conf);
    }
    // `daemon::run(loaded.config, &cli.conf)` comes here.
    platform::output::to_stderr(b"rcrond: only --check and --init-store can be done yet\n");
    ExitCode::from(2)
}
