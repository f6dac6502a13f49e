//! Elects the active server of each cluster by a lease in a store: rcrond(8).

mod check;
mod cli;
mod config;
mod daemon;
mod disk;
mod news;
mod outside;
mod store_side;

use clap::Parser;
use cli::Cli;
use daemon::Trouble;
use std::process::ExitCode;

/// EX_CONFIG of sysexits(3): it would be the same the next time.
const REFUSED: u8 = 78;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.check {
        return check::run(&cli.conf);
    }
    if cli.init_store {
        return check::init_store(&cli.conf);
    }
    match daemon::main(&cli.conf) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Trouble::Configuration) => ExitCode::from(REFUSED),
        Err(Trouble::System) => ExitCode::FAILURE,
    }
}
