//! A directory with configuration, state file and log socket of one server.

use super::log::LogDaemon;
use super::process::{Done, run};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use testing::niceness;

pub(crate) struct Fixture {
    directory: TempDir,
    pub(crate) log: LogDaemon,
}

impl Fixture {
    /// With this content of the state file, or none.
    pub(crate) fn new(state: Option<&str>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let log = LogDaemon::start(&directory.path().join("log"));
        let fixture = Self { directory, log };
        fixture.configure("");
        if let Some(state) = state {
            fixture.set_state(state);
        }
        fixture
    }

    pub(crate) fn active() -> Self {
        Self::new(Some("active\n"))
    }

    pub(crate) fn passive() -> Self {
        Self::new(Some("passive\n"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes the configuration: this fixture's paths, the caller's niceness, no journal, and `more`.
    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "cluster_name = test\nstate_file = \"{}\"\nsyslog_socket = \"{}\"\nnice_level = {}\njournal = none\n{more}",
            self.path("state").display(),
            self.path("log").display(),
            niceness()
        );
        self.write("conf", text);
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("written");
    }

    pub(crate) fn make_fifo(&self, name: &str) {
        nix::unistd::mkfifo(&self.path(name), nix::sys::stat::Mode::S_IRWXU).expect("made");
    }

    /// Replaces the state file with rename(2), as writers should.
    pub(crate) fn set_state(&self, text: &str) {
        self.write("state.new", text);
        fs::rename(self.path("state.new"), self.path("state")).expect("renamed");
    }

    /// `rcron --conf …`, without a job yet.
    pub(crate) fn rcron(&self) -> Command {
        let mut command = Command::new(binary());
        command.arg("--conf").arg(self.path("conf")).stdin(Stdio::null());
        command
    }

    /// `PREFIX rcron --conf … JOB` as an ordinary user, also if root runs the tests.
    pub(crate) fn rcron_as_ordinary_user(&self, prefix: &[&str], job: &[&str]) -> Command {
        let mut command = Command::new("env");
        let mut program = binary();
        if nix::unistd::geteuid().is_root() {
            set_mode(self.directory.path(), 0o755);
            set_mode(&self.path("log"), 0o666);
            program = self.copy_binary();
            command.args(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command.args(prefix).arg(program).arg("--conf").arg(self.path("conf"));
        command.args(job).stdin(Stdio::null());
        command
    }

    /// A copy of the program for ordinary users, who may not be able to read the build directory.
    ///
    /// Copied by cp(1): if this process had it open for writing, a child that another test is just starting would have it open, too, and
    /// executing it would fail ("Text file busy").
    pub(crate) fn copy_binary(&self) -> PathBuf {
        let copy = self.path("rcron");
        let done = run(Command::new("cp").arg(binary()).arg(&copy));
        assert_eq!(done.code(), Some(0), "{done:?}");
        copy
    }

    /// Runs `rcron` with these further arguments.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Done {
        run(self.rcron().args(arguments))
    }

    /// Runs a command bare and under `rcron`, and returns both results.
    pub(crate) fn compare(&self, command: &[&str]) -> (Done, Done) {
        let bare = run(Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()));
        let wrapped = self.run(command);
        (bare, wrapped)
    }
}

/// The program under test.
pub(crate) fn binary() -> PathBuf {
    testing::program::program("rcron")
}

/// chmod(2).
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}
