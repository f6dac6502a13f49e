//! Configurations, state files and a log socket in a temporary directory.

use crate::Result;
use crate::log::LogDaemon;
use crate::wait::Watchdog;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub(crate) const TRUE: &str = "/bin/true";
pub(crate) const SHELL: &str = "/bin/sh";

/// The tmpfs that every Linux has.
const MEMORY: &str = "/dev/shm";

/// The environment that cron gives its jobs.
const CRON_ENVIRONMENT: [(&str, &str); 4] = [
    ("PATH", "/usr/bin:/bin"),
    ("HOME", "/root"),
    ("SHELL", "/bin/sh"),
    ("LOGNAME", "root"),
];

pub(crate) struct Fixture {
    pub(crate) binary: PathBuf,
    pub(crate) log: LogDaemon,
    pub(crate) watchdog: Watchdog,
    /// Dropped after the log daemon, whose socket is in it.
    directory: TempDir,
    /// On a tmpfs, so that the disk is not measured.
    pub(crate) journal: TempDir,
}

/// The configurations; each has a state file of its own.
#[derive(Clone, Copy)]
pub(crate) enum Server {
    Passive,
    /// Passive, without a log daemon.
    PassiveUnheard,
    Active,
    /// Active, with `on_demotion = terminate`.
    ActiveGuarded,
    /// Active, with a journal on a tmpfs.
    ActiveRecorded,
}

impl Server {
    const ALL: [Self; 5] = [
        Self::Passive,
        Self::PassiveUnheard,
        Self::Active,
        Self::ActiveGuarded,
        Self::ActiveRecorded,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Passive => "passive",
            Self::PassiveUnheard => "unheard",
            Self::Active => "active",
            Self::ActiveGuarded => "guarded",
            Self::ActiveRecorded => "recorded",
        }
    }

    fn state(self) -> &'static str {
        match self {
            Self::Passive | Self::PassiveUnheard => "passive\n",
            Self::Active | Self::ActiveGuarded | Self::ActiveRecorded => "active\n",
        }
    }
}

impl Fixture {
    pub(crate) fn new(binary: &Path) -> Result<Self> {
        let directory = TempDir::with_prefix("rcron-bench.")?;
        let log = LogDaemon::start(&directory.path().join("log"), &directory.path().join("asker"))?;
        let fixture = Self {
            directory,
            journal: TempDir::with_prefix_in("rcron-bench.", MEMORY)?,
            binary: binary.to_owned(),
            log,
            watchdog: Watchdog::start(),
        };
        for server in Server::ALL {
            fs::write(fixture.configuration(server), fixture.configuration_text(server))?;
            fs::write(fixture.state(server), server.state())?;
        }
        Ok(fixture)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn state(&self, server: Server) -> PathBuf {
        self.path(&format!("{}.state", server.name()))
    }

    /// Prepares replacing the state file. The returned closure does it with one rename(2), which can be timed.
    pub(crate) fn prepare_state(&self, server: Server, text: &str) -> Result<impl FnOnce() -> Result<()> + use<>> {
        let (new, state) = (self.path("state.new"), self.state(server));
        fs::write(&new, text)?;
        Ok(move || Ok(fs::rename(new, state)?))
    }

    /// A command as cron would start it.
    pub(crate) fn command<S: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(CRON_ENVIRONMENT);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// `rcron --conf FILE JOB`, as cron would start it.
    pub(crate) fn rcron(&self, server: Server, job: &[&str]) -> Command {
        Self::command(&self.binary, self.arguments(server, job))
    }

    pub(crate) fn arguments(&self, server: Server, job: &[&str]) -> Vec<PathBuf> {
        let mut arguments = vec![PathBuf::from("--conf"), self.configuration(server)];
        arguments.extend(job.iter().map(PathBuf::from));
        arguments
    }

    fn configuration(&self, server: Server) -> PathBuf {
        self.path(&format!("{}.conf", server.name()))
    }

    /// With `nice_level = 0`, because a nicer job would be slower, and without this machine's journal.
    fn configuration_text(&self, server: Server) -> String {
        let socket = match server {
            Server::PassiveUnheard => self.path("nobody"),
            _ => self.path("log"),
        };
        let on_demotion = match server {
            Server::ActiveGuarded => "terminate",
            _ => "continue",
        };
        let journal = match server {
            Server::ActiveRecorded => self.journal.path(),
            _ => Path::new("none"),
        };
        format!(
            "cluster_name = bench\nstate_file = \"{}\"\nsyslog_socket = \"{}\"\nnice_level = 0\njournal = {}\n\
             on_demotion = {on_demotion}\n",
            self.state(server).display(),
            socket.display(),
            journal.display()
        )
    }
}

/// The path of a program, searched as cron would.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let directories = ["/usr/local/bin", "/usr/bin", "/bin"].map(Path::new);
    directories
        .map(|directory| directory.join(program))
        .into_iter()
        .find(|path| path.exists())
}
