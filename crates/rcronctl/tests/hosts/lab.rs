//! Hosts on a switch, each with its own name, processes, sshd, configuration and journal. The machine itself is not changed.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use testing::lab::{Host, Lab};
use testing::process::Running;
use testing::program::program;
use testing::{Done, run, until};

/// The lab's mounts. sshd needs its directory below /run. Root's own keys and settings are hidden.
const BOOT: &str = r#"
mount -t tmpfs none "$OVERLAY"
mkdir "$OVERLAY/etc" "$OVERLAY/work"
mount -t overlay none -o "lowerdir=/etc,upperdir=$OVERLAY/etc,workdir=$OVERLAY/work" /etc
mkdir -p /etc/rcron
cp "$OVERLAY/../ssh_config" /etc/ssh/ssh_config
[ ! -d /root/.ssh ] || mount -t tmpfs none /root/.ssh
mount -t tmpfs none /run
mkdir -m 755 /run/sshd
"#;

/// What a server runs first: its name and its configuration, then sshd.
const SERVER: &str = r#"
hostname "$NAME"
mount --bind "$DIRECTORY/rcron" /etc/rcron
exec /usr/sbin/sshd -D -E "$DIRECTORY/sshd.log" -f "$DIRECTORY/sshd_config"
"#;

pub(crate) struct Site {
    pub(crate) lab: Lab,
    /// Where rcronctl runs.
    pub(crate) here: Host,
    directory: TempDir,
    _log: UnixDatagram,
    hosts: std::cell::Cell<u8>,
}

/// A host with sshd.
pub(crate) struct Server {
    pub(crate) host: Host,
    pub(crate) directory: PathBuf,
    _sshd: Running,
}

