//! The command line, and through it the completions: rcronctl(8).

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Shows what rcron ran, and switches by hand.
#[derive(Debug, Parser)]
#[command(
    name = "rcronctl",
    version,
    about,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What every command takes.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// Configuration file of the cluster (default: all of /etc/rcron/*.conf; may be repeated)
    #[arg(short, long = "conf", value_name = "FILE", global = true)]
    pub(crate) conf: Vec<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Each cluster's state, its nodes if rcrond runs, and the jobs running now
    Status(Status),
    /// What ran, newest first
    History(History),
    /// Runs that a crash cut off; exit status 1 if there are any
    Interrupted(Interrupted),
    /// Who ran what when, as a picture
    Timeline(Timeline),
    /// Exit status 0 if this server would run jobs now, else 1
    IsActive(IsActive),
    /// Write the state file
    Set(Set),
    /// Refresh the state file's time, for state_max_age
    Touch(Touch),
    /// With rcrond: give this server's clusters away, and stay out until undrain
    Drain(Drain),
    /// With rcrond: take part again after drain
    Undrain(Undrain),
    /// Look for what is wrong, and say what to do about it; exit status 1 if anything is
    Check(Check),
    /// Print a shell's completions
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Which runs.
#[derive(Args, Debug)]
pub(crate) struct Selection {
    /// Only this job: its --job name or its whole command
    #[arg(long, value_name = "NAME")]
    pub(crate) job: Option<String>,
    /// Only this cluster
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// Only runs that were going on since then: 90m, 12h, 7d, today, 2026-11-23,
    /// '2026-11-23 03:00'
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Journals to read: directories, or files copied from other servers (default: the configuration's)
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) journal: Vec<PathBuf>,
}

impl Selection {
    /// Whether nothing is left out.
    pub(crate) fn is_all(&self) -> bool {
        let Self {
            job,
            cluster,
            since,
            journal,
        } = self;
        job.is_none() && cluster.is_none() && since.is_none() && journal.is_empty()
    }
}

#[derive(Args, Debug)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only runs that failed or were cut off
    #[arg(long)]
    pub(crate) failed: bool,
    /// At most this many, the newest; 0 for all (default: 50, with --since all)
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct Interrupted {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Write those not told before to syslog, each once
    #[arg(long)]
    pub(crate) log: bool,
    /// Mark them as seen
    #[arg(long)]
    pub(crate) ack: bool,
    /// Those marked as seen, too
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Timeline {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Write a page to this file instead, `-` for stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct IsActive {
    /// Say nothing
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Set {
    /// What to write
    pub(crate) state: State,
    /// Write even if a living daemon keeps the file, or others may write its directory
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Touch {
    /// Write even if a living daemon keeps the file, or others may write its directory
    #[arg(long)]
    pub(crate) force: bool,
}

/// Where rcrond is asked.
#[derive(Args, Debug)]
pub(crate) struct Socket {
    /// rcrond's socket, if its configuration names another
    #[arg(long, value_name = "PATH", default_value = control::DEFAULT_SOCKET)]
    pub(crate) socket: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) socket: Socket,
}

/// Which of rcrond's clusters.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// Only this cluster; may be repeated (needed, or --all, where rcrond has several)
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Vec<String>,
    /// All clusters
    #[arg(long, conflicts_with = "cluster")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

#[derive(Args, Debug)]
pub(crate) struct Drain {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Start no more jobs, and wait for those that run before giving away
    #[arg(long)]
    pub(crate) wait: bool,
    /// Wait no longer than this (default: 10m)
    #[arg(long, value_name = "SPAN", requires = "wait")]
    pub(crate) timeout: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Undrain {
    #[command(flatten)]
    pub(crate) which: Which,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Look at the system below this directory, such as a container's root, not at this one
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    /// This server runs the jobs
    Active,
    /// Another one does
    Passive,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Fish,
    Zsh,
}
