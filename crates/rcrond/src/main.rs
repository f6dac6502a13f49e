//! Elects the active server of each cluster by a lease in a store: rcrond(8).

mod check;
mod cli;
mod config;

use clap::Parser;
use cli::Cli;
use platform::output::to_stderr;
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
    match config::load(&cli.conf) {
        // `daemon::run(loaded, &cli.conf)` comes here.
        Ok(_) => ExitCode::FAILURE,
        Err(complaint) => {
            to_stderr(format!("rcrond: {}\n", complaint.full).as_bytes());
            ExitCode::from(REFUSED)
        }
    }
}
