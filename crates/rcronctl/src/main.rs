//! `rcronctl`: shows what rcron ran, and switches by hand. See rcronctl(8).

mod check;
mod cli;
mod complete;
mod daemon;
mod drain;
mod failure;
mod history;
mod interrupted;
mod is_active;
mod json;
mod marks;
mod runs;
mod screen;
mod set;
mod state_file;
mod status;
mod syslog;
mod table;
mod timeline;
mod touch;
mod when;

use clap::Parser;
use cli::{Cli, Command};
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    }
}

/// One command; exit status 0 or 1 as each defines it, 2 if it could not be done.
fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    match &cli.command {
        Command::Completions { shell } => complete::print(*shell),
        Command::Check(options) => check::run(options, &cli.common),
        Command::Timeline(options) => timeline::run(options, &cli.common),
        Command::History(options) => history::run(options, &cli.common),
        Command::IsActive(options) => is_active::run(options, &cli.common),
        Command::Set(options) => set::run(options, &cli.common),
        Command::Touch(options) => touch::run(options, &cli.common),
        Command::Interrupted(options) => interrupted::run(options, &cli.common),
        Command::Status(options) => status::run(options, &cli.common),
        Command::Drain(options) => drain::drain(options, &cli.common),
        Command::Undrain(options) => drain::undrain(options, &cli.common),
    }
}
