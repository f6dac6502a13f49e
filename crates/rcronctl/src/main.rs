//! `rcronctl`: shows what rcron ran, and switches by hand. See rcronctl(8).

mod check;
mod cli;
mod clusters;
mod complete;
mod failure;
mod history;
mod interrupted;
mod is_active;
mod keepalived;
mod set;
mod status;
mod timeline;
mod touch;

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
        Command::Keepalived(options) => keepalived::run(options, &cli.common.conf),
        Command::Timeline(options) => timeline::run(options, &[], timeline::Window::last_hours(6), cli.common.json),
        _ => Err(Failure::new("not there yet")),
    }
}
