//! `rcronctl`: shows what rcron ran, finds what is wrong, and switches by hand. See rcronctl(8).

mod check;
mod cli;
mod complete;
mod daemon;
mod drain;
mod export;
mod failure;
mod history;
mod hosts;
mod interrupted;
mod is_active;
mod marks;
mod metrics;
mod output;
mod output_file;
mod prefetch;
mod run_json;
mod run_table;
mod runs;
mod screen;
mod set;
mod state_file;
mod status;
mod style;
mod syslog;
mod table;
mod text;
mod ticks;
mod timeline;
mod touch;
mod when;

use clap::Parser;
use cli::{Cli, Command};
use failure::Failure;
use std::process::ExitCode;
use sys::zone;

fn main() -> ExitCode {
    zone::forget_unsafe();
    match Cli::try_parse() {
        Ok(cli) => execute(&cli).unwrap_or_else(|failure| failure.report()),
        Err(error) => is_active::print_instead(&error),
    }
}

/// Each command defines its exit statuses 0 and 1; 2 means that it could not be carried out, or 255 for `is-active`.
fn execute(cli: &Cli) -> Result<ExitCode, Failure> {
    let common = &cli.common;
    if let Some(output) = cli.command.output_without_json().filter(|_| common.json) {
        return Err(Failure::new(format!("{output}: leave out --json")));
    }
    match &cli.command {
        Command::Status(options) => status::print_status(options, common),
        Command::History(options) => history::print_history(options, common),
        Command::Interrupted(options) => interrupted::report_interrupted(options, common),
        Command::Timeline(options) => timeline::draw_timeline(options, common),
        Command::Export(options) => export::export_runs(options, common),
        Command::Ticks(options) => ticks::print_ticks(options, common),
        Command::Metrics(options) => metrics::export_metrics(options, common),
        Command::IsActive(options) => Ok(is_active::print_is_active(options, common)),
        Command::Set(options) => set::set_state(options, common),
        Command::Touch(options) => touch::touch_state_file(options, common),
        Command::Drain(options) => drain::drain_clusters(options, common),
        Command::Undrain(options) => drain::undrain_clusters(options, common),
        Command::Check(options) => check::run(options, common),
        Command::Completions { shell, .. } => complete::print_completions(*shell),
    }
}
