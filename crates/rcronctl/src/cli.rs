//! The command line, its help and the completions: rcronctl(8).

use crate::hosts::HostName;
use crate::when::{parse_duration, parse_since};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Show what rcron ran, find what is wrong, and switch servers by hand
#[derive(Debug, Parser)]
#[command(name = "rcronctl", version = version(), max_term_width = 80)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// The options that all commands accept.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// The configuration file of a cluster. May be given more than once. The default is all of /etc/rcron/*.conf
    #[arg(short, long = "conf", value_name = "FILE", global = true)]
    pub(crate) conf: Vec<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// In a command that prints no JSON, this takes the place of the global option: its help does not offer it. `main` rejects it.
#[derive(Args, Clone, Debug)]
pub(crate) struct NoJson {
    #[arg(long, hide = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the state and nodes of each cluster, and the running jobs
    Status(Status),
    /// Show the runs in the journal, newest first
    History(History),
    /// Show the runs that a crash cut off; exit with 1 if there are any
    Interrupted(Interrupted),
    /// Draw which server ran which job at what time
    Timeline(Timeline),
    /// Write the runs in the journal as records, for rcronctl on another server
    Export(Export),
    /// Show which server started each tick of once_per_tick, and which ticks were missed
    Ticks(Ticks),
    /// Print the metrics of each job, for Prometheus' node_exporter
    Metrics(Metrics),
    /// Exit with 0 if this server would run a job now, otherwise with 1
    IsActive(IsActive),
    /// Write the state file
    Set(Set),
    /// Set the time of the state file to now, for state_max_age
    Touch(Touch),
    /// Ask rcrond to release clusters of this server until undrain
    Drain(Drain),
    /// Let this server take clusters over again after drain
    Undrain(Undrain),
    /// Find problems and how to fix them; exit with 1 if there are any
    Check(Check),
    /// Print a completion script
    Completions {
        /// The shell to complete in
        #[arg(value_parser = PossibleValuesParser::new(["bash", "fish", "zsh"]).try_map(|shell| shell.parse::<Shell>()))]
        shell: Shell,
        #[command(flatten)]
        no_json: NoJson,
    },
}

impl Command {
    /// What the command prints instead of JSON, if it prints none.
    pub(crate) const fn output_without_json(&self) -> Option<&'static str> {
        match self {
            Self::Export(_) => Some("export writes records in the format of the journal"),
            Self::Metrics(_) => Some("metrics are printed in Prometheus' text format"),
            Self::Touch(_) => Some("touch prints nothing"),
            Self::Completions { .. } => Some("completions are a script for a shell"),
            _ => None,
        }
    }
}

/// Which runs are shown.
#[derive(Args, Clone, Debug)]
pub(crate) struct Selection {
    /// Show only runs of this job. NAME is the name given with rcron --job, or the whole command
    #[arg(long, value_name = "NAME")]
    pub(crate) job: Option<String>,
    /// Show only runs of this cluster
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// Show only runs that were in progress at TIME or later. TIME is 90m, 12h or 7d before now, today,
    /// yesterday, 2026-11-23 or '2026-11-23 03:00'
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub(crate) since: Option<Timestamp>,
    /// Read this journal, which can be copied from another server. May be given more than once. The
    /// default is the journals that the configurations name
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) journal: Vec<PathBuf>,
}

