//! The command line: rcrond(8).

use crate::config::DEFAULT_FILE;
use clap::Parser;
use std::path::PathBuf;

/// Elects the active server of each cluster by a lease in etcd, PostgreSQL or Redis.
#[derive(Debug, Parser)]
#[command(name = "rcrond", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    /// Configuration file
    #[arg(short, long = "conf", value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) conf: PathBuf,
    /// Check the configuration, the files that it names, and the store; exit with 1 if anything is wrong
    #[arg(long, conflicts_with = "init_store")]
    pub(crate) check: bool,
    /// Create what the store needs before rcrond can use it: for PostgreSQL, the table
    #[arg(long)]
    pub(crate) init_store: bool,
}
