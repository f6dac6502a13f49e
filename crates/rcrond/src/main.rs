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
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.check {
        return check::run(&cli.conf);
    }
    if cli.init_store {
        return check::init_store(&cli.conf);
    }
    daemon::main(&cli.conf)
}