impl Selection {
    /// Whether every run is shown.
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

/// Of which servers the journals are read.
#[derive(Args, Debug)]
pub(crate) struct Hosts {
    /// Read the journal of the server NAME instead, with ssh. May be given more than once
    #[arg(long, value_name = "NAME", value_parser = HostName::parse, conflicts_with = "journal")]
    pub(crate) host: Vec<HostName>,
    /// Read the journals of all servers that rcrond knows, this one included
    #[arg(long = "hosts", conflicts_with = "journal")]
    pub(crate) known: bool,
    /// With --host and --hosts, wait at most DURATION for each server. The default is 1m
    #[arg(long = "ssh-timeout", value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) ssh_timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

impl Hosts {
    /// Whether the journals of servers are read by their names.
    pub(crate) fn are_named(&self) -> bool {
        self.known || !self.host.is_empty()
    }
}

#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Write only runs that failed or were interrupted
    #[arg(long)]
    pub(crate) failed: bool,
    /// Write only runs without an end: those that are running, or were interrupted
    #[arg(long)]
    pub(crate) unfinished: bool,
    /// Write at most N runs, the newest ones; 0, the default, means no limit
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// In the values of --job and --cluster, %HH stands for a byte
    #[arg(long)]
    pub(crate) percent: bool,
    /// Take the options from SSH_ORIGINAL_COMMAND, and accept only those that select runs: for command= in
    /// authorized_keys
    #[arg(long, exclusive = true)]
    pub(crate) restricted: bool,
    #[command(flatten)]
    pub(crate) no_json: NoJson,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) hosts: Hosts,
    /// Show only runs that failed or were interrupted
    #[arg(long)]
    pub(crate) failed: bool,
    /// Show at most N runs, the newest ones; 0 means no limit. The default is 50; with --since there is no
    /// default limit
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct Interrupted {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) hosts: Hosts,
    /// Write the runs to syslog instead of printing them, each run only once
    #[arg(long)]
    pub(crate) log: bool,
    /// Mark the runs as seen. They are no longer shown after that
    #[arg(long)]
    pub(crate) ack: bool,
    /// Also show runs that are marked as seen
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Timeline {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) hosts: Hosts,
    /// Write an HTML page to FILE; `-` means stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Ticks {
    /// Show only ticks of this job. NAME is the name given with rcron --job
    #[arg(long, value_name = "NAME")]
    pub(crate) job: Option<String>,
    /// Show only ticks of this user's jobs
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Show only ticks of this cluster
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// Show only ticks of TIME or later. TIME is as for history
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub(crate) since: Option<Timestamp>,
    /// Show only ticks that no server started; exit with 1 if there are any
    #[arg(long)]
    pub(crate) missed: bool,
    /// Show at most N ticks, the latest ones; 0 means no limit. The default is 50; with --since there is no
    /// default limit
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Let ticks of JOB be started again that a wrong clock has closed ahead of time. Only root may do so
    #[arg(long, value_name = "JOB", conflicts_with_all = ["job", "since", "missed", "limit"])]
    pub(crate) reopen: Option<String>,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

#[derive(Args, Debug)]
pub(crate) struct Metrics {
    /// Write the metrics to FILE, which is replaced as a whole, instead of stdout. Its name must end in
    /// .prom for node_exporter to read it
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) no_json: NoJson,
}

#[derive(Args, Debug)]
pub(crate) struct IsActive {
    /// Print nothing
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The state of this server
    pub(crate) state: State,
    /// Write the file even if a running daemon maintains it, or if its path leads through a symbolic link
    /// that another user could have created
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

#[derive(Args, Debug)]
pub(crate) struct Touch {
    /// Write the file even if a running daemon maintains it, or if its path leads through a symbolic link
    /// that another user could have created
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) socket: Socket,
    #[command(flatten)]
    pub(crate) no_json: NoJson,
}

/// Where rcrond listens.
#[derive(Args, Debug)]
pub(crate) struct Socket {
    /// The socket of rcrond. The default is /run/rcrond/socket
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
}

impl Socket {
    pub(crate) fn path(&self) -> &Path {
        self.socket.as_deref().unwrap_or(Path::new(control::DEFAULT_SOCKET))
    }
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) socket: Socket,
}

/// Which of rcrond's clusters are meant.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// Act only on this cluster. May be given more than once. If rcrond has only one cluster, no name is needed
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Vec<String>,
    /// Act on all clusters of this server
    #[arg(long, conflicts_with = "cluster")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) socket: Socket,
}

#[derive(Args, Debug)]
pub(crate) struct Drain {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Start no more jobs, and release the cluster when the running jobs have ended
    #[arg(long)]
    pub(crate) wait: bool,
    /// With --wait, release the cluster after this time even if jobs are still running. The default is 10m
    #[arg(long, value_name = "DURATION", requires = "wait", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Undrain {
    #[command(flatten)]
    pub(crate) which: Which,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Check the system below DIR, such as the root of a container, instead of this one
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    /// This server runs the jobs
    Active,
    /// Another server runs the jobs
    Passive,
}

/// clap keeps it until the program ends.
fn version() -> &'static str {
    inputs::version::text(env!("CARGO_PKG_VERSION"), option_env!("RCRON_COMMIT"), &[]).leak()
}
