//! The command line: rcrond(8).

use crate::config::{DEFAULT_FILE, STORE_NAMES};
use crate::store_tasks::node_formats;
use clap::Parser;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::ExitCode;
use sys::output::{error_text, to_stderr, to_stdout};

/// The exit status for an invalid command line.
const INVALID: u8 = 2;

/// Elects the active server of each cluster by a lease in etcd, PostgreSQL, MariaDB or Redis.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[command(name = "rcrond", version = version(), about, max_term_width = 80)]
pub(crate) struct Cli {
    /// Configuration file
    #[arg(short, long = "conf", value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) conf: PathBuf,
    /// Check the configuration, the files that it names, and the store; exit with 1 if anything is wrong
    #[arg(long, conflicts_with_all = ["init_store", "reload"])]
    pub(crate) check: bool,
    /// With --check, do not query the store
    #[arg(long, requires = "check")]
    pub(crate) config_only: bool,
    /// Let the running daemon read its configuration again, and wait until it has; exit with 1 if it is rejected
    #[arg(long, conflicts_with = "init_store")]
    pub(crate) reload: bool,
    /// Create what the store needs before rcrond can use it: for PostgreSQL and MariaDB, the table
    #[arg(long)]
    pub(crate) init_store: bool,
}

/// Prints what clap has instead of a command line: the help, the version, or a usage error.
pub(crate) fn print_instead(error: &clap::Error) -> ExitCode {
    match error.print() {
        Err(failure) if !error.use_stderr() && failure.kind() != ErrorKind::BrokenPipe => {
            report_stdout(&failure);
            ExitCode::FAILURE
        }
        _ if error.use_stderr() => ExitCode::from(INVALID),
        _ => ExitCode::SUCCESS,
    }
}

/// Prints a result. What cannot be printed is a failure, with a message.
pub(crate) fn print(text: &str) -> ExitCode {
    match to_stdout(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report_stdout(&failure);
            ExitCode::FAILURE
        }
    }
}

fn report_stdout(failure: &io::Error) {
    to_stderr(format!("rcrond: cannot write to stdout: {}\n", error_text(failure)).as_bytes());
}

/// clap keeps it until the program ends.
fn version() -> &'static str {
    let stores = STORE_NAMES.join(", ");
    let records = [&lease::FORMATS[..], &claims::FORMATS[..]].concat().join(", ");
    let node_records = node_formats().join(", ");
    inputs::version::text(
        env!("CARGO_PKG_VERSION"),
        option_env!("RCRON_COMMIT"),
        &[
            ("stores", &stores),
            ("records", &records),
            ("node-records", &node_records),
        ],
    )
    .leak()
}
