//! Elects the active server of each cluster by a lease in a store: rcrond(8).

mod api;
mod check;
mod claims;
mod cli;
mod config;
mod daemon;
mod drift;
mod event;
mod files;
mod new_config;
mod reload_request;
mod session_seen;
mod store_tasks;
mod threads;

use clap::Parser;
use cli::Cli;
use std::process::ExitCode;

/// EX_CONFIG of sysexits(3). The unit does not restart rcrond then, because the next start would fail in the same way.
const EX_CONFIG: u8 = 78;

fn main() -> ExitCode {
    // A reload that is requested before the daemon can carry it out must not kill it. It is pending until then.
    let is_blocked = daemon::hold_reloads();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::print_instead(&error),
    };
    if cli.check || cli.config_only || cli.init_store || cli.reload {
        daemon::permit_reloads(is_blocked);
    }
    if cli.check {
        return check::run(&cli.conf, cli.config_only);
    }
    if cli.reload {
        return reload_request::run(&cli.conf);
    }
    if cli.init_store {
        return check::init_store(&cli.conf);
    }
    match daemon::run(&cli.conf) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.needs_administrator() => ExitCode::from(EX_CONFIG),
        Err(_) => ExitCode::FAILURE,
    }
}