impl Site {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path();
        key(&path.join("key"));
        key(&path.join("host_key"));
        let public = fs::read_to_string(path.join("host_key.pub")).expect("a key");
        write(&path.join("known_hosts"), &format!("10.9.1.* {public}"));
        write(&path.join("ssh_config"), &ssh_config(path));
        fs::create_dir(path.join("overlay")).expect("made");
        let log = UnixDatagram::bind(path.join("log")).expect("bound");
        let lab = Lab::new(&format!("OVERLAY={}/overlay\n{BOOT}", path.display()));
        let here = lab.host("here", "10.9.1.200");
        let site = Self {
            lab,
            here,
            directory,
            _log: log,
            hosts: std::cell::Cell::default(),
        };
        site.configure("here");
        site
    }

    /// A host without sshd. Its address ends in a number that counts from 1.
    pub(crate) fn host(&self, name: &str) -> Host {
        self.hosts.set(self.hosts.get() + 1);
        self.lab.host(name, &format!("10.9.1.{}", self.hosts.get()))
    }

    /// A host with sshd, rcron and rcronctl.
    pub(crate) fn server(&self, name: &str) -> Server {
        let host = self.host(name);
        let directory = self.configure(name);
        for program_name in ["rcron", "rcronctl"] {
            std::os::unix::fs::symlink(program(program_name), directory.join("bin").join(program_name)).expect("made");
        }
        let public = fs::read_to_string(self.path("key.pub")).expect("a key");
        write(&directory.join("authorized_keys"), &public);
        write(&directory.join("sshd_config"), &sshd_config(&host, &directory));
        let mut sshd = Command::new("unshare");
        sshd.args(["--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        sshd.args(["sh", "-euc", SERVER])
            .env("NAME", name)
            .env("DIRECTORY", &directory);
        let sshd = host.start(sshd.stdin(Stdio::null()));
        until("sshd", || {
            let log = fs::read_to_string(directory.join("sshd.log")).ok()?;
            log.contains("Server listening").then_some(())
        });
        Server {
            host,
            directory,
            _sshd: sshd,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `rcronctl ARGUMENTS` here.
    pub(crate) fn rcronctl(&self, arguments: &[&str]) -> Done {
        self.here.run(&mut self.command_of(arguments))
    }

    /// Without a limit in the arguments, a busy machine has time.
    pub(crate) fn command_of(&self, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command.args(arguments);
        if !arguments.contains(&"--ssh-timeout") {
            command.args(["--ssh-timeout", "5m"]);
        }
        command
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program("rcronctl"));
        command.arg("--conf").arg(self.path("here/rcron/rcron.conf"));
        command.env("TZ", "UTC").env_remove("COLUMNS");
        command
    }

    /// The JSON of rcronctl, which must exit with this status.
    pub(crate) fn json(&self, status: i32, arguments: &[&str]) -> serde_json::Value {
        let done = self.here.run(self.command_of(arguments).arg("--json"));
        assert_eq!(done.code(), Some(status), "{done:?}");
        serde_json::from_slice(&done.out).expect("JSON")
    }

    /// Runs a command line on a server, with ssh.
    pub(crate) fn ssh(&self, host: &str, line: &str) -> Done {
        self.here
            .run(Command::new("ssh").args(["-n", "-o", "BatchMode=yes", host, line]))
    }

    /// The directory of a host: rcron's configuration and an empty journal.
    fn configure(&self, name: &str) -> PathBuf {
        let directory = self.path(name);
        for below in ["rcron", "journal", "bin"] {
            fs::create_dir_all(directory.join(below)).expect("made");
        }
        let (own, log) = (directory.display(), self.path("log"));
        write(&directory.join("state"), "active");
        write(
            &directory.join("rcron/rcron.conf"),
            &format!(
                "cluster_name = web\nstate_file = {own}/state\njournal = {own}/journal\nnice_level = {}\nsyslog_socket = {}\n",
                testing::niceness(),
                log.display()
            ),
        );
        directory
    }

    /// Runs a job here.
    pub(crate) fn run_here(&self, arguments: &[&str]) {
        let before = records(&self.path("here"));
        let mut rcron = Command::new(program("rcron"));
        rcron
            .arg("--conf")
            .arg(self.path("here/rcron/rcron.conf"))
            .args(arguments);
        self.here.run(&mut rcron);
        wait_for_records(&self.path("here"), before + 2);
    }

    /// Runs a job on a server.
    pub(crate) fn run_on(&self, server: &Server, arguments: &str) {
        let before = records(&server.directory);
        let done = self.ssh(&server.host.name, &format!("rcron {arguments}"));
        assert!(done.err.is_empty(), "{done:?}");
        wait_for_records(&server.directory, before + 2);
    }

    /// Starts a job on a server; waits until its start is recorded.
    pub(crate) fn start_on(&self, server: &Server, arguments: &str) -> Running {
        let before = records(&server.directory);
        let mut ssh = Command::new("ssh");
        ssh.args(["-n", "-o", "BatchMode=yes", &server.host.name]);
        let running = self
            .here
            .start(ssh.arg(format!("rcron {arguments}")).stdin(Stdio::null()));
        wait_for_records(&server.directory, before + 1);
        running
    }
}

impl Server {
    /// Replaces rcronctl by a script of sh.
    pub(crate) fn replace_rcronctl(&self, script: &str) {
        let file = self.directory.join("bin/rcronctl");
        fs::remove_file(&file).expect("there");
        write(&file, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("its own");
    }

    /// rcronctl writes what it would, and this command of sed(1) changes it.
    pub(crate) fn change_export(&self, change: &str) {
        let real = program("rcronctl");
        self.replace_rcronctl(&format!("{} \"$@\" | sed '{change}'", real.display()));
    }
}

fn key(file: &Path) {
    let mut keygen = Command::new("ssh-keygen");
    keygen
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(file);
    let done = run(&mut keygen);
    assert!(done.status.success(), "{done:?}");
}

fn ssh_config(directory: &Path) -> String {
    let directory = directory.display();
    let host = |number: u8| format!("Host db{number} server{number}\n    HostName 10.9.1.{number}\n");
    let hosts = (1..=8).map(host).collect::<Vec<_>>().concat();
    format!(
        "{hosts}Host *\n    IdentityFile {directory}/key\n    IdentitiesOnly yes\n    UserKnownHostsFile {directory}/known_hosts\n    \
         GlobalKnownHostsFile none\n    StrictHostKeyChecking yes\n"
    )
}

fn sshd_config(host: &Host, directory: &Path) -> String {
    let (address, directory) = (&host.address, directory.display());
    format!(
        "ListenAddress {address}\nHostKey {directory}/../host_key\nAuthorizedKeysFile {directory}/authorized_keys\nStrictModes no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp\n\
         SetEnv PATH={directory}/bin:/usr/bin:/bin\nMaxStartups 100\n"
    )
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("written");
    File::open(file).expect("there");
}

fn records(directory: &Path) -> usize {
    let text = fs::read_to_string(directory.join("journal/0-0.jsonl")).unwrap_or_default();
    text.lines().filter(|line| line.ends_with('}')).count()
}

fn wait_for_records(directory: &Path, count: usize) {
    until("records in the journal", || (records(directory) >= count).then_some(()));
}
