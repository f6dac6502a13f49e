//! A server in a temporary directory: a configuration, a state file, a journal, a log socket.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use testing::process::Running;
use testing::program::program;
use testing::{Done, niceness, run, until};

pub(crate) struct Fixture {
    directory: TempDir,
    pub(crate) log: UnixDatagram,
}

impl Fixture {
    pub(crate) fn new(state: Option<&str>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let log = UnixDatagram::bind(directory.path().join("log")).expect("bound");
        let fixture = Self { directory, log };
        fs::create_dir(fixture.path("journal")).expect("made");
        fixture.configure("");
        if let Some(state) = state {
            fixture.write("state", state);
        }
        fixture
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    pub(crate) fn configure(&self, more: &str) {
        let directory = self.directory.path().display();
        self.write(
            "conf",
            &format!(
                "cluster_name = web\nstate_file = {directory}/state\njournal = {directory}/journal\nnice_level = {}\n\
                 syslog_socket = {directory}/log\ndefault_state = passive\n{more}",
                niceness()
            ),
        );
    }

    /// `rcronctl --conf … ARGUMENTS`, with times in UTC.
    pub(crate) fn rcronctl<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Done {
        run(self.command().args(arguments))
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program("rcronctl"));
        command.arg("--conf").arg(self.path("conf")).stdin(Stdio::null());
        command
            .env("TZ", "UTC")
            .env("LOGNAME", "alice")
            .env_remove("SUDO_USER")
            .env_remove("COLUMNS");
        command
    }

    /// The stdout of rcronctl, which must exit with this status.
    pub(crate) fn output<S: AsRef<OsStr>>(&self, status: i32, arguments: impl IntoIterator<Item = S>) -> String {
        let done = self.rcronctl(arguments);
        assert_eq!((done.code(), done.stderr().as_str()), (Some(status), ""), "{done:?}");
        done.stdout()
    }

    pub(crate) fn json<S: AsRef<OsStr>>(
        &self,
        status: i32,
        arguments: impl IntoIterator<Item = S>,
    ) -> serde_json::Value {
        let done = run(self.command().arg("--json").args(arguments));
        assert_eq!(done.code(), Some(status), "{done:?}");
        serde_json::from_slice(&done.out).expect("JSON")
    }

    /// `rcron --conf … ARGUMENTS`.
    pub(crate) fn rcron(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("rcron"));
        command
            .arg("--conf")
            .arg(self.path("conf"))
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs a job; waits until its start and its end are recorded.
    pub(crate) fn run(&self, arguments: &[&str]) {
        let before = self.records();
        run(&mut self.rcron(arguments));
        until("two records", || (self.records() >= before + 2).then_some(()));
    }

    /// Starts a job; waits until its start is recorded.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let before = self.records();
        let running = Running::start(&mut self.rcron(arguments));
        until("a record", || (self.records() > before).then_some(()));
        running
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path("journal").join(format!("{}-0.jsonl", nix::unistd::geteuid()))
    }

    fn records(&self) -> usize {
        let text = fs::read_to_string(self.journal()).unwrap_or_default();
        text.lines().filter(|line| line.ends_with('}')).count()
    }
}

/// The lines of a table, with one blank between two columns.
pub(crate) fn rows(table: &str) -> Vec<String> {
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    table.lines().map(squeezed).collect()
}

pub(crate) fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}
