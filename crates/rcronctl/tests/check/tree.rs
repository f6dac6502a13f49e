//! A small system in a directory, for `--root`.

use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use testing::process::output;
use testing::program::program;

pub(crate) const CONF: &str = "/etc/rcron/rcron.conf";
pub(crate) const STATE: &str = "/run/rcron/state";
pub(crate) const JOBS: &str = "/etc/cron.d/jobs";
pub(crate) const JOURNAL: &str = "/var/lib/rcron/journal";
const MOUNTS: &str = "22 1 254:0 / / rw - ext4 /dev/vda rw\n24 22 0:21 / /run rw - tmpfs tmpfs rw\n";

/// No number is that of a user who runs the tests.
const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nwww:x:61033:61033::/:/bin/sh\nme:x:61001:61001::/home/me:/bin/sh\n";

/// The program that reads the crontabs, by a text in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cron {
    Debian,
    Cronie,
    Busybox,
}

/// The files, and the log daemon's socket.
pub(crate) struct Tree {
    directory: tempfile::TempDir,
    _log: UnixDatagram,
}

impl Tree {
    /// A system in which nothing is wrong.
    pub(crate) fn clean() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("dev")).expect("made");
        let log = UnixDatagram::bind(directory.path().join("dev/log")).expect("bound");
        let tree = Self { directory, _log: log };
        for (path, mode) in [("/", 0o755), ("/dev", 0o755), ("/dev/log", 0o666)] {
            tree.mode(path, mode);
        }
        tree.write(
            CONF,
            "cluster_name = web\nstate_file = /run/rcron/state\ndefault_state = passive\n",
        );
        tree.write(STATE, "passive\n");
        tree.write("/etc/tmpfiles.d/rcron.conf", "d /run/rcron 0755 root root\n");
        tree.write("/proc/1/mountinfo", MOUNTS);
        tree.write("/etc/passwd", PASSWD);
        tree.process(1, "systemd");
        tree.use_cron(Cron::Debian);
        tree.program("/usr/bin/rcron");
        tree.program("/usr/bin/backup");
        tree.write(JOBS, "# jobs of the cluster\n0 3 * * * root rcron backup --all\n");
        tree.directory(JOURNAL);
        tree.mode(JOURNAL, 0o1733);
        tree
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.directory.path().join(inside.trim_start_matches('/'))
    }

    pub(crate) fn directory(&self, inside: &str) {
        let mut path = self.directory.path().to_owned();
        for name in inside.split('/').filter(|name| !name.is_empty()) {
            path.push(name);
            if fs::create_dir(&path).is_ok() {
                set_mode(&path, 0o755); // whatever the umask
            }
        }
    }

    pub(crate) fn write(&self, inside: &str, text: &str) {
        self.directory(inside.rsplit_once('/').expect("a path").0);
        fs::write(self.path(inside), text).expect("written");
        self.mode(inside, 0o644);
    }

    pub(crate) fn program(&self, inside: &str) {
        self.write(inside, "#!/bin/sh\n");
        self.mode(inside, 0o755);
    }

    pub(crate) fn mode(&self, inside: &str, mode: u32) {
        set_mode(&self.path(inside), mode);
    }

    pub(crate) fn remove(&self, inside: &str) {
        let path = self.path(inside);
        if path.is_dir() {
            fs::remove_dir_all(path).expect("removed");
        } else {
            fs::remove_file(path).expect("removed");
        }
    }

    /// Adds keys to the configuration.
    pub(crate) fn configure(&self, more: &str) {
        let text = fs::read_to_string(self.path(CONF)).expect("there");
        self.write(CONF, &format!("{text}{more}"));
    }

    /// One job for root in /etc/cron.d.
    pub(crate) fn job(&self, command: &str) {
        self.write(JOBS, &format!("0 3 * * * root {command}\n"));
    }

    /// The crontab of `me`, as crontab(1) installs it.
    pub(crate) fn crontab(&self, text: &str) {
        const FILE: &str = "/var/spool/cron/crontabs/me";
        self.write(FILE, text);
        self.mode(FILE, 0o600);
    }

    /// Installs this cron instead of another.
    pub(crate) fn use_cron(&self, cron: Cron) {
        let (file, text) = match cron {
            Cron::Debian => ("/usr/sbin/cron", "ERROR: this crontab file will be ignored"),
            Cron::Cronie => ("/usr/sbin/crond", "cronie 1.7.2"),
            Cron::Busybox => ("/usr/sbin/crond", "BusyBox v1.37"),
        };
        for other in ["/usr/sbin/cron", "/usr/sbin/crond"] {
            let _ = fs::remove_file(self.path(other));
        }
        self.write(file, text);
        self.mode(file, 0o755);
        self.process(4711, file.rsplit('/').next().expect("a name"));
    }

    /// A process in the table.
    pub(crate) fn process(&self, number: u32, name: &str) {
        self.write(&format!("/proc/{number}/comm"), &format!("{name}\n"));
    }

    /// Gives a file to another user. Returns `false` if it cannot, because root does not run the tests.
    pub(crate) fn give_away(&self, inside: &str) -> bool {
        let is_root = nix::unistd::geteuid().is_root();
        if is_root {
            std::os::unix::fs::chown(self.path(inside), Some(12345), None).expect("chown");
        }
        is_root
    }

    pub(crate) fn check(&self, arguments: &[&str]) -> Output {
        self.run(Command::new(program("rcronctl")), arguments)
    }

    /// Runs the check in an address space of this size in bytes.
    pub(crate) fn check_with_memory(&self, limit: u64, arguments: &[&str]) -> Output {
        let mut command = Command::new("prlimit");
        command.arg(format!("--as={limit}")).arg(program("rcronctl"));
        self.run(command, arguments)
    }

    fn run(&self, mut command: Command, arguments: &[&str]) -> Output {
        command
            .args(["check", "--root"])
            .arg(self.directory.path())
            .args(arguments);
        output(command.stdin(Stdio::null()))
    }

    /// The report, with the paths as they are in the tree.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        self.report(&self.check(arguments))
    }

    /// The same, on a terminal of this width. The paths count with their full lengths.
    pub(crate) fn text_in_columns(&self, columns: usize) -> String {
        let mut command = Command::new(program("rcronctl"));
        command.env("COLUMNS", columns.to_string());
        self.report(&self.run(command, &[]))
    }

    fn report(&self, output: &Output) -> String {
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let root = fs::canonicalize(self.directory.path()).expect("there");
        let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
        text.replace(root.to_str().expect("UTF-8"), "")
    }

    /// Each finding as severity, kind and place.
    pub(crate) fn findings(&self) -> Vec<(String, String, String)> {
        let document: serde_json::Value = serde_json::from_str(&self.text(&["--json"])).expect("JSON");
        let findings = document["findings"].as_array().expect("a list");
        findings.iter().map(summary).collect()
    }

    /// Expects this finding and no other.
    #[track_caller]
    pub(crate) fn finds_only(&self, severity: &str, kind: &str, place: &str) {
        assert_eq!(self.findings(), [(severity.into(), kind.into(), place.into())]);
    }

    /// Expects this finding. It may cause others.
    #[track_caller]
    pub(crate) fn finds(&self, severity: &str, kind: &str, place: &str) {
        let findings = self.findings();
        assert!(
            findings.contains(&(severity.into(), kind.into(), place.into())),
            "{findings:#?}"
        );
    }

    #[track_caller]
    pub(crate) fn finds_nothing(&self) {
        assert_eq!(self.findings(), []);
    }
}

fn summary(finding: &serde_json::Value) -> (String, String, String) {
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let mut place = text("file");
    for key in ["line", "column"] {
        if let Some(number) = finding[key].as_u64() {
            write!(place, ":{number}").expect("a string");
        }
    }
    assert!(!text("what").is_empty() && !text("remedy").is_empty(), "{finding}");
    (text("severity"), text("kind"), place)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}
